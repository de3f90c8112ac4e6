"""The read-out of an experiment: from each look's sufficient statistics to rows that one can decide by."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, sqrt
from typing import NamedTuple

from models_ml.experiments import bayes, compare, cuped, exposure, guardrails, multiple, power, sequential, srm
from models_ml.experiments.plan import Kind, Metric, Plan, Role
from models_ml.experiments.stats import Pair, Proportion
from models_ml.experiments.verdict import Checks, Decision, Reading, decide, tell

Statistic = Proportion | Pair
NOTHING_SENT = Proportion(0, 0)


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm at one look: a statistic for each metric of the plan, and what became of its messages.

    A mean comes as Pair with its covariate as x, a ratio as Pair of numerator y and denominator x.
    """

    statistics: Mapping[str, Statistic]
    delivered: Proportion = NOTHING_SENT


@dataclass(frozen=True, slots=True)
class Look:
    """The experiment as it was at the end of a day. `periods`: counts and shares of each time the plan had other shares."""

    day: str
    arms: Mapping[str, Arm]
    periods: Sequence[tuple[Mapping[str, int], Mapping[str, float]]]
    crossed: Proportion
    complete: bool  # the window of every assigned customer is over


class Row(NamedTuple):
    """One arm and metric at one look. None: there is no such figure. Units are the metric's: shares, or money."""

    look: Look
    variant: str
    metric: Metric
    statistic: Statistic
    reading: Reading
    checks: Checks
    decision: Decision
    verdict: str


def read_out(plan: Plan, looks: Sequence[Look], wanted: Container[str] | None = None) -> Iterator[Row]:
    """The rows of every look, which come in the order of days from the first on: what was once seen is not unseen.

    With `wanted` only the rows of these days; the others are looked at for what they leave behind. The p of the sequential test and of the SRM check are the smallest so far. Each look is judged by what was known then.
    """
    lowest: dict[tuple[str, str], float] = {}
    srm_p = 1.0
    for look in looks:
        balance = srm.check(look.periods, srm_p)
        srm_p = balance.sequential_p
        told = wanted is None or look.day in wanted
        checks = Checks(
            balance,
            exposure.crossover(look.crossed, plan.alpha),
            exposure.delivery({name: arm.delivered for name, arm in look.arms.items()}),
            look.complete,
        )
        readings: dict[tuple[str, str], Reading] = {}
        for metric in plan.metrics:
            for variant in plan.shares:
                reading = _read(plan, metric, look.arms, variant, told=told)
                key = variant, metric.name
                if reading.sequential_p is not None:
                    lowest[key] = min(lowest.get(key, 1.0), reading.sequential_p)
                    reading = replace(reading, sequential_p=lowest[key])
                readings[key] = reading
        if not told:
            continue
        readings = _adjusted(plan, readings)
        for (variant, name), reading in readings.items():
            metric = next(one for one in plan.metrics if one.name == name)
            decision = decide(plan, metric, reading, checks)
            words = tell(plan, metric, variant, reading, checks, decision)
            yield Row(
                look, variant, metric, look.arms[variant].statistics[name], reading, checks, decision, words
            )  # fmt: skip


def _read(plan: Plan, metric: Metric, arms: Mapping[str, Arm], variant: str, *, told: bool) -> Reading:
    """The figures of one arm and metric; those against the control only for other arms. Without `told` the dear ones, which
    leave nothing behind, are left out."""
    alpha = plan.alpha
    own, control = arms[variant].statistics[metric.name], arms[plan.control].statistics[metric.name]
    value, interval = _alone(metric.known.kind, own, alpha)
    base, _ = _alone(metric.known.kind, control, alpha)
    if variant == plan.control:
        return Reading(value, _finite(interval), base)
    found, adjusted = _against(metric.known.kind, control, own, alpha)
    best = adjusted.difference if adjusted else found
    variance = sequential.variance_of_difference(control, own) or best.variance
    ready = sequential.enough(control, own) and variance > 0
    tau2 = sequential.tau2_for_effect(metric.effect)
    always = sequential.interval(best.value, variance, tau2, alpha) if ready else None
    guarded = (
        guardrails.guard(best.value, best.variance, always or compare.UNKNOWN, metric.margin, higher_is_better=metric.known.higher_is_better)
        if metric.margin is not None
        else None
    )  # fmt: skip
    return Reading(
        value, _finite(interval), base,
        difference=found, adjusted=adjusted, guarded=guarded,
        belief=_believe(metric.known.kind, control, own, alpha) if told else None,
        lift=compare.relative_lift((base, _variance(metric.known.kind, control)), (value, _variance(metric.known.kind, own)), alpha),
        sequential=always,
        sequential_p=sequential.p_value(best.value, variance, tau2) if ready else None,
        detectable=_detectable(metric.known.kind, control, own, alpha) if told else None,
    )  # fmt: skip


def _alone(kind: Kind, one: Statistic, alpha: float) -> tuple[float, compare.Interval]:
    if isinstance(one, Proportion):
        return one.mean, compare.proportion_interval(one, alpha)
    if kind is Kind.RATIO:
        return one.ratio, compare.ratio_interval(one, alpha)
    return one.of_y.mean, compare.mean_interval(one.of_y, alpha)


def _variance(kind: Kind, one: Statistic) -> float:
    if isinstance(one, Proportion):
        return one.variance_of_mean
    return one.variance_of_ratio if kind is Kind.RATIO else one.of_y.variance_of_mean


def _against(
    kind: Kind, control: Statistic, own: Statistic, alpha: float
) -> tuple[compare.Difference, cuped.Adjusted | None]:
    if isinstance(control, Proportion) and isinstance(own, Proportion):
        return compare.difference_of_proportions(control, own, alpha), None
    if isinstance(control, Proportion) or isinstance(own, Proportion):
        raise TypeError("the arms have different kinds of statistics")
    if kind is Kind.RATIO:
        return compare.difference_of_ratios(control, own, alpha), None
    return compare.difference_of_means(control.of_y, own.of_y, alpha), cuped.adjust(control, own, alpha)


def _believe(kind: Kind, control: Statistic, own: Statistic, alpha: float) -> bayes.Belief | None:
    if isinstance(control, Proportion) and isinstance(own, Proportion):
        return bayes.compare(bayes.of_proportion(control), bayes.of_proportion(own), alpha)
    if (
        isinstance(control, Proportion)
        or isinstance(own, Proportion)
        or kind is Kind.RATIO
        or min(control.n, own.n) < 2
    ):
        return None
    prior = bayes.unit_information((control + own).of_y)
    return bayes.compare(bayes.of_mean(control.of_y, prior), bayes.of_mean(own.of_y, prior), alpha)


def _detectable(kind: Kind, control: Statistic, own: Statistic, alpha: float) -> float | None:
    if min(control.n, own.n) < 2 or kind is Kind.RATIO:
        return None
    ratio = own.n / control.n
    if isinstance(control, Proportion):
        return power.detectable_proportion(control.mean, control.n, ratio, alpha)
    return power.detectable_mean(sqrt(control.of_y.variance), control.n, ratio, alpha)


def _adjusted(plan: Plan, readings: Mapping[tuple[str, str], Reading]) -> dict[tuple[str, str], Reading]:
    """Holm within the primary metrics of all arms, Benjamini-Hochberg within the secondary ones; guardrails protect, and
    each keeps its own level."""
    result = dict(readings)
    corrections = {Role.PRIMARY: multiple.holm, Role.SECONDARY: multiple.benjamini_hochberg}
    roles = {metric.name: metric.role for metric in plan.metrics}
    for role, correct in corrections.items():
        family = [key for key, one in readings.items() if roles[key[1]] is role and one.difference]
        fixed = correct([d.p for key in family if (d := readings[key].difference)])
        always = correct([1.0 if (p := readings[key].sequential_p) is None else p for key in family])
        for key, p, seq_p in zip(family, fixed, always, strict=True):
            result[key] = replace(
                readings[key], p_adjusted=p, sequential_p_adjusted=seq_p if readings[key].sequential_p is not None else None
            )  # fmt: skip
    return result


def _finite(interval: compare.Interval) -> compare.Interval | None:
    return interval if isfinite(interval.low) and isfinite(interval.high) else None
