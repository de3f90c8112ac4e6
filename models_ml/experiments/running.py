"""A test while it runs: pure Python, for the process that sends. Same formulas as `sequential`, `srm` and `thompson`, whose tests
compare them; nothing here needs numpy or scipy, which the real-time image does not carry.

Proportions only: who read, replied or converted, of all assigned. The message variants are compared with each other, and the best of
them with those who got no message, where these can do what is counted: they cannot read or reply, but they may buy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import erfc, exp, inf, lgamma, log, prod, sqrt

MIN_UNITS = 100  # per arm, as in sequential.py
MIN_EVENTS = 40
MISMATCH = 0.001
CONCENTRATION = 100.0


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant: assigned, successes, and opt-outs among them. Raises ValueError for counts that cannot be."""

    n: int
    successes: int
    opt_outs: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.successes <= self.n and 0 <= self.opt_outs <= self.n):
            raise ValueError(f"{self} cannot be")

    @property
    def rate(self) -> float:
        """Share of successes; 0 without units."""
        return self.successes / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`winner` beats every other message, and no message, at the error rate and harms no guardrail; `why` is promote, guardrail,
    mismatch, too_early or undecided. `p` by pair of names, better one first, adjusted for the number of pairs of messages
    (Bonferroni); that of the best message and a control is not."""

    winner: str | None
    why: str
    p: Mapping[str, float]
    mismatch_p: float
    harm_high: Mapping[str, float]


def judge(
    arms: Mapping[str, Arm],
    *,
    effect: float,
    alpha: float,
    margin: float,
    mismatch_p: float = 1.0,
    silent: Mapping[str, Arm] | None = None,
) -> Verdict:
    """The decision about message variants at this look; right however often one looks, with the chance `alpha` at most of a
    winner where there is none. `margin`: opt-outs beyond another arm's that are tolerated (a share). `silent`: who got no message, where
    their successes can be counted. A winner must beat them too: one more condition for the same decision, which makes wrong
    ones rarer, so it costs no share of `alpha` (an intersection-union test, Berger 1982)."""
    pairs = list(combinations(arms, 2))
    p = {}
    for one, other in pairs:
        better, worse = (one, other) if arms[one].rate >= arms[other].rate else (other, one)
        p[f"{better}>{worse}"] = min(1.0, _p(arms[better], arms[worse], effect) * len(pairs))
    best = max(arms, key=lambda name: arms[name].rate, default="")
    quiet = {name: arm for name, arm in (silent or {}).items() if best}
    for name, arm in quiet.items():
        if arms[best].rate >= arm.rate:
            p[f"{best}>{name}"] = _p(arms[best], arm, effect)
        else:
            p[f"{name}>{best}"] = _p(arm, arms[best], effect)
    if mismatch_p < MISMATCH:
        return Verdict(None, "mismatch", p, mismatch_p, {})
    if not pairs or any(not _enough(arms[one], arms[other]) for one, other in pairs):
        return Verdict(None, "too_early", p, mismatch_p, {})
    if any(p.get(f"{best}>{other}", 1.0) > alpha for other in [*arms, *quiet] if other != best):
        return Verdict(None, "undecided", p, mismatch_p, {})
    if any(not _enough(arms[best], arm) for arm in quiet.values()):
        return Verdict(None, "too_early", p, mismatch_p, {})
    harm = {other: _harm(arms[best], arms[other], margin, alpha) for other in arms if other != best}
    if any(high >= margin for high in harm.values()):
        return Verdict(None, "guardrail", p, mismatch_p, harm)
    return Verdict(best, "promote", p, mismatch_p, harm)


def _difference(one: float, n: int, other: float, m: int) -> tuple[float, float]:
    """Difference of shares and its squared standard error with two successes and failures added to each arm (Agresti and
    Caffo 2000), as sequential.variance_of_difference."""
    variance = 0.0
    for count, units in ((one, n), (other, m)):
        share = (count + 2) / (units + 4)
        variance += share * (1 - share) / (units + 4)
    return one / n - other / m, variance


def _p(better: Arm, worse: Arm, effect: float) -> float:
    """The always-valid p of a difference (Johari et al. 2022), as sequential.p_value with tau2 = effect squared."""
    if not better.n or not worse.n:
        return 1.0
    value, variance = _difference(better.successes, better.n, worse.successes, worse.n)
    tau2, total = effect * effect, variance + effect * effect
    ratio = tau2 * value * value / (2 * variance * total) - log(total / variance) / 2
    return 1.0 if ratio <= 0 else exp(-ratio)


def difference(one: Arm, other: Arm, effect: float, alpha: float) -> tuple[float, float, float]:
    """How much more of `one` succeed than of `other`, with the ends of the interval that is right at every look, as
    sequential.interval with tau2 = effect squared; without units in both from -1 to 1. Shares."""
    if not one.n or not other.n:
        return 0.0, -1.0, 1.0
    value, variance = _difference(one.successes, one.n, other.successes, other.n)
    half = _half_width(variance, effect * effect, alpha)
    return value, max(value - half, -1.0), min(value + half, 1.0)


def _harm(best: Arm, other: Arm, margin: float, alpha: float) -> float:
    """The upper end of the sequential interval of opt-outs beyond the other arm's."""
    value, variance = _difference(best.opt_outs, best.n, other.opt_outs, other.n)
    return value + _half_width(variance, margin * margin, alpha)


def _half_width(variance: float, tau2: float, alpha: float) -> float:
    total = variance + tau2
    return sqrt(variance * total / tau2 * (log(total / variance) - 2 * log(alpha)))


def _enough(one: Arm, other: Arm) -> bool:
    events = one.successes + other.successes
    return min(one.n, other.n) >= MIN_UNITS and min(events, one.n + other.n - events) >= MIN_EVENTS


def mismatch(periods: Sequence[tuple[Mapping[str, int], Mapping[str, float]]]) -> float:
    """The p of a sample ratio mismatch that is valid at every look (Lindon and Malek 2022), as srm.sequential_p."""
    factor = 0.0
    for counts, shares in periods:
        if any(count and not shares.get(name) for name, count in counts.items()):
            return 0.0
        factor += lgamma(CONCENTRATION) - lgamma(CONCENTRATION + sum(counts.values()))
        for name, count in counts.items():
            if count:
                prior = CONCENTRATION * shares[name]
                factor += lgamma(prior + count) - lgamma(prior) - count * log(shares[name])
    return 1.0 if factor <= 0 else exp(-factor)


def thompson(arms: Mapping[str, Arm], floor: float = 0.1, points: int = 2_000) -> dict[str, float]:
    """Shares of the next units by the chance to be best under uniform priors, each at least `floor`: thompson.allocate by
    numeric integration. Raises ValueError without arms, and for floors that together exceed 1."""
    if not arms or not 0 <= floor * len(arms) <= 1:
        raise ValueError("there must be arms, and their floors together must not exceed 1")
    low = max(0.0, min(_edge(arm, -9) for arm in arms.values()))
    high = min(1.0, max(_edge(arm, 9) for arm in arms.values()))
    width = (high - low) / points
    densities, below = [], []
    for arm in arms.values():
        logs = [_log_beta(arm, low + width * (k + 0.5)) for k in range(points)]
        top = max(logs)
        density = [exp(one - top) for one in logs]
        total = sum(density)
        densities.append([one / total for one in density])
        so_far, cumulative = 0.0, []
        for one in densities[-1]:
            cumulative.append(so_far + one / 2)
            so_far += one
        below.append(cumulative)
    chances = []
    for mine, density in enumerate(densities):
        others = [one for other, one in enumerate(below) if other != mine]
        chances.append(sum(weight * prod(one[k] for one in others) for k, weight in enumerate(density)))
    free, total = 1 - floor * len(arms), sum(chances)
    return {name: floor + free * chance / total for name, chance in zip(arms, chances, strict=True)}


def _edge(arm: Arm, deviations: float) -> float:
    a, b = arm.successes + 1, arm.n - arm.successes + 1
    mean = a / (a + b)
    return mean + deviations * sqrt(mean * (1 - mean) / (a + b + 1))


def _log_beta(arm: Arm, x: float) -> float:
    if not 0 < x < 1:
        return -inf
    return arm.successes * log(x) + (arm.n - arm.successes) * log(1 - x)


def units_needed(base: float, effect: float, alpha: float = 0.05, z_power: float = 0.8416) -> int:
    """Units per arm for a rise of `effect` over `base` by the usual test at a fixed horizon (power 0.8, two-sided 0.05 or
    stricter); the sequential test needs some more. As power.units_for_proportions with equal arms."""
    p0, p1 = base, min(base + effect, 1.0)
    pooled = (p0 + p1) / 2
    null = _z(alpha) * sqrt(2 * pooled * (1 - pooled))
    true = z_power * sqrt(p0 * (1 - p0) + p1 * (1 - p1))
    return max(2, int(((null + true) / (p1 - p0)) ** 2) + 1)


def _z(alpha: float) -> float:
    """The two-sided critical value of the normal distribution, by bisection on erfc."""
    low, high = 0.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if erfc(middle / sqrt(2)) > alpha else (low, middle)
    return high
