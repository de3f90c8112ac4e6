"""The test as the sender judges it, against the modules it repeats without numpy; and how often it is wrong."""

import os
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.experiments import running, sequential, srm, thompson
from models_ml.experiments.assignment import variant_of
from models_ml.experiments.power import units_for_proportions
from models_ml.experiments.running import Arm, judge
from models_ml.experiments.stats import Proportion

RUNS = int(os.environ.get("HUB_TEST_EXPERIMENT_RUNS", "200"))
AA_CAMPAIGNS = int(os.environ.get("HUB_TEST_AA_CAMPAIGNS", "500"))
arms = st.integers(100, 5_000).flatmap(lambda n: st.integers(0, n).map(lambda k: Arm(n, k)))


@given(arms, arms, st.floats(0.005, 0.2))
def test_the_p_is_the_sequential_modules(one: Arm, other: Arm, effect: float) -> None:
    better, worse = (one, other) if one.rate >= other.rate else (other, one)
    control, treated = Proportion(worse.n, worse.successes), Proportion(better.n, better.successes)
    variance = sequential.variance_of_difference(control, treated)
    assert variance is not None
    expected = sequential.p_value(treated.mean - control.mean, variance, sequential.tau2_for_effect(effect))
    verdict = judge({"a": better, "b": worse}, effect=effect, alpha=0.05, margin=0.01)
    assert verdict.p["a>b"] == pytest.approx(expected, rel=1e-9)
    assert running._enough(one, other) == sequential.enough(control, treated)


@given(arms, arms, st.floats(0.005, 0.2), st.floats(0.001, 0.2))
def test_the_interval_is_the_sequential_modules(one: Arm, other: Arm, effect: float, alpha: float) -> None:
    control, treated = Proportion(other.n, other.successes), Proportion(one.n, one.successes)
    variance = sequential.variance_of_difference(control, treated)
    assert variance is not None
    expected = sequential.interval(treated.mean - control.mean, variance, sequential.tau2_for_effect(effect), alpha)
    value, low, high = running.difference(one, other, effect, alpha)
    assert value == pytest.approx(treated.mean - control.mean)
    assert low == pytest.approx(max(expected.low, -1)) and high == pytest.approx(min(expected.high, 1))
    assert running.difference(Arm(0, 0), other, effect, alpha) == (0.0, -1.0, 1.0)


@given(st.lists(st.integers(0, 3_000), min_size=3, max_size=3))
def test_the_mismatch_is_the_srm_modules(counts: list[int]) -> None:
    periods = [(dict(zip("abc", counts, strict=True)), {"a": 0.5, "b": 0.3, "c": 0.2})]
    assert running.mismatch(periods) == pytest.approx(srm.sequential_p(periods), rel=1e-9)


@pytest.mark.parametrize("successes", [(30, 50, 40), (5, 5, 5), (0, 90, 1), (250, 260, 255)])
def test_the_shares_are_the_thompson_modules(successes: tuple[int, int, int]) -> None:
    given_ = {name: Arm(300, k) for name, k in zip("abc", successes, strict=True)}
    expected = thompson.allocate({name: Proportion(arm.n, arm.successes) for name, arm in given_.items()})
    assert running.thompson(given_) == pytest.approx(expected, abs=2e-3)


def test_the_units_are_the_power_modules() -> None:
    for base, effect in ((0.05, 0.03), (0.3, 0.02), (0.6, 0.1)):
        assert abs(running.units_needed(base, effect) - units_for_proportions(base, base + effect)) <= 1


def test_a_winner_that_makes_people_leave_is_not_promoted() -> None:
    good, bad = Arm(4_000, 800, 4), Arm(4_000, 400, 4)
    assert judge({"a": good, "b": bad}, effect=0.03, alpha=0.05, margin=0.02).winner == "a"
    harmful = judge({"a": Arm(4_000, 800, 160), "b": bad}, effect=0.03, alpha=0.05, margin=0.02)
    assert (harmful.winner, harmful.why) == (None, "guardrail")
    assert judge({"a": good, "b": bad}, effect=0.03, alpha=0.05, margin=0.02, mismatch_p=1e-6).why == "mismatch"


def test_a_winner_has_to_beat_no_message_too() -> None:
    good, bad = Arm(4_000, 800), Arm(4_000, 400)
    asked = {"effect": 0.03, "alpha": 0.05, "margin": 0.02}
    told = judge({"a": good, "b": bad}, **asked, silent={"controle": Arm(4_000, 780)})
    assert (told.winner, told.why) == (None, "undecided") and told.p["a>controle"] > 0.05
    assert judge({"a": good, "b": bad}, **asked, silent={"controle": Arm(4_000, 1_000)}).p["controle>a"] < 0.05
    assert judge({"a": good, "b": bad}, **asked, silent={"controle": Arm(60, 1)}).why == "too_early"
    told = judge({"a": good, "b": bad}, **asked, silent={"controle": Arm(4_000, 400)})
    assert told.winner == "a" and told.p["a>b"] == pytest.approx(told.p["a>controle"]), "two messages are one pair"


@given(st.lists(arms, min_size=2, max_size=4), arms, st.floats(0.005, 0.2), st.floats(0.001, 0.2))
def test_a_control_makes_no_winner_that_was_none(
    messages: list[Arm], control: Arm, effect: float, alpha: float
) -> None:
    named = dict(zip("abcd", messages, strict=False))
    alone = judge(named, effect=effect, alpha=alpha, margin=0.5)
    beside = judge(named, effect=effect, alpha=alpha, margin=0.5, silent={"controle": control})
    assert beside.winner in (None, alone.winner) and alone.p.items() <= beside.p.items()
    if beside.winner:
        _, low, _ = running.difference(named[beside.winner], control, effect, alpha)
        assert low >= -1e-9 and beside.p[f"{beside.winner}>controle"] <= alpha


def test_without_a_difference_a_winner_is_rarely_promoted_and_a_better_variant_mostly_is() -> None:
    """A/A: three equal variants, looked at after every 100 recipients; then one that is twice as good."""
    rng = Random(7)
    wrong = sum(_promoted(rng, (0.08, 0.08, 0.08)) is not None for _ in range(RUNS))
    right = sum(_promoted(rng, (0.08, 0.08, 0.16)) == "c" for _ in range(RUNS // 4))
    print(f"A/A: {wrong} of {RUNS} promoted at 0.05; planted: {right} of {RUNS // 4}")
    assert wrong / RUNS <= 0.05 + 2 * (0.05 * 0.95 / RUNS) ** 0.5
    assert right >= 0.9 * (RUNS // 4)


def test_a_a_campaigns_of_any_shape_promote_a_winner_at_most_at_the_stated_rate() -> None:
    """A/A over random campaigns: two to four equal messages with a rate between that of purchases and of readings, shares and looks
    at random, by the rule with which campaigns decide (hub_api/campaigns/sending/decide.py calls `judge` and `mismatch`)."""
    chance = np.random.default_rng(20261126)
    promoted = {0.05: 0, 0.1: 0}
    for number in range(AA_CAMPAIGNS):
        alpha = 0.05 if number % 2 else 0.1
        promoted[alpha] += _a_a(chance, alpha)
    for alpha, wrong in promoted.items():
        runs = AA_CAMPAIGNS // 2
        most = runs * alpha + 3.1 * (runs * alpha * (1 - alpha)) ** 0.5  # one false alarm of this test in a thousand
        print(f"A/A: {wrong} of {runs} promoted at {alpha}")
        assert wrong <= most, f"{wrong} of {runs} at {alpha}"


def _a_a(chance: np.random.Generator, alpha: float) -> bool:
    """Whether a campaign of equal messages promotes one at any of its looks."""
    names = "abcd"[: int(chance.integers(2, 5))]
    rate, effect = float(chance.uniform(0.01, 0.5)), float(chance.choice([0.01, 0.03, 0.1]))
    weights = chance.uniform(0.5, 1.5, len(names))
    shares = dict(zip(names, (weights / weights.sum()).tolist(), strict=True))
    arms = dict.fromkeys(names, Arm(0, 0, 0))
    for _ in range(int(chance.integers(5, 40))):
        for name, n in zip(
            names, chance.multinomial(int(chance.integers(20, 800)), list(shares.values())), strict=True
        ):
            arm = arms[name]
            won, left = int(chance.binomial(n, rate)), int(chance.binomial(n, 0.003))
            arms[name] = Arm(arm.n + int(n), arm.successes + won, arm.opt_outs + left)
        mismatch_p = running.mismatch([({name: arm.n for name, arm in arms.items()}, shares)])
        if judge(arms, effect=effect, alpha=alpha, margin=0.02, mismatch_p=mismatch_p).winner:
            return True
    return False


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.tuples(st.integers(0, 20_000), st.floats(0, 1)), min_size=1, max_size=6
    ),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
)
def test_thompsons_shares_are_shares_and_keep_their_floor(
    given_arms: dict[str, tuple[int, float]], floor: float, control: float
) -> None:
    """As decide.py uses them: the messages among themselves, beside a control that keeps its own share."""
    floor = min(floor, 1 / len(given_arms))
    arms = {name: Arm(n, int(n * rate)) for name, (n, rate) in given_arms.items()}
    found = running.thompson(arms, floor)
    assert sum(found.values()) == pytest.approx(1) and all(share >= floor - 1e-9 for share in found.values())
    shares = {name: share * (1 - control) for name, share in found.items()} | {"controle": control}
    total = sum(shares.values())
    able = {name: share / total for name, share in shares.items() if share > 0}
    assert all(variant_of("campaign:x", UUID(int=number), able) in able for number in range(50))


def _promoted(rng: Random, rates: tuple[float, ...]) -> str | None:
    counts = {name: [0, 0] for name in "abc"}
    for _ in range(20):
        for name, rate in zip("abc", rates, strict=True):
            counts[name][0] += 100
            counts[name][1] += sum(rng.random() < rate for _ in range(100))
        verdict = judge({name: Arm(n, k) for name, (n, k) in counts.items()}, effect=0.05, alpha=0.05, margin=0.05)
        if verdict.winner:
            return verdict.winner
    return None
