"""The read-out of an experiment: from each look's sufficient statistics to rows that one can decide by."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import NamedTuple

import numpy as np

from models_ml.experiments import (
    bayes,
    compare,
    consequences,
    cuped,
    exposure,
    guardrails,
    multiple,
    power,
    quantiles,
    sequential,
    srm,
)
from models_ml.experiments.plan import Kind, Known, Metric, Plan, Role
from models_ml.experiments.stats import Pair, Proportion, Sample
from models_ml.experiments.verdict import Checks, Decision, Reading, decide, tell

Statistic = Proportion | Pair
NOTHING_SENT = Proportion(0, 0)


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm at one look: a statistic for each metric of the plan, and what became of its messages.

    A mean comes as Pair with its covariate as x, a ratio as Pair of numerator y and denominator x, a quantile as Sample.
    """

    statistics: Mapping[str, Statistic | Sample]
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
    """One arm and metric at one look. None: there is no such figure. Units are the metric's: shares, or money. `guardrails` is
    the worst state among the arm's guardrails, `next_share` of the primary metric what Thompson allocation gives the arm."""

    look: Look
    variant: str
    metric: Metric
    statistic: Statistic | Sample
    reading: Reading
    checks: Checks
    decision: Decision
    verdict: str
    guardrails: Decision | None
    next_share: float | None


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
            len({tuple(sorted(shares.items())) for counts, shares in look.periods if any(counts.values())}) > 1,
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
        yield from _rows(plan, look, _adjusted(plan, readings), checks)


def _rows(plan: Plan, look: Look, readings: Mapping[tuple[str, str], Reading], checks: Checks) -> Iterator[Row]:
    metrics = {metric.name: metric for metric in plan.metrics}
    decisions = {key: decide(plan, metrics[key[1]], reading, checks) for key, reading in readings.items()}
    guards = {
        variant: consequences.worst(
            decisions[variant, name] for name, one in metrics.items() if one.role is Role.GUARDRAIL
        )
        for variant in plan.shares
    }
    told = consequences.next_shares(plan, {name: arm.statistics for name, arm in look.arms.items()})
    primary, shares = told if told and not checks.balance.blocks else (None, {})
    for (variant, name), reading in readings.items():
        decision, statistic = decisions[variant, name], look.arms[variant].statistics[name]
        words = tell(plan, metrics[name], variant, reading, checks, decision, guards[variant], statistic.n)
        share = shares[variant] if name == primary else None
        yield Row(
            look, variant, metrics[name], statistic, reading, checks, decision, words, guards[variant], share
        )  # fmt: skip


def _read(plan: Plan, metric: Metric, arms: Mapping[str, Arm], variant: str, *, told: bool) -> Reading:
    """The figures of one arm and metric; those against the control only for other arms. Without `told` the dear ones, which
    leave nothing behind, are left out."""
    alpha = plan.alpha
    own, control = arms[variant].statistics[metric.name], arms[plan.control].statistics[metric.name]
    if isinstance(own, Sample) and isinstance(control, Sample):
        return _read_quantile(metric.known.q, control, own, alpha, compared=told and variant != plan.control)
    if isinstance(own, Sample) or isinstance(control, Sample):
        raise TypeError("the arms have different kinds of statistics")
    value, interval = _alone(metric.known.kind, own, alpha)
    base, _ = _alone(metric.known.kind, control, alpha)
    if variant == plan.control:
        return Reading(value, _finite(interval), base)
    found, adjusted = _against(metric.known.kind, control, own, alpha)
    best = adjusted.difference if adjusted else found
    variance = sequential.variance_of_difference(control, own) or best.variance
    ready = _enough(metric.known.kind, control, own) and variance > 0
    tau2 = sequential.tau2_for_effect(metric.effect)
    always = sequential.interval(best.value, variance, tau2, alpha) if ready else None
    guarded = (
        guardrails.guard(best.value, best.variance, always or compare.UNKNOWN, metric.margin, higher_is_better=metric.known.higher_is_better)
        if metric.margin is not None
        else None
    )  # fmt: skip
    is_holdout = arms[plan.control].delivered.n == 0 < arms[variant].delivered.n
    return Reading(
        value, _finite(interval), base,
        difference=found, adjusted=adjusted, guarded=guarded,
        belief=_believe(metric.known, control, own, alpha) if told else None,
        lift=compare.relative_lift((base, _variance(metric.known.kind, control)), (value, _variance(metric.known.kind, own)), alpha),
        sequential=always,
        sequential_p=sequential.p_value(best.value, variance, tau2) if ready else None,
        detectable=_detectable(metric.known.kind, control, own, alpha) if told else None,
        brought=consequences.over_holdout(metric.known.kind, control, own, best.value, always, alpha) if told and is_holdout else None,
    )  # fmt: skip


def _read_quantile(q: float, control: Sample, own: Sample, alpha: float, *, compared: bool) -> Reading:
    """A quantile and, when `compared`, its difference: of unknown size while either arm has too few units for an interval."""
    (value, interval), (base, of_base) = _quantile(own, q, alpha), _quantile(control, q, alpha)
    if not compared:
        return Reading(value, interval, base)
    if interval is None or of_base is None:
        return Reading(value, interval, base, difference=compare.Difference(value - base, inf, compare.UNKNOWN, 1.0))
    found = quantiles.difference_of_quantiles(control.values, own.values, q, alpha)
    return Reading(value, interval, base, difference=found)


def _quantile(one: Sample, q: float, alpha: float) -> tuple[float, compare.Interval | None]:
    if not one.n:
        return 0.0, None
    values = one.values
    return float(np.quantile(values, q)), _finite(quantiles.quantile_interval(values, q, alpha))


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


def _believe(known: Known, control: Statistic, own: Statistic, alpha: float) -> bayes.Belief | None:
    if isinstance(control, Proportion) and isinstance(own, Proportion):
        beliefs = bayes.of_proportion(control), bayes.of_proportion(own)
    elif (
        isinstance(control, Proportion)
        or isinstance(own, Proportion)
        or known.kind is Kind.RATIO
        or min(control.n, own.n) < 2
    ):
        return None
    else:
        prior = bayes.unit_information((control + own).of_y)
        beliefs = bayes.of_mean(control.of_y, prior), bayes.of_mean(own.of_y, prior)
    return bayes.compare(*beliefs, alpha, higher_is_better=known.higher_is_better)


def _enough(kind: Kind, control: Statistic, own: Statistic) -> bool:
    if kind is Kind.RATIO and isinstance(control, Pair) and isinstance(own, Pair):
        return sequential.enough_of_ratio(control, own)
    return sequential.enough(control, own)


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
    informing = {metric.name for metric in plan.metrics if metric.known.kind is Kind.QUANTILE}
    for role, correct in corrections.items():
        family = [key for key, one in readings.items() if roles[key[1]] is role and one.difference]
        fixed = correct([d.p for key in family if (d := readings[key].difference)])
        for key, fixed_p in zip(family, fixed, strict=True):
            result[key] = replace(readings[key], p_adjusted=fixed_p)
        family = [key for key in family if key[1] not in informing]  # what decides nothing makes no decision harder
        always = correct([1.0 if (p := readings[key].sequential_p) is None else p for key in family])
        for key, seq_p in zip(family, always, strict=True):
            if readings[key].sequential_p is not None:
                result[key] = replace(result[key], sequential_p_adjusted=seq_p)
    return result


def _finite(interval: compare.Interval) -> compare.Interval | None:
    return interval if isfinite(interval.low) and isfinite(interval.high) else None
