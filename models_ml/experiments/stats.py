"""Sufficient statistics: what a warehouse can sum, and all that the methods need. Frozen, and they add up."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-9  # of the terms that cancel out: what a difference of sums may be by its digits alone


class _Addable:
    __slots__ = ()

    def __add__(self, other: Self) -> Self:
        return type(self)(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}  # type: ignore[arg-type]
        )


@dataclass(frozen=True, slots=True)
class Proportion(_Addable):
    """`successes` of `n` units. Raises ValueError for counts that cannot be."""

    n: int
    successes: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.n:
            raise ValueError(f"{self.successes} successes of {self.n} units cannot be")

    @property
    def mean(self) -> float:
        """Share of successes; 0 without units."""
        return self.successes / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Variance of one unit's 0 or 1."""
        return self.mean * (1 - self.mean)

    @property
    def variance_of_mean(self) -> float:
        """Squared standard error of `mean`."""
        return self.variance / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Mean(_Addable):
    """A measure per unit: count, sum, and sum of squares."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Average per unit; 0 without units."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Variance between units, divisor n - 1; 0 below two units."""
        return _variance(self.n, self.total, self.squares)

    @property
    def variance_of_mean(self) -> float:
        """Squared standard error of `mean`."""
        return self.variance / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Pair(_Addable):
    """Two measures per unit, y and x, with their moments: for a ratio of sums (y over x), or y with covariate x."""

    n: int
    y: float
    yy: float
    x: float
    xx: float
    xy: float

    @property
    def of_y(self) -> Mean:
        """y alone."""
        return Mean(self.n, self.y, self.yy)

    @property
    def of_x(self) -> Mean:
        """x alone."""
        return Mean(self.n, self.x, self.xx)

    @property
    def covariance(self) -> float:
        """Covariance of y and x between units, divisor n - 1; 0 below two units."""
        return (self.xy - self.x * self.y / self.n) / (self.n - 1) if self.n > 1 else 0.0

    @property
    def ratio(self) -> float:
        """Sum of y over sum of x; 0 where x sums to 0."""
        return self.y / self.x if self.x else 0.0

    @property
    def variance_of_ratio(self) -> float:
        """Squared standard error of `ratio` by the delta method, units being what varies independently.

        Deng, Knoblich, Lu: "Applying the Delta Method in Metric Analytics" (KDD 2018), equation for a ratio of means.
        """
        if self.n < 2 or not self.x:
            return 0.0
        r, mean_x = self.ratio, self.x / self.n
        parts = self.of_y.variance, r * r * self.of_x.variance
        spread = sum(parts) - 2 * r * self.covariance
        # One unit with x, or all of the same ratio: what rounding leaves is no spread.
        return spread / (self.n * mean_x * mean_x) if spread > ROUNDING * sum(parts) else 0.0

    @property
    def units_with_x(self) -> float:
        """Units that share x, by their effective number (Kish, "Survey Sampling", 1965): (sum of x)^2 / sum of x^2; 0 without x."""
        return self.x * self.x / self.xx if self.xx else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The values of `n` units, for quantiles: those above 0; all others are 0. Raises ValueError for more than `n` of them."""

    n: int
    above: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.above) > self.n:
            raise ValueError(f"{len(self.above)} values of {self.n} units cannot be")

    @property
    def values(self) -> NDArray[np.float64]:
        """One value a unit."""
        return np.concatenate([np.zeros(self.n - len(self.above)), self.above])


def _variance(n: int, total: float, squares: float) -> float:
    return max(squares - total * total / n, 0.0) / (n - 1) if n > 1 else 0.0
