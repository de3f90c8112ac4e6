"""Read-outs and their words: nothing past a mismatch, no proof where there is none, and what was seen stays seen."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.experiments.plan import plan_of
from models_ml.experiments.readout import Arm, Look, read_out
from models_ml.experiments.stats import Pair, Proportion, Sample
from models_ml.experiments.verdict import Decision

PLAN = {
    "experiment": "turbo", "control": "controle", "shares": {"controle": 0.5, "a": 0.5}, "window_days": 14,
    "metrics": [
        {"name": "conversion", "role": "primary", "effect": 0.02},
        {"name": "value", "role": "secondary", "effect": 1.0},
        {"name": "value_per_goal", "role": "secondary", "effect": 2.0},
        {"name": "value_p90", "role": "secondary", "effect": 5.0},
        {"name": "opt_out", "role": "guardrail", "effect": 0.005, "margin": 0.01},
    ],
}  # fmt: skip


def arm(n: int, goals: int, leavers: int, sent: int = 0, delivered: int = 0) -> Arm:
    """Everybody who converts buys once, for 20."""
    value = Pair(n, 20.0 * goals, 400.0 * goals, 30.0 * n, 1_000.0 * n, 30.0 * 20.0 * goals)
    per_goal = Pair(n, 20.0 * goals, 400.0 * goals, goals, goals, 20.0 * goals)
    return Arm(
        {
            "conversion": Proportion(n, goals),
            "value": value,
            "value_per_goal": per_goal,
            "value_p90": Sample(n, np.full(goals, 20.0)),
            "opt_out": Proportion(n, leavers),
        },
        Proportion(sent, delivered),
    )


def look(control: Arm, treated: Arm, day: str = "2026-06-10", crossed: int = 0, complete: bool = True) -> Look:
    counts = {"controle": control.statistics["conversion"].n, "a": treated.statistics["conversion"].n}
    n = sum(counts.values())
    return Look(day, {"controle": control, "a": treated}, [(counts, PLAN["shares"])], Proportion(n, crossed), complete)


def rows(*looks: Look):
    return {(row.look.day, row.variant, row.metric.name): row for row in read_out(plan_of(PLAN), looks)}


def test_a_clear_effect_is_told_with_its_interval_and_a_guardrail_as_kept() -> None:
    found = rows(look(arm(8_000, 480, 25), arm(8_000, 720, 28, 8_000, 7_900)))
    best = found["2026-06-10", "a", "conversion"]
    assert best.decision is Decision.BETTER
    assert best.verdict.startswith("“a” ficou acima de “controle” em conversão (melhor): 9,00 % contra 6,00 %.")
    assert "+3,00 p.p." in best.verdict and "válido a qualquer momento" in best.verdict
    guard = found["2026-06-10", "a", "opt_out"]
    assert guard.decision is Decision.KEPT and guard.verdict.startswith("Proteção mantida")
    assert found["2026-06-10", "controle", "conversion"].decision is Decision.CONTROL
    assert found["2026-06-10", "a", "value"].reading.adjusted.variance_reduction >= 0
    assert found["2026-06-10", "a", "value_per_goal"].decision in (Decision.UNDECIDED, Decision.EARLY)


def test_what_a_programme_brought_is_told_over_a_control_without_messages_alone() -> None:
    row = rows(look(arm(8_000, 480, 25), arm(8_000, 720, 28, 8_000, 7_900)))["2026-06-10", "a", "conversion"]
    brought, always = row.reading.brought, row.reading.sequential
    assert brought.incremental == pytest.approx(240) and row.verdict.count("isso soma +240 em 8.000 clientes") == 1
    assert brought.incremental_interval.low == pytest.approx(8_000 * always.low) and always.low > 0
    both_sent = rows(look(arm(8_000, 480, 25, 8_000, 7_900), arm(8_000, 720, 28, 8_000, 7_900)))
    row = both_sent["2026-06-10", "a", "conversion"]
    assert row.reading.brought is None and "isso soma" not in row.verdict
    assert both_sent["2026-06-10", "a", "value_per_goal"].reading.brought is None


def test_a_better_arm_with_a_broken_or_open_guardrail_says_so() -> None:
    broken = rows(look(arm(8_000, 480, 60), arm(8_000, 720, 400)))
    assert {row.guardrails for key, row in broken.items() if key[1] == "a"} == {Decision.BROKEN}
    assert "uma proteção deste grupo foi rompida" in broken["2026-06-10", "a", "conversion"].verdict
    not_yet = rows(look(arm(8_000, 480, 0), arm(8_000, 720, 3)))["2026-06-10", "a", "conversion"]
    assert not_yet.guardrails is Decision.EARLY and "ainda não estão mostradas" in not_yet.verdict
    kept = rows(look(arm(8_000, 480, 60), arm(8_000, 720, 60)))["2026-06-10", "a", "conversion"]
    assert kept.guardrails is Decision.KEPT and "proteç" not in kept.verdict
    assert rows(look(arm(8_000, 480, 60), arm(8_000, 720, 60)))["2026-06-10", "controle", "opt_out"].guardrails is None


def test_a_quantile_informs_and_never_decides() -> None:
    found = rows(look(arm(4_000, 300, 25), arm(4_000, 600, 28)))
    row = found["2026-06-10", "a", "value_p90"]
    assert row.decision is Decision.INFORMS and row.verdict.startswith("Para informar, não para decidir")
    assert (row.reading.base, row.reading.value, row.reading.difference.value) == (0, 20, 20)
    assert row.reading.sequential is None and row.reading.sequential_p_adjusted is None
    assert "só vale para uma única leitura" in row.verdict and "melhor" not in row.verdict
    few = rows(look(arm(12, 1, 0), arm(12, 9, 0)))["2026-06-10", "a", "value_p90"]
    assert few.decision is Decision.EARLY and few.reading.difference.interval.low == -np.inf
    # What decides nothing makes no other decision harder.
    without = {**PLAN, "metrics": [one for one in PLAN["metrics"] if one["name"] != "value_p90"]}
    same = {row.metric.name: row for row in read_out(plan_of(without), [row.look]) if row.variant == "a"}
    for name, other in same.items():
        assert found["2026-06-10", "a", name].reading.sequential_p_adjusted == other.reading.sequential_p_adjusted


def test_the_next_customers_go_where_they_are_likeliest_best_unless_the_arms_are_not_as_planned() -> None:
    found = rows(look(arm(2_000, 120, 9), arm(2_000, 160, 9)))
    shares = {key[1]: row.next_share for key, row in found.items() if key[2] == "conversion"}
    assert sum(shares.values()) == pytest.approx(1) and 0.85 < shares["a"] <= 0.9 and shares["controle"] >= 0.1
    assert {row.next_share for key, row in found.items() if key[2] != "conversion"} == {None}
    skewed = rows(look(arm(8_000, 480, 30), arm(7_400, 900, 30)))
    assert {row.next_share for row in skewed.values()} == {None}


def test_a_mismatch_silences_everything() -> None:
    for row in rows(look(arm(8_000, 480, 30), arm(7_400, 900, 30))).values():
        if row.variant == "a":
            assert row.decision is Decision.BLOCKED and row.verdict.startswith("Não decida")


def test_no_proof_is_not_told_as_no_effect_and_little_data_as_too_early() -> None:
    undecided = rows(look(arm(2_000, 120, 40), arm(2_000, 130, 40)))["2026-06-10", "a", "conversion"]
    assert undecided.decision is Decision.UNDECIDED and "não prova que sejam iguais" in undecided.verdict
    early = rows(look(arm(60, 2, 0), arm(60, 30, 0)))["2026-06-10", "a", "conversion"]
    assert early.decision is Decision.EARLY and "Cedo demais" in early.verdict


def test_a_broken_guardrail_and_cautions_are_told() -> None:
    broken = rows(look(arm(9_000, 500, 60), arm(9_000, 500, 400), crossed=600, complete=False))
    row = broken["2026-06-10", "a", "opt_out"]
    assert row.decision is Decision.BROKEN and row.verdict.startswith("Proteção rompida")
    assert "mais de um grupo" in row.verdict and "Leitura parcial: para parte dos clientes os 14 dias" in row.verdict


def test_shares_that_changed_midway_are_told() -> None:
    """Nobody converts for a message, but the evening's customers, who all got it, buy more than the morning's: no proof."""
    morning, evening = {"controle": 0.5, "a": 0.5}, {"controle": 0.1, "a": 0.9}
    control, treated = arm(5_000, 500, 25), arm(13_000, 2_500, 60)
    periods = [({"controle": 4_000, "a": 4_000}, morning), ({"controle": 1_000, "a": 9_000}, evening)]
    changed = Look("2026-06-10", {"controle": control, "a": treated}, periods, Proportion(18_000, 0), complete=True)
    row = rows(changed)["2026-06-10", "a", "conversion"]
    assert row.checks.reallocated and "a divisão entre os grupos mudou durante o teste" in row.verdict
    unused = Look("2026-06-10", changed.arms, [periods[0], ({}, evening)], Proportion(8_000, 0), complete=True)
    assert not rows(unused)["2026-06-10", "a", "conversion"].checks.reallocated


def test_a_mismatch_and_the_smallest_p_are_remembered() -> None:
    balanced, skewed = (
        look(arm(5_000, 300, 30), arm(5_000, 420, 30), "2026-06-11"),
        look(arm(900, 54, 9), arm(1_300, 98, 9)),
    )
    found = rows(skewed, balanced)
    assert found["2026-06-10", "a", "conversion"].checks.balance.blocks
    assert found["2026-06-11", "a", "conversion"].decision is Decision.BLOCKED
    again = rows(balanced, look(arm(9_000, 540, 50), arm(9_000, 545, 50), "2026-06-12"))
    ps = [again[day, "a", "conversion"].reading.sequential_p for day in ("2026-06-11", "2026-06-12")]
    assert ps[0] == ps[1] < 0.01
    assert again["2026-06-12", "a", "conversion"].decision is Decision.UNDECIDED  # today's interval holds 0


def test_a_handful_of_goals_says_nothing_of_what_a_goal_is_worth() -> None:
    """One buyer of 60 here and one of 120 there: within each arm nothing varies, and nothing is certain."""

    def sold(*prices: float) -> Arm:
        n, k = 4_000, len(prices)
        one = arm(n, k, 0)
        pair = Pair(n, sum(prices), sum(p * p for p in prices), k, k, sum(prices))
        return Arm({**one.statistics, "value_per_goal": pair}, one.delivered)

    for control, treated in (((60.0,), (120.0,)), ((60.0, 60.01, 59.99), (120.0, 120.01)), ((0.1,) * 3, (0.3,) * 3)):
        row = rows(look(sold(*control), sold(*treated)))["2026-06-10", "a", "value_per_goal"]
        assert row.decision is Decision.EARLY and row.verdict.startswith("Cedo demais")
        assert row.reading.sequential is None and row.reading.sequential_p is None
    for control, treated in (((60.0,), (120.0,)), ((0.1,) * 3, (0.3,) * 3)):
        found = rows(look(sold(*control), sold(*treated)))["2026-06-10", "a", "value_per_goal"].reading
        assert found.difference.p == 1 and found.difference.interval.low == -np.inf and found.interval is None
        assert found.lift is None or found.lift[1].high == np.inf
    many = rows(look(sold(*[50.0, 70.0] * 40), sold(*[110.0, 130.0] * 40)))["2026-06-10", "a", "value_per_goal"]
    assert many.decision is Decision.BETTER


def test_where_less_is_better_the_loss_is_that_of_more() -> None:
    """A fifth against a tenth leave: whoever takes the arm loses ten points, and it is certainly not the better one."""
    row = rows(look(arm(4_000, 300, 400), arm(4_000, 300, 800)))["2026-06-10", "a", "opt_out"]
    assert row.reading.belief.expected_loss == pytest.approx(0.1, abs=0.001)
    assert row.reading.belief.probability_better < 0.001 and row.reading.belief.difference > 0.09
    gain = rows(look(arm(4_000, 300, 800), arm(4_000, 300, 400)))["2026-06-10", "a", "opt_out"].reading.belief
    assert gain.expected_loss == pytest.approx(0, abs=1e-6) and gain.probability_better > 0.999


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_counts_give_a_row_for_each_arm_and_metric_with_ordered_intervals(data: st.DataObject) -> None:
    def any_arm() -> Arm:
        n = data.draw(st.integers(0, 400))
        return arm(n, data.draw(st.integers(0, n)), data.draw(st.integers(0, n)), n, data.draw(st.integers(0, n)))

    found = rows(look(any_arm(), any_arm()))
    assert set(found) == set(
        itertools.product(["2026-06-10"], PLAN["shares"], [metric["name"] for metric in PLAN["metrics"]])
    )
    for row in found.values():
        reading = row.reading
        for interval in (reading.interval, reading.sequential, reading.belief and reading.belief.interval):
            assert interval is None or interval.low <= interval.high
        assert row.verdict and (reading.belief is None or 0 <= reading.belief.probability_better <= 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"control": "z"}, "control"),
        ({"metrics": [{"name": "clicks", "role": "primary", "effect": 1}]}, "nobody computes"),
        ({"metrics": [{"name": "opt_out", "role": "guardrail", "effect": 0.01}]}, "primary"),
        ({"metrics": [{"name": "value_p99", "role": "primary", "effect": 1}]}, "secondary"),
        ({"metrics": [{"name": "opt_out", "role": "primary", "effect": 0.01, "margin": 0.1}]}, "margin"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused_with_its_reason(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_of(PLAN | change)
    with pytest.raises(ValueError, match="window_days"):
        plan_of({key: value for key, value in PLAN.items() if key != "window_days"})
