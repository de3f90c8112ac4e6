"""Anytime-valid intervals and p values: right at every look together, however often and whenever one looks.

The Gaussian mixture. For an estimate with squared standard error V and mixing variance tau2 the interval is
    estimate +- sqrt( V (V + tau2) / tau2 * log( (V + tau2) / (V alpha^2) ) )
which is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit
theory and asymptotic confidence sequences", Annals of Statistics 52, 2024, theorem 2.2, with V = sigma^2 / t and
tau2 = rho^2 sigma^2), and the inversion of the mixture test of Johari, Koomen, Pekelis and Walsh ("Always valid inference",
Operations Research 70, 2022). It is asymptotic: `enough` says from when on it may be used.
"""

from math import exp, inf, log, sqrt

from models_ml.experiments.compare import Interval
from models_ml.experiments.stats import Mean, Pair, Proportion

MIN_UNITS = 100  # per arm
MIN_EVENTS = 40  # successes, and failures, of both arms together; of a ratio what it divides by, in each arm


def half_width(variance: float, tau2: float, alpha: float = 0.05) -> float:
    """Half of the interval's width for a squared standard error `variance`; infinite where that is 0.

    Raises ValueError unless `tau2` is above 0 and alpha between 0 and 1.
    """
    if tau2 <= 0 or not 0 < alpha < 1:
        raise ValueError("the mixing variance must be above 0, and alpha between 0 and 1")
    if variance <= 0:
        return inf
    total = variance + tau2
    return sqrt(variance * total / tau2 * (log(total / variance) - 2 * log(alpha)))


def interval(value: float, variance: float, tau2: float, alpha: float = 0.05) -> Interval:
    """The confidence sequence at this look."""
    half = half_width(variance, tau2, alpha)
    return Interval(value - half, value + half)


def p_value(value: float, variance: float, tau2: float) -> float:
    """The always-valid p of this look; the p of an experiment is the smallest of all its looks."""
    if tau2 <= 0:
        raise ValueError("the mixing variance must be above 0")
    if variance <= 0:
        return 1.0
    total = variance + tau2
    log_ratio = tau2 * value * value / (2 * variance * total) - log(total / variance) / 2
    return 1.0 if log_ratio <= 0 else exp(-log_ratio)


def tau2_for_effect(effect: float) -> float:
    """The mixing variance for an effect of about this size, in units of the metric: fixed before the first look.

    Johari et al. advise a mixing distribution that matches the effects one expects. Raises ValueError for 0.
    """
    if effect == 0:
        raise ValueError("an effect of 0 cannot be prepared for")
    return effect * effect


def tau2_for_horizon(variance_at_horizon: float, alpha: float = 0.05) -> float:
    """The mixing variance that makes the interval narrowest about when the estimate's squared standard error reaches
    `variance_at_horizon` (Waudby-Smith et al. 2024, section B.2: rho^2 t = -2 log alpha + log(1 - 2 log alpha))."""
    return variance_at_horizon * (-2 * log(alpha) + log(1 - 2 * log(alpha)))


def variance_of_difference(control: Proportion | Mean | Pair, treated: Proportion | Mean | Pair) -> float | None:
    """For proportions the squared standard error with two successes and two failures added to each arm (Agresti and Caffo
    2000, The American Statistician 54, add half of it): an arm without events is not known to have none. Else None."""
    if not isinstance(control, Proportion) or not isinstance(treated, Proportion):
        return None
    return sum(Proportion(one.n + 4, one.successes + 2).variance_of_mean for one in (control, treated))


def enough_of_ratio(control: Pair, treated: Pair) -> bool:
    """Whether the arms are large enough for the ratio of two sums: units, and in each arm units that have something to divide
    by. Its variance is made of these alone: with a handful of them it is nearly nothing, and any difference seems certain."""
    return min(control.n, treated.n) >= MIN_UNITS and min(control.units_with_x, treated.units_with_x) >= MIN_EVENTS


def enough(control: Proportion | Mean | Pair, treated: Proportion | Mean | Pair) -> bool:
    """Whether the arms are large enough for the asymptotic sequence: units, and for proportions also events of both kinds."""
    if min(control.n, treated.n) < MIN_UNITS:
        return False
    if isinstance(control, Proportion) and isinstance(treated, Proportion):
        both = control + treated
        return min(both.successes, both.n - both.successes) >= MIN_EVENTS
    return True
