"""Volume per hour ahead of time: a calm level and trend times a learned week, with intervals from its own past errors.

The model is multiplicative, since busy days are busy at all hours: level and trend by day, a factor per kind of day, a factor
per holiday, and the shape of the day over its hours, smoothed towards the shape of all days where there is little to go by.
They are maximum-likelihood estimates of a Poisson log-linear model (McCullagh and Nelder, "Generalized Linear Models", 1989,
ch. 6; ridge penalty), which says what it knows from three weeks of data and needs no tuning.

Intervals are of a negative binomial distribution whose over-dispersion comes from errors of earlier forecasts, made before
what they forecast (rolling origin), so that a wrong trend is in it; its probabilities are then corrected by where those
outcomes fell (probability integral transform, Dawid 1984; recalibration after Kuleshov, Fenner and Ermon 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from models_ml.forecasting.calendar import is_holiday
from models_ml.forecasting.grid import KINDS, Grid, grid_of

Floats = np.ndarray[Any, np.dtype[np.float64]]
WEEK = 168
MIN_DAYS = 14
MEMORY_DAYS = 28  # a day this much older weighs half: habits change
RIDGE = 3.0
LEAN = 20.0
SUNDAY = 6


@dataclass(frozen=True)
class Forecast:
    """For each hour the expected count and quantiles of what will come, counts per hour."""

    moments: tuple[datetime, ...]
    mean: Floats
    low: Floats
    median: Floats
    high: Floats


def forecast(
    moments: Sequence[datetime],
    counts: Sequence[float],
    ahead: Sequence[datetime],
    *,
    state: str | None = None,
    level: float = 0.8,
) -> Forecast:
    """Counts per hour at the local hours `ahead`, from the past hours `moments` (in order, without gaps) and their counts.

    `low` and `high` hold `level` of what comes. Raises ValueError with fewer than 14 days of past, or for hours ahead that
    are not after it.
    """
    past, values = list(moments), np.asarray(counts, dtype=float)
    if len(past) != len(values) or len(past) < 24 * MIN_DAYS:
        raise ValueError(f"a forecast needs {MIN_DAYS} days of hours with their counts; there are {len(past)} hours")
    if ahead and ahead[0] <= past[-1]:
        raise ValueError(f"the hours ahead begin at {ahead[0]}, but {past[-1]} is known already")
    mean = expect(past, values, ahead, state)
    low, median, high = _spread(past, values, state, mean, len(ahead), level)
    return Forecast(tuple(ahead), mean, low, median, high)


def seasonal_naive(counts: Sequence[float], hours: int) -> Floats:
    """The same hours of the last whole week, repeated: what any forecast has to beat."""
    last = np.asarray(counts, dtype=float)[-WEEK:]
    return np.resize(last, hours)


def expect(past: Sequence[datetime], values: Floats, ahead: Sequence[datetime], state: str | None) -> Floats:
    """The expected count of each hour of `ahead`; the arguments are those of `forecast`."""
    known, wanted = grid_of(past, state), grid_of(ahead, state)
    totals = np.bincount(known.day, values, len(known.days))[known.whole]  # the broken days at the ends do not count
    days = [day for day, whole in zip(known.days, known.whole, strict=True) if whole]
    coefficients = _poisson(_design(tuple(days), days[-1], state), totals, _weights(days), damp=_damping(len(days)))
    level = np.exp(_design(wanted.days, days[-1], state) @ coefficients)
    found: Floats = level[wanted.day] * _shapes(known, values)[wanted.cell]
    return found


def evidence(past: Sequence[datetime], values: Floats, ahead: Sequence[datetime], state: str | None) -> Floats:
    """How many counts stand behind the expected count of each hour ahead: those of this hour on days of this kind, newer
    ones weighing more, and its share of the twenty by which the shape leans on that of all days."""
    wanted = grid_of(ahead, state)
    cells, everything = _cells(grid_of(past, state), values)
    found: Floats = cells.ravel()[wanted.cell] + LEAN * everything[wanted.hour]
    return found


def _cells(known: Grid, values: Floats) -> tuple[Floats, Floats]:
    """Weighted counts by kind of day and hour, and the shape of all days, with half a count in each hour: an hour that never
    had one can have one."""
    weights = _weights(known.days) * known.whole
    cells = np.bincount(known.cell, values * weights[known.day], KINDS * 24).astype(float).reshape(KINDS, 24)
    everything = cells.sum(axis=0) + 0.5
    return cells, everything / everything.sum()


def _shapes(known: Grid, values: Floats) -> Floats:
    """Share of the day by hour for each kind of day, each leaning on the shape of all days by LEAN counts; in one line."""
    cells, everything = _cells(known, values)
    shapes: Floats = (cells + LEAN * everything) / (cells.sum(axis=1, keepdims=True) + LEAN)
    return shapes.ravel()


def _weights(days: Sequence[date]) -> Floats:
    age = np.array([(days[-1] - day).days for day in days], dtype=float)
    return np.asarray(0.5 ** (age / MEMORY_DAYS), dtype=float)


@lru_cache(maxsize=512)
def _design(days: tuple[date, ...], origin: date, state: str | None) -> Floats:
    """Per day: one, weeks since the origin (flat beyond two weeks ahead), weekdays against Wednesday (a holiday is a Sunday), what a
    holiday has beyond a Sunday, the day after one."""
    rows = []
    for day in days:
        weeks = min((day - origin).days / 7, 2.0)
        free = is_holiday(day, state)
        like = SUNDAY if free else day.weekday()
        weekday = [float(like == number) for number in (0, 1, 3, 4, 5, 6)]
        after = is_holiday(day - timedelta(days=1), state) and not free and day.weekday() < 5
        rows.append([1.0, weeks, *weekday, float(free), float(after)])
    return np.array(rows)


def _damping(days: int) -> Floats:
    """How much each coefficient is held near zero: the trend most while the series is short, holidays always a little."""
    return np.array([0.0, 2000.0 * max(0.2, 28 / max(days, 1)), *[RIDGE] * 6, RIDGE, 5 * RIDGE])


def _poisson(design: Floats, totals: Floats, weights: Floats, damp: Floats) -> Floats:
    """Penalised maximum likelihood by Newton's method; over-dispersion makes the data worth less against the penalty."""
    scale = max(1.0, float(np.average(totals, weights=weights)))
    values = totals / scale
    coefficients = np.zeros(design.shape[1])
    worth = weights * 50.0  # a day weighs as fifty counts, however many it has: days differ by more than chance
    for _ in range(50):
        fitted = np.exp(np.clip(design @ coefficients, -20, 20))
        gradient = design.T @ (worth * (values - fitted)) - damp * coefficients
        curvature = (design * (worth * fitted)[:, None]).T @ design + np.diag(damp + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        coefficients = coefficients + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    coefficients[0] += np.log(scale)
    return coefficients


def earlier_errors(past: Sequence[datetime], values: Floats, state: str | None, reach: int) -> tuple[Floats, Floats]:
    """Expected and actual counts of the newest weeks, each forecast from what was known at most `reach` hours before it;
    empty when the past is too short."""
    expected, actual = list[Floats](), list[Floats]()
    step = max(24, reach // 2)
    for origin in range(len(past) - reach, 24 * MIN_DAYS - 1, -step):
        if len(expected) * reach >= 8 * WEEK:
            break
        expected.append(expect(past[:origin], values[:origin], past[origin : origin + reach], state))
        actual.append(values[origin : origin + reach])
    return np.concatenate(expected or [np.empty(0)]), np.concatenate(actual or [np.empty(0)])


def over_dispersion(expected: Floats, actual: Floats) -> float:
    """How much counts vary beyond chance: phi of the variance m + phi m^2, by the method of moments; 0.05
    when there are no earlier errors."""
    if not len(expected):
        return 0.05
    excess = (actual - expected) ** 2 - expected
    return max(1e-6, float(excess.sum() / np.square(expected).sum()))


def _spread(
    past: Sequence[datetime], values: Floats, state: str | None, mean: Floats, horizon: int, level: float
) -> tuple[Floats, Floats, Floats]:
    """The quantiles around `mean` that hold `level` of what comes, and the median."""
    expected, actual = earlier_errors(past, values, state, min(max(horizon, 24), WEEK))
    phi = over_dispersion(expected, actual)
    cuts = np.array([(1 - level) / 2, 0.5, (1 + level) / 2])
    heavy = expected >= 1  # where counts are nearly always 0, ranks say nothing
    if heavy.sum() >= 100:
        counts = count_distribution(expected[heavy], phi)
        ranks = (counts.cdf(actual[heavy]) + counts.cdf(actual[heavy] - 1)) / 2
        cuts = np.clip(np.quantile(ranks, cuts), 1e-4, 1 - 1e-4)
    ahead = count_distribution(mean, phi)
    low, median, high = (np.asarray(ahead.ppf(cut), dtype=float) for cut in cuts)
    return low, median, high


def count_distribution(mean: Floats, phi: float | Floats) -> Any:
    """Negative binomial counts with this mean and the variance mean + phi mean^2, as scipy has them."""
    from scipy.stats import nbinom

    size = 1 / phi
    return nbinom(size, size / (size + np.maximum(mean, 1e-9)))
