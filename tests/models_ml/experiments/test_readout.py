"""Read-outs and their words: nothing past a mismatch, no proof where there is none, and what was seen stays seen."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.experiments.plan import plan_of
from models_ml.experiments.readout import Arm, Look, read_out
from models_ml.experiments.stats import Pair, Proportion
from models_ml.experiments.verdict import Decision

PLAN = {
    "experiment": "turbo", "control": "controle", "shares": {"controle": 0.5, "a": 0.5}, "window_days": 14,
    "metrics": [
        {"name": "conversion", "role": "primary", "effect": 0.02},
        {"name": "value", "role": "secondary", "effect": 1.0},
        {"name": "value_per_goal", "role": "secondary", "effect": 2.0},
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
        ({"metrics": [{"name": "opt_out", "role": "primary", "effect": 0.01, "margin": 0.1}]}, "margin"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused_with_its_reason(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_of(PLAN | change)
    with pytest.raises(ValueError, match="window_days"):
        plan_of({key: value for key, value in PLAN.items() if key != "window_days"})
