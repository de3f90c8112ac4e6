"""CUPED: what a covariate from before the assignment explains is taken out of the metric.

Deng, Xu, Kohavi, Walker: "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data"
(WSDM 2013). The slope is pooled within arms, so that the difference is the treatment's coefficient in the regression of
y on treatment and x.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models_ml.experiments.compare import Difference, welch
from models_ml.experiments.stats import Mean, Pair


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The adjusted difference, the slope, and the share of variance that the adjustment took away (0 to 1)."""

    difference: Difference
    slope: float
    variance_reduction: float


def slope(arms: Sequence[Pair]) -> float:
    """Slope of y on x within arms, all arms pooled; 0 when x does not vary."""
    spread = sum(arm.of_x.variance * (arm.n - 1) for arm in arms if arm.n > 1)
    return sum(arm.covariance * (arm.n - 1) for arm in arms if arm.n > 1) / spread if spread > 0 else 0.0


def adjusted_mean(arm: Pair, theta: float, mean_x: float) -> Mean:
    """The moments of y - theta (x - mean_x): as if each unit's measure had been adjusted."""
    shift = theta * mean_x
    total = arm.y - theta * arm.x + arm.n * shift
    squares = (
        arm.yy + theta * theta * arm.xx - 2 * theta * arm.xy + 2 * shift * (arm.y - theta * arm.x) + arm.n * shift * shift
    )  # fmt: skip
    return Mean(arm.n, total, squares)


def adjust(control: Pair, treated: Pair, alpha: float = 0.05) -> Adjusted:
    """Treated minus control after the adjustment, with Welch's interval and test."""
    theta, both = slope([control, treated]), control + treated
    arms = [adjusted_mean(arm, theta, both.of_x.mean) for arm in (control, treated)]
    plain = control.of_y.variance_of_mean + treated.of_y.variance_of_mean
    value = arms[1].mean - arms[0].mean
    difference = welch(
        value, (arms[0].variance_of_mean, control.n), (arms[1].variance_of_mean, treated.n), alpha
    )  # fmt: skip
    reduction = 1 - difference.variance / plain if plain else 0.0
    return Adjusted(difference, theta, max(0.0, reduction))
