"""Figures out of the ordinary, with a promise: on a day on which nothing happened, the chance of any alarm is at most `alpha`.

Each figure gets a p-value against what its own past, without its outliers, says of this hour or day; all p-values of a look
are judged together by Holm's method (1979), which keeps that promise whatever depends on what. Counts are held against the
negative binomial of their forecast, averages against Student's t around the median of comparable days, whose spread is the
median absolute deviation (Rousseeuw and Croux 1993) so that an earlier incident neither hides the next one nor makes its
quiet successor look strange.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from models_ml.forecasting.calendar import day_kind
from models_ml.forecasting.grid import grid_of
from models_ml.forecasting.volume import (
    WEEK,
    Floats,
    count_distribution,
    earlier_errors,
    evidence,
    expect,
    over_dispersion,
)

MAD_TO_SIGMA = 1.4826
MIN_DAYS = 10
FAR = 5.0
MIN_PAST = 14
MIN_CHANGE = 0.2  # a figure must be this far from the expected one, as a share of it, to be worth anybody's time


@dataclass(frozen=True)
class Judged:
    """One figure: what it is, what was expected, and how likely one at least so far away is by chance."""

    key: Hashable
    value: float
    expected: float
    p_value: float


def judge_counts(
    key: Hashable,
    past: Sequence[datetime],
    counts: Sequence[float],
    now: Sequence[datetime],
    values: Sequence[float],
    *,
    widths: Sequence[tuple[int, int]] = ((1, 1),),
    state: str | None = None,
) -> list[Judged]:
    """Sums of hours of `now` against what the hours before say, two-sided. `widths`: hours of a sum, and how far apart sums
    begin; wide sums find what single hours are too few for.

    Keys are (key, first hour, width). `past` are local hours in order without gaps, of at least 14 days; raises ValueError
    with fewer.
    """
    if len(past) < 24 * MIN_PAST:
        raise ValueError(f"judging needs {MIN_PAST} days of hours; there are {len(past)} hours")
    clean, actual = without_outliers(past, np.asarray(counts, dtype=float), state), np.asarray(values, dtype=float)
    expected, known = expect(past, clean, now, state), evidence(past, clean, now, state)
    errors = earlier_errors(past, clean, state, WEEK)
    found = []
    for width, step in widths:
        phi = over_dispersion(*(_sums(part, width, width) for part in errors))
        means, sums = _sums(expected, width, step), _sums(actual, width, step)
        # What is expected of an hour with few counts behind it is itself a guess: gamma, so the count is negative binomial too.
        distribution = count_distribution(means, phi + 1 / np.maximum(_sums(known, width, step), 0.5))
        p_values = np.minimum(1.0, 2 * np.minimum(distribution.cdf(sums), distribution.sf(sums - 1)))
        found += [
            Judged((key, now[number * step], width), float(value), float(mean), float(p))
            for number, (value, mean, p) in enumerate(zip(sums, means, p_values, strict=True))
        ]
    return found


def _sums(values: Floats, width: int, step: int) -> Floats:
    """Sums over `width` values, beginning every `step`; a rest that is too short does not count."""
    if len(values) < width:
        return np.empty(0)
    return np.array([values[start : start + width].sum() for start in range(0, len(values) - width + 1, step)])


def without_outliers(past: Sequence[datetime], counts: Floats, state: str | None) -> Floats:
    """The counts with hours that are far out set to what was expected.

    First against the median of the same hour on comparable days, which a few incidents cannot move, then, finer, against a
    forecast through what that left.
    """
    from scipy.stats import norm

    rough = _clipped_to_median(past, counts, state)
    fitted = expect(past, rough, list(past), state)
    distribution = count_distribution(fitted, over_dispersion(fitted, rough))
    p_values = 2 * np.minimum(distribution.cdf(counts), distribution.sf(counts - 1))
    return np.where(p_values < 2 * norm.sf(4.5), fitted, counts)


def _clipped_to_median(past: Sequence[datetime], counts: Floats, state: str | None) -> Floats:
    found, cells = counts.copy(), grid_of(past, state).cell
    for cell in np.unique(cells):
        values = counts[cells == cell]
        centre = float(np.median(values))
        spread = max(MAD_TO_SIGMA * float(np.median(np.abs(values - centre))), np.sqrt(centre + 1))
        found[cells == cell] = np.where(np.abs(values - centre) > FAR * spread, centre, values)
    return found


def judge_averages(
    key: Hashable,
    past: Mapping[date, tuple[float, float]],
    day: date,
    value: float,
    weight: float,
    state: str | None = None,
) -> Judged | None:
    """A day's average `value` of `weight` observations against (average, observations) of earlier days; None with fewer than
    ten comparable ones (working days with working days, weekends and holidays with their like, when there are enough)."""
    from scipy.stats import t

    known = {other: figure for other, figure in past.items() if other < day and figure[1] > 0}
    working = day_kind(day, state) < 5
    alike = [figure for other, figure in known.items() if (day_kind(other, state) < 5) == working]
    figures = np.array(alike if len(alike) >= MIN_DAYS else list(known.values()), dtype=float)
    if len(figures) < MIN_DAYS or weight <= 0:
        return None
    centre = _weighted_median(figures[:, 0], figures[:, 1])
    # Days with more observations vary less: deviations are put on the scale of the day that is judged.
    deviations = np.abs(figures[:, 0] - centre) * np.sqrt(figures[:, 1] / weight)
    floor = 1e-9 + 0.01 * abs(centre)
    plain = np.abs(figures[:, 0] - centre)
    spread = max(float(np.median(deviations)), float(np.median(plain)), floor) * MAD_TO_SIGMA
    degrees = max(3.0, 0.37 * (len(figures) - 1))  # the efficiency of the median absolute deviation
    score = (value - centre) / (spread * np.sqrt(1 + np.pi / 2 / len(figures)))
    return Judged((key, day), float(value), centre, float(2 * t.sf(abs(score), degrees)))


def alarms(judged: Sequence[Judged], alpha: float = 0.01, least_change: float = MIN_CHANGE) -> list[Judged]:
    """Those that stand out although there were so many looks (Holm), and by at least `least_change` of what was expected;
    the most certain first."""
    ordered = sorted(judged, key=lambda one: one.p_value)
    found = []
    for rank, one in enumerate(ordered):
        if one.p_value > alpha / (len(ordered) - rank):
            break
        if abs(one.value - one.expected) >= least_change * max(abs(one.expected), 1e-9):
            found.append(one)
    return found


def _weighted_median(values: Floats, weights: Any) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
