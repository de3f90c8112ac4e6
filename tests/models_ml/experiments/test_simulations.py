"""What the methods promise over many experiments: error rates under peeking, coverage. More runs in `make soak`."""

import os
from math import sqrt

import numpy as np
import pytest

from models_ml.experiments import bayes, compare, quantiles, sequential, srm
from models_ml.experiments.stats import Mean, Pair, Proportion
from tests.support.chance import drawn_seed

RUNS = int(os.environ.get("HUB_TEST_EXPERIMENT_RUNS", "200"))
ALPHA, UNITS, STEP = 0.05, 12_000, 60


def at_most(found: int, level: float, runs: int = RUNS) -> bool:
    """Whether so many of `runs` are no contradiction to a rate of at most `level`: four standard errors are left."""
    return found / runs <= level + 4 * sqrt(level * (1 - level) / runs)


def looks(y: np.ndarray):
    """Cumulative count, sum and sum of squares at every STEP units."""
    ends = np.arange(STEP, len(y) + 1, STEP)
    return zip(ends.tolist(), y.cumsum()[ends - 1].tolist(), (y * y).cumsum()[ends - 1].tolist(), strict=True)


def peeked(y0: np.ndarray, y1: np.ndarray, kind: str, tau2: float) -> tuple[bool, bool]:
    """Whether the sequential test, and the naive one, ever called this experiment at any of its looks."""
    called = naive = False
    for (n, total0, squares0), (_, total1, squares1) in zip(looks(y0), looks(y1), strict=True):
        if kind in ("proportion", "rare"):
            arms = Proportion(n, int(total0)), Proportion(n, int(total1))
        else:
            arms = Mean(n, total0, squares0), Mean(n, total1, squares1)
        if not sequential.enough(*arms):
            continue
        value, variance = arms[1].mean - arms[0].mean, arms[0].variance_of_mean + arms[1].variance_of_mean
        used = sequential.variance_of_difference(*arms) or variance
        called = called or sequential.p_value(value, used, tau2) <= ALPHA
        naive = naive or abs(value) > 1.959964 * sqrt(variance)
    return called, naive


@pytest.mark.parametrize("kind", ["proportion", "rare", "mean"])
def test_peeking_all_the_time_keeps_the_level_of_the_sequential_test_alone(kind: str) -> None:
    seed = drawn_seed()
    rng = np.random.default_rng(seed)
    called = naive = 0
    for _ in range(RUNS):
        if kind == "proportion":
            y0, y1, tau2 = *(rng.random((2, UNITS)) < 0.08).astype(float), 0.01**2
        elif kind == "rare":
            y0, y1, tau2 = *(rng.random((2, UNITS)) < 0.006).astype(float), 0.01**2
        else:
            y0, y1, tau2 = *rng.exponential(10, (2, UNITS)), 0.5**2
        one, other = peeked(y0, y1, kind, tau2)
        called, naive = called + one, naive + other
    print(
        f"{kind}: {called}/{RUNS} false calls of the sequential test, {naive}/{RUNS} of the fixed one, {UNITS // STEP} looks"
    )
    assert at_most(called, ALPHA), f"seed {seed}: {called} of {RUNS}"
    assert naive / RUNS > 2 * ALPHA, f"seed {seed}: this simulation would not notice a wrong test"


def test_a_ratio_of_few_goals_keeps_the_level_while_customers_come() -> None:
    """Value per goal where 0.6 % have one: nearly all customers say nothing of it, however many they are."""
    seed = drawn_seed()
    rng = np.random.default_rng(seed)
    ends, called, naive = np.arange(STEP, UNITS + 1, STEP), 0, 0
    for _ in range(RUNS):
        goals = (rng.random((2, UNITS)) < 0.006).astype(float)
        value = goals * rng.lognormal(4, 1, (2, UNITS))
        sums = [m.cumsum(axis=1)[:, ends - 1] for m in (value, value * value, goals, goals, value * goals)]
        found = [False, False]
        for number, n in enumerate(ends.tolist()):
            control, treated = (Pair(n, *(float(one[arm, number]) for one in sums)) for arm in (0, 1))
            gap, variance = treated.ratio - control.ratio, control.variance_of_ratio + treated.variance_of_ratio
            called_now = sequential.p_value(gap, variance, 10.0**2) <= ALPHA
            found = [found[0] or (called_now and sequential.enough_of_ratio(control, treated)), found[1] or called_now]
        called, naive = called + found[0], naive + found[1]
    print(f"ratio: {called}/{RUNS} false calls of the sequential test, {naive}/{RUNS} of it from the first goals on")
    assert at_most(called, ALPHA), f"seed {seed}: {called} of {RUNS}"
    assert naive / RUNS > 2 * ALPHA, f"seed {seed}: this simulation would not notice a wrong floor"


def test_the_sequential_test_finds_what_is_there() -> None:
    rng = np.random.default_rng(7)
    found = sum(
        peeked(
            (rng.random(UNITS) < 0.08).astype(float), (rng.random(UNITS) < 0.10).astype(float), "proportion", 0.02**2
        )[0]
        for _ in range(RUNS)
    )
    assert found / RUNS > 0.9


def test_false_alarms_of_srm_keep_their_level() -> None:
    seed = drawn_seed()
    rng = np.random.default_rng(seed)
    shares = {"controle": 0.2, "a": 0.4, "b": 0.4}
    once = often = 0
    for _ in range(RUNS):
        daily = rng.multinomial(rng.integers(20, 400), list(shares.values()), 40)
        p = 1.0
        for counts in daily.cumsum(axis=0):
            p = min(p, srm.sequential_p([(dict(zip(shares, counts.tolist(), strict=True)), shares)]))
        once += srm.chi_square([(dict(zip(shares, daily.sum(axis=0).tolist(), strict=True)), shares)]) < 0.05
        often += p < 0.05
    print(f"SRM at 0.05: chi-square once {once}/{RUNS}, sequential at 40 looks {often}/{RUNS}")
    assert at_most(once, 0.05) and once / RUNS > 0.05 - 4 * sqrt(0.0475 / RUNS), f"seed {seed}"
    assert at_most(often, 0.05), f"seed {seed}"


def test_a_lost_twentieth_of_an_arm_is_found() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(RUNS):
        a = int(rng.binomial(50_000, 0.5))
        counts = {"a": int(rng.binomial(a, 0.95)), "b": 50_000 - a}
        found += srm.check([(counts, {"a": 0.5, "b": 0.5})]).blocks
    assert found / RUNS > 0.95


def test_shares_that_changed_midway_are_no_mismatch() -> None:
    rng = np.random.default_rng(11)
    first, then = {"a": 0.5, "b": 0.5}, {"a": 0.2, "b": 0.8}
    blocked = 0
    for _ in range(RUNS):
        periods = [
            ({"a": int(k := rng.binomial(3_000, share["a"])), "b": 3_000 - int(k)}, share) for share in (first, then)
        ]
        blocked += srm.check(periods).blocks
        whole = {v: sum(counts[v] for counts, _ in periods) for v in ("a", "b")}
        assert srm.check([(whole, first)]).blocks
    assert at_most(blocked, 0.002)


@pytest.mark.parametrize("what", ["proportion", "difference", "mean", "ratio", "quantile", "sequential", "bayes"])
def test_intervals_cover_what_they_should(what: str) -> None:
    seed = drawn_seed()
    rng = np.random.default_rng(seed)
    runs, covered = 5 * RUNS, 0
    for _ in range(runs):
        match what:
            case "proportion":
                covered += 0.07 in compare.proportion_interval(Proportion(800, int(rng.binomial(800, 0.07))))
            case "difference":
                arms = Proportion(900, int(rng.binomial(900, 0.05))), Proportion(700, int(rng.binomial(700, 0.09)))
                covered += 0.04 in compare.difference_of_proportions(*arms).interval
            case "mean":
                y = rng.exponential(5, 400)
                covered += 5 in compare.mean_interval(Mean(400, y.sum(), (y * y).sum()))
            case "ratio":
                x = rng.poisson(4, 600) + 0.0
                y = rng.poisson(2 * x) + 0.0
                covered += 2 in compare.ratio_interval(
                    Pair(600, y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())
                )
            case "quantile":
                covered += 5 * np.log(10) in quantiles.quantile_interval(rng.exponential(5, 300), 0.9)
            case "sequential":
                y = rng.normal(2, 3, 1_000)
                covered += 2 in sequential.interval(float(y.mean()), float(y.var(ddof=1)) / 1_000, 0.5)
            case "bayes":  # a parameter drawn from the prior itself: then the interval's coverage is exact
                rate = rng.beta(3, 30)
                posterior = bayes.of_proportion(Proportion(500, int(rng.binomial(500, rate))), bayes.BetaPrior(3, 30))
                covered += rate in posterior.interval()
    error = 4 * sqrt(0.0475 / runs)
    print(f"{what}: {covered / runs:.4f} of {runs} intervals cover")
    # skewed means and discrete counts cost a little; the sequential interval promises more than one look needs
    assert covered / runs >= 0.95 - error - (0.015 if what in ("mean", "proportion", "difference") else 0.0), (
        f"seed {seed}"
    )
    if what not in ("sequential", "quantile"):
        assert covered / runs <= 0.95 + error + 0.015, f"seed {seed}"
