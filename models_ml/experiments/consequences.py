"""What follows from a look for those who act on it: shares for the next customers, outcomes over a holdout, an arm's guardrails."""

from collections.abc import Iterable, Mapping

from models_ml.experiments import holdout
from models_ml.experiments.compare import Interval
from models_ml.experiments.plan import Kind, Plan, Role
from models_ml.experiments.stats import Pair, Proportion
from models_ml.experiments.thompson import allocate
from models_ml.experiments.verdict import Decision

FLOOR = 0.1
# The worst of several guardrails, from here on down.
_WORST = (Decision.BROKEN, Decision.EARLY, Decision.OPEN, Decision.KEPT)


def next_shares(plan: Plan, statistics: Mapping[str, Mapping[str, object]]) -> tuple[str, dict[str, float]] | None:
    """The first primary metric that is a share, and what Thompson allocation gives each variant of the next customers, at
    least `FLOOR` (less with more than ten variants); `statistics` by variant and metric. None without such a metric."""
    metric = next((m for m in plan.metrics if m.role is Role.PRIMARY and m.known.kind is Kind.PROPORTION), None)
    if metric is None:
        return None
    arms = {variant: one for variant in plan.shares if isinstance(one := statistics[variant][metric.name], Proportion)}
    floor = min(FLOOR, 1 / len(arms))
    return metric.name, allocate(arms, floor, higher_is_better=metric.known.higher_is_better)


def over_holdout(
    kind: Kind, control: Proportion | Pair, own: Proportion | Pair, effect: float, sequential: Interval | None, alpha: float
) -> holdout.Lift | None:  # fmt: skip
    """What an arm brought over a control that got nothing, in customers or money over all its customers, by the interval that
    holds at every look. None for a ratio and a quantile, which do not add up, and while it is too early for an interval."""
    if sequential is None or kind not in (Kind.PROPORTION, Kind.MEAN):
        return None
    if isinstance(control, Proportion) and isinstance(own, Proportion):
        found = holdout.lift(control, own, alpha)
    elif isinstance(control, Pair) and isinstance(own, Pair):
        found = holdout.lift(control.of_y, own.of_y, alpha)
    else:
        raise TypeError("the arms have different kinds of statistics")
    return holdout.always(found, effect, sequential, own.n)


def worst(guards: Iterable[Decision]) -> Decision | None:
    """The worst state among an arm's guardrails: broken, too early, open, kept; None without any, or past a mismatch."""
    states = set(guards)
    return next((state for state in _WORST if state in states), None)
