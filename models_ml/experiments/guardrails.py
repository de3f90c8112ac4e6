"""Guardrails: a metric that must not get worse by more than a margin. Shown by an interval, not by a missing difference."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt

from scipy import stats as dist

from models_ml.experiments.compare import Interval


class Guard(StrEnum):
    """What a guardrail says."""

    KEPT = "kept"  # harm beyond the margin is ruled out
    BROKEN = "broken"  # harm beyond the margin is shown
    OPEN = "open"  # neither, yet


@dataclass(frozen=True, slots=True)
class Guarded:
    """The state of a guardrail, and the p of the one-sided test of non-inferiority at a fixed horizon."""

    state: Guard
    p: float


def harm(interval: Interval, *, higher_is_better: bool) -> Interval:
    """The interval of a difference, turned so that more is worse."""
    return Interval(-interval.high, -interval.low) if higher_is_better else interval


def guard(value: float, variance: float, interval: Interval, margin: float, *, higher_is_better: bool) -> Guarded:
    """Judge a difference (treated minus control) by `interval`, against the tolerated `margin` in units of the metric.

    With a two-sided interval at 1 - alpha each judgement errs with at most alpha/2, at every look if the interval is
    anytime-valid (Piaggio et al., "Reporting of Noninferiority and Equivalence Randomized Trials", JAMA 308, 2012).
    Raises ValueError for a negative margin.
    """
    if margin < 0:
        raise ValueError("the margin of a guardrail is the harm that is tolerated: at least 0")
    worse = harm(interval, higher_is_better=higher_is_better)
    state = Guard.KEPT if worse.high < margin else Guard.BROKEN if worse.low > margin else Guard.OPEN
    loss = -value if higher_is_better else value
    if not isfinite(variance) or variance <= 0:
        return Guarded(state, 1.0)
    return Guarded(state, float(dist.norm.cdf((loss - margin) / sqrt(variance))))
