"""How many units an experiment needs, what it can see, and with which chance: for a fixed horizon, two-sided."""

from math import ceil, sqrt

from scipy import optimize
from scipy import stats as dist

from models_ml.experiments.compare import z_of


def power_of_means(effect: float, deviation: float, n: float, ratio: float = 1.0, alpha: float = 0.05) -> float:
    """The chance to find a difference `effect` of means, units deviating by `deviation`, with `n` units of control and
    `ratio` times as many treated: normal approximation, both tails."""
    shift, z = abs(effect) / (deviation * sqrt((1 + 1 / ratio) / n)), z_of(alpha)
    return float(dist.norm.sf(z - shift) + dist.norm.cdf(-z - shift))


def units_for_means(
    effect: float, deviation: float, ratio: float = 1.0, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Units of control that find a difference `effect` with the chance `power`. Raises ValueError for no effect."""
    if effect == 0:
        raise ValueError("no number of units finds a difference of 0")
    wanted = (z_of(alpha) + float(dist.norm.ppf(power))) ** 2 * deviation**2 * (1 + 1 / ratio) / effect**2
    return max(2, ceil(wanted))


def power_of_proportions(p0: float, p1: float, n: float, ratio: float = 1.0, alpha: float = 0.05) -> float:
    """The chance that the pooled z test tells p1 from p0 (Fleiss, Levin, Paik, "Statistical Methods for Rates and
    Proportions", 3rd edition, section 4.2, without continuity correction)."""
    pooled = (p0 + ratio * p1) / (1 + ratio)
    under_null = sqrt(pooled * (1 - pooled) * (1 + 1 / ratio) / n)
    truly = sqrt(p0 * (1 - p0) / n + p1 * (1 - p1) / (ratio * n))
    gap, z = abs(p1 - p0), z_of(alpha)
    if not truly:
        return 1.0 if gap else alpha
    return float(dist.norm.sf((z * under_null - gap) / truly) + dist.norm.cdf((-z * under_null - gap) / truly))


def units_for_proportions(p0: float, p1: float, ratio: float = 1.0, alpha: float = 0.05, power: float = 0.8) -> int:
    """Units of control that tell p1 from p0 with the chance `power`. Raises ValueError for equal proportions."""
    if p0 == p1:
        raise ValueError("no number of units tells equal proportions apart")
    pooled = (p0 + ratio * p1) / (1 + ratio)
    null = z_of(alpha) * sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    true = float(dist.norm.ppf(power)) * sqrt(p0 * (1 - p0) + p1 * (1 - p1) / ratio)
    return max(2, ceil(((null + true) / (p1 - p0)) ** 2))


def detectable_proportion(
    p0: float, n: float, ratio: float = 1.0, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """The smallest rise above p0 that is found with the chance `power`; None when not even a rise to 1 is."""
    if n < 2 or not 0 <= p0 < 1 or power_of_proportions(p0, 1.0, n, ratio, alpha) < power:
        return None
    found = optimize.brentq(
        lambda gap: power_of_proportions(p0, p0 + gap, n, ratio, alpha) - power, 1e-12, 1 - p0, xtol=1e-12
    )
    return float(found)


def detectable_mean(deviation: float, n: float, ratio: float = 1.0, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest difference of means that is found with the chance `power`, in units of the metric."""
    return (z_of(alpha) + float(dist.norm.ppf(power))) * deviation * sqrt((1 + 1 / ratio) / n)
