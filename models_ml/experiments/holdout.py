"""What a programme brought in all: everybody who could get its messages against a holdout that got none."""

from dataclasses import dataclass, replace

from models_ml.experiments.compare import (
    Difference,
    Interval,
    difference_of_means,
    difference_of_proportions,
    relative_lift,
)
from models_ml.experiments.stats import Mean, Proportion


@dataclass(frozen=True, slots=True)
class Lift:
    """The difference per unit, what it comes to over all treated units, and the relative lift (None: no base)."""

    difference: Difference
    incremental: float  # outcomes that would not have been, over all treated units
    incremental_interval: Interval
    relative: tuple[float, Interval] | None


def lift(holdout: Proportion | Mean, treated: Proportion | Mean, alpha: float = 0.05) -> Lift:
    """Lift of the treated over the holdout, for a proportion or a mean. Raises TypeError for one of each."""
    match holdout, treated:
        case Proportion(), Proportion():
            found = difference_of_proportions(holdout, treated, alpha)
        case Mean(), Mean():
            found = difference_of_means(holdout, treated, alpha)
        case _:
            raise TypeError("holdout and treated must be the same kind of measure")
    n = treated.n
    return Lift(
        found,
        found.value * n,
        Interval(found.interval.low * n, found.interval.high * n),
        relative_lift((holdout.mean, holdout.variance_of_mean), (treated.mean, treated.variance_of_mean), alpha),
    )


def always(one: Lift, effect: float, sequential: Interval, n: int) -> Lift:
    """The same lift with outcomes by `effect` and its interval that holds at every look, over `n` treated units."""
    return replace(one, incremental=effect * n, incremental_interval=Interval(sequential.low * n, sequential.high * n))


def cost_per_incremental(cost: float, one: Lift) -> Interval | None:
    """What an outcome that would not have been cost, between the ends of the interval; None while "nothing was brought"
    is not ruled out (the cost would be unbounded)."""
    low, high = one.incremental_interval.low, one.incremental_interval.high
    return Interval(cost / high, cost / low) if low > 0 else None
