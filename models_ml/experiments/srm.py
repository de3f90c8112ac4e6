"""Sample ratio mismatch: whether the arms are as large as the plan makes them. If not, no figure of the experiment counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

from scipy import stats as dist

THRESHOLD = 0.001  # Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments" (KDD 2019)
CONCENTRATION = 100.0

Counts = Mapping[str, int]
Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Balance:
    """The check at one look: p of the chi-square test, p that is valid at every look, and whether decisions are blocked."""

    p: float
    sequential_p: float
    blocks: bool


def check(periods: Sequence[tuple[Counts, Shares]], earlier_p: float = 1.0) -> Balance:
    """Counts by variant against the planned shares; a period for each time the shares were changed.

    `earlier_p` is the smallest sequential p of the looks before, which is never forgotten. Either p below THRESHOLD blocks:
    the chi-square test is the keener one and holds its level at one look, the sequential one at all of them together.
    """
    p, seq_p = chi_square(periods), min(earlier_p, sequential_p(periods))
    return Balance(p, seq_p, min(p, seq_p) < THRESHOLD)


def chi_square(periods: Sequence[tuple[Counts, Shares]]) -> float:
    """Pearson's goodness-of-fit test of the counts against what the shares of all periods together made likely.

    With changing shares the test is conservative: the counts vary less than with constant ones. A unit in a variant that
    the plan gives no share is impossible: p is 0. Without units 1. Raises ValueError for shares that do not sum to 1.
    """
    expected: dict[str, float] = {}
    observed: dict[str, int] = {}
    for counts, shares in periods:
        _valid(shares)
        total = sum(counts.values())
        for variant in sorted({*counts, *shares}):  # in one order: sums of floats depend on it
            expected[variant] = expected.get(variant, 0.0) + total * shares.get(variant, 0.0)
            observed[variant] = observed.get(variant, 0) + counts.get(variant, 0)
    if any(observed[variant] and not expected[variant] for variant in expected):
        return 0.0
    likely = [variant for variant in expected if expected[variant]]
    if len(likely) < 2:
        return 1.0
    statistic = sum((observed[v] - expected[v]) ** 2 / expected[v] for v in likely)
    return float(dist.chi2.sf(statistic, len(likely) - 1))


def sequential_p(periods: Sequence[tuple[Counts, Shares]], concentration: float = CONCENTRATION) -> float:
    """The inverse of the Bayes factor of a Dirichlet mixture around the plan against the plan itself: a martingale under
    the plan, hence valid at every look (Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS
    2022). Periods with other shares begin a mixture of their own; the product of martingales is one.
    """
    log_factor = 0.0
    for counts, shares in periods:
        _valid(shares)
        n = sum(counts.values())
        if any(count and not shares.get(variant) for variant, count in counts.items()):
            return 0.0
        log_factor += lgamma(concentration) - lgamma(concentration + n)
        for variant, count in counts.items():
            if count:
                prior = concentration * shares[variant]
                log_factor += lgamma(prior + count) - lgamma(prior) - count * log(shares[variant])
    return 1.0 if log_factor <= 0 else exp(-log_factor)


def _valid(shares: Shares) -> None:
    if not shares or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"planned shares must be at least 0 and sum to 1: {dict(shares)}")
