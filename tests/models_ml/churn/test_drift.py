"""Drift is told when customers change, and not when chance does."""

import numpy as np
import pytest

from models_ml.churn.drift import measure_drift, stability_index
from tests.models_ml.churn.samples import mixed, trained


def test_the_index_of_a_worked_example() -> None:
    """Three bins from 50/30/20 % to 40/30/30 %: 0.1 ln 1.25 + 0 + 0.1 ln 1.5."""
    index = stability_index(np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3]), 1000, 1000)
    assert index == pytest.approx(0.1 * np.log(1.25) + 0.1 * np.log(1.5))


def test_the_same_customers_are_stable_and_others_are_not() -> None:
    _frame, _, _ = mixed(2000, seed=1)
    model, _ = trained()
    same, _, _ = mixed(2000, seed=2)
    verdicts = {d.feature: d.verdict for d in measure_drift(model.columns, model.reference, same, model.predict(same))}
    assert set(verdicts) == {*model.columns.names, "score"}
    assert set(verdicts.values()) == {"stable"}
    other = same.assign(tenure=same["tenure"] / 5, plan="pré", noise=np.nan)
    drifts = {d.feature: d.verdict for d in measure_drift(model.columns, model.reference, other, model.predict(other))}
    assert {name for name, verdict in drifts.items() if verdict == "act"} == {"tenure", "plan", "noise", "score"}
    assert drifts["contacts"] == "stable"


def test_a_category_nobody_knew_is_drift() -> None:
    frame, _, _ = mixed(2000, seed=1)
    model, _ = trained()
    new = frame.assign(plan=np.where(np.arange(2000) % 2, "starlink", frame["plan"]))
    drifts = {d.feature: d for d in measure_drift(model.columns, model.reference, new, model.predict(new))}
    assert drifts["plan"].verdict == "act"


def test_small_samples_of_the_same_customers_alarm_about_once_in_a_hundred() -> None:
    frame, _, _ = mixed(2000, seed=1)
    model, _ = trained()
    alarms = looks = 0
    for seed in range(40):
        few, _, _ = mixed(150, seed=100 + seed)
        for drift in measure_drift(model.columns, model.reference, few, model.predict(few)):
            alarms, looks = alarms + (drift.verdict != "stable"), looks + 1
    assert alarms / looks < 0.04
    with pytest.raises(ValueError, match="no rows"):
        measure_drift(model.columns, model.reference, frame.head(0), np.empty(0))
