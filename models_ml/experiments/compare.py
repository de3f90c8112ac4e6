"""Frequentist intervals and tests for a fixed horizon: one look, at a moment chosen before the data."""

from dataclasses import dataclass
from math import exp, inf, isfinite, log, sqrt

from scipy import stats as dist

from models_ml.experiments.stats import Mean, Pair, Proportion


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, ends included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Difference:
    """Treatment minus control: the estimate, its squared standard error, interval at 1 - alpha, and two-sided p."""

    value: float
    variance: float
    interval: Interval
    p: float


UNKNOWN = Interval(-inf, inf)


def z_of(alpha: float) -> float:
    """The two-sided critical value of the normal distribution."""
    return float(dist.norm.isf(alpha / 2))


def proportion_interval(one: Proportion, alpha: float = 0.05) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22); 0 to 1 without units."""
    if not one.n:
        return Interval(0.0, 1.0)
    z, n, p = z_of(alpha), one.n, one.mean
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def mean_interval(one: Mean, alpha: float = 0.05) -> Interval:
    """Student's interval of a mean; unbounded below two units, and where they are all alike."""
    if not one.variance:
        return UNKNOWN
    half = float(dist.t.isf(alpha / 2, one.n - 1)) * sqrt(one.variance_of_mean)
    return Interval(one.mean - half, one.mean + half)


def ratio_interval(one: Pair, alpha: float = 0.05) -> Interval:
    """Delta-method interval of a ratio of sums, Student's by the units that have something to divide by; unbounded below two
    of them, and where nothing varies: units that all agree do not say how far others would be."""
    if one.units_with_x < 2 or not one.variance_of_ratio:
        return UNKNOWN
    half = float(dist.t.isf(alpha / 2, one.units_with_x - 1)) * sqrt(one.variance_of_ratio)
    return Interval(one.ratio - half, one.ratio + half)


def difference_of_proportions(control: Proportion, treated: Proportion, alpha: float = 0.05) -> Difference:
    """Newcombe's hybrid score interval (1998, Statistics in Medicine 17, method 10) and the pooled z test."""
    if not control.n or not treated.n:
        return Difference(0.0, 0.0, UNKNOWN, 1.0)
    value = treated.mean - control.mean
    own, other = proportion_interval(treated, alpha), proportion_interval(control, alpha)
    interval = Interval(
        value - sqrt((treated.mean - own.low) ** 2 + (other.high - control.mean) ** 2),
        value + sqrt((own.high - treated.mean) ** 2 + (control.mean - other.low) ** 2),
    )
    pooled = (control + treated).variance * (1 / control.n + 1 / treated.n)
    return Difference(value, control.variance_of_mean + treated.variance_of_mean, interval, _p_of_z(value, pooled))


def difference_of_means(control: Mean, treated: Mean, alpha: float = 0.05) -> Difference:
    """Welch's interval and test: the variances of the arms need not be equal (Welch 1947, Biometrika 34)."""
    return welch(
        treated.mean - control.mean, (control.variance_of_mean, control.n), (treated.variance_of_mean, treated.n), alpha
    )


def welch(value: float, control: tuple[float, float], treated: tuple[float, float], alpha: float) -> Difference:
    """Interval and test of a difference from each arm's squared standard error and size, with Welch's degrees of freedom;
    unbounded below two units, and where no unit differs from another, which shows nothing of others."""
    variance = control[0] + treated[0]
    if min(control[1], treated[1]) < 2:
        return Difference(value, variance, UNKNOWN, 1.0)
    if not variance:
        return Difference(value, 0.0, UNKNOWN, 1.0)
    freedom = variance**2 / sum(v * v / (n - 1) for v, n in (control, treated))
    half = float(dist.t.isf(alpha / 2, freedom)) * sqrt(variance)
    p = 2 * float(dist.t.sf(abs(value) / sqrt(variance), freedom))
    return Difference(value, variance, Interval(value - half, value + half), p)


def difference_of_ratios(control: Pair, treated: Pair, alpha: float = 0.05) -> Difference:
    """Two ratios of sums, with delta-method variances and Welch's degrees of freedom by the units that have something to divide
    by: of a million customers of whom three bought, three tell what a purchase is worth."""
    arms = [(arm.variance_of_ratio, arm.units_with_x) for arm in (control, treated)]
    return welch(treated.ratio - control.ratio, arms[0], arms[1], alpha)


def relative_lift(
    control: tuple[float, float], treated: tuple[float, float], alpha: float = 0.05
) -> tuple[float, Interval] | None:
    """Treated over control minus 1, with an interval on the scale of the logarithm (Katz et al. 1978 for proportions).

    Each arm is (mean, squared standard error of the mean). None where a mean is not positive: there is no lift then. The
    interval is unbounded while nothing varies.
    """
    if control[0] <= 0 or treated[0] <= 0:
        return None
    centre = log(treated[0] / control[0])
    if not control[1] + treated[1]:
        return exp(centre) - 1, UNKNOWN
    half = z_of(alpha) * sqrt(control[1] / control[0] ** 2 + treated[1] / treated[0] ** 2)
    return exp(centre) - 1, Interval(exp(centre - half) - 1, exp(centre + half) - 1)


def _p_of_z(value: float, variance: float) -> float:
    if not variance or not isfinite(variance):
        return 1.0 if value == 0 or not isfinite(variance) else 0.0
    return 2 * float(dist.norm.sf(abs(value) / sqrt(variance)))
