"""Quantiles: the distribution-free interval of one, and the difference of two by the bootstrap."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats as dist

from models_ml.experiments.compare import Difference, Interval

Values = Sequence[float] | NDArray[np.float64]


def quantile_interval(values: Values, q: float, alpha: float = 0.05) -> Interval:
    """Order statistics that cover the quantile `q` with at least 1 - alpha, whatever the distribution.

    Conover, "Practical Nonparametric Statistics" (3rd edition), section 3.2: the count of values below the quantile is
    binomial. An end for which there are too few values is infinite. Raises ValueError without values or outside 0 < q < 1.
    """
    ordered = _ordered(values, q)
    n = len(ordered)
    # The lower end x_(r): P(Bin(n, q) <= r - 1) <= alpha/2, r as large as possible; the upper x_(s): P(Bin <= s - 1) >= 1 - alpha/2.
    r = int(dist.binom.ppf(alpha / 2, n, q))
    r -= dist.binom.cdf(r - 1, n, q) > alpha / 2
    s = int(dist.binom.ppf(1 - alpha / 2, n, q)) + 1
    low = float(ordered[r - 1]) if r >= 1 else -np.inf
    high = float(ordered[s - 1]) if s <= n else np.inf
    return Interval(low, high)


def difference_of_quantiles(
    control: Values, treated: Values, q: float, alpha: float = 0.05, *, resamples: int = 2_000, seed: int = 0
) -> Difference:
    """Treated minus control of the quantile `q`: percentile bootstrap (Efron 1979), units drawn anew within each arm.

    Nothing is resampled: which order statistics of the arm a resample's quantile falls between is drawn from its exact
    distribution, so that a million units cost what a hundred do. Quantiles interpolate linearly. The same `seed` gives the same answer. The p value is twice the smaller share of
    resamples beyond 0, and at least 1 / `resamples`. Raises ValueError as `quantile_interval` does.
    """
    first, second = _ordered(control, q), _ordered(treated, q)
    rng = np.random.default_rng(seed)
    drawn = _resampled(rng, second, q, resamples) - _resampled(rng, first, q, resamples)
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
    tail = min(float((drawn <= 0).mean()), float((drawn >= 0).mean()))
    value = float(np.quantile(second, q) - np.quantile(first, q))
    return Difference(
        value, float(drawn.var(ddof=1)), Interval(float(low), float(high)), min(1.0, max(2 * tail, 1 / resamples))
    )


def _ordered(values: Values, q: float) -> NDArray[np.float64]:
    ordered = np.sort(np.asarray(values, dtype=float))
    if not len(ordered) or not 0 < q < 1:
        raise ValueError("a quantile needs values, and lies strictly between 0 and 1")
    return ordered


def _resampled(rng: np.random.Generator, ordered: NDArray[np.float64], q: float, resamples: int) -> NDArray[np.float64]:
    """The quantile of each resample. The k-th of n uniform ranks is Beta(k, n - k + 1); the next one is, given it, the smallest
    of the n - k that are left (David and Nagaraja, "Order Statistics", 3rd edition, sections 2.3 and 2.5)."""
    n = len(ordered)
    below, weight = divmod((n - 1) * q, 1)
    k = int(below) + 1
    rank = rng.beta(k, n - k + 1, resamples)
    low: NDArray[np.float64] = ordered[np.minimum((rank * n).astype(int), n - 1)]
    if k == n or not weight:
        return low
    rank = 1 - (1 - rank) * rng.random(resamples) ** (1 / (n - k))
    high: NDArray[np.float64] = ordered[np.minimum((rank * n).astype(int), n - 1)]
    return low + weight * (high - low)
