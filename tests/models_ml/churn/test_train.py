"""Probabilities that are true, columns read as they are meant, nothing leaked, models that load only as they were written."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io as sio
from sklearn.metrics import roc_auc_score

from models_ml.churn import load_model, save_model, train
from models_ml.churn.columns import learn_target
from models_ml.churn.drift import measure_drift
from models_ml.churn.evaluate import auc_interval, calibration_error, evaluate, split_by_time
from models_ml.churn.model import FILE
from models_ml.churn.train import fold
from models_ml.registry import ModelError, Registry
from tests.models_ml.churn.samples import mixed, shared_data, trained


def test_probabilities_are_calibrated_and_rank_about_as_the_truth_does() -> None:
    _frame, _, _ = mixed(2000, seed=1)
    model, report = trained()
    fresh, answers, truth = mixed(6000, seed=2)
    score = model.predict(fresh)
    assert roc_auc_score(answers, score) > roc_auc_score(answers, truth) - 0.02
    assert np.abs(score - truth).mean() < 0.05
    assert calibration_error(answers, score) < 0.03
    assert report.metrics["auc"] >= report.baseline["auc"] - 0.01
    assert report.metrics["auc"] == pytest.approx(roc_auc_score(answers, score), abs=0.04)


def test_a_sample_by_the_answer_gives_the_probabilities_of_all() -> None:
    frame, answers, _ = mixed(6000, seed=3)
    kept = 0.25
    sample = (answers == 1) | (np.random.default_rng(0).random(len(answers)) < kept)
    model, report = train(frame[sample], answers[sample], folds=2, kept=kept)
    fresh, others, truth = mixed(6000, seed=2)
    score = model.predict(fresh)
    assert np.abs(score - truth).mean() < 0.06
    assert abs(score.mean() - others.mean()) < 0.02 < answers[sample].mean() - others.mean()
    assert report.metrics["calibration_error"] < 0.03
    assert report.metrics["brier_skill"] == pytest.approx(evaluate(others, score)["brier_skill"], abs=0.06)
    drift = measure_drift(model.columns, model.reference, fresh, score)
    assert {one.feature: one.verdict for one in drift}["score"] == "stable"


def test_columns_are_read_as_they_are_meant() -> None:
    _frame, _, _ = mixed(2000, seed=1)
    model, _ = trained()
    assert set(model.columns.numeric) == {
        "contacts",
        "tenure",
        "noise",
        "bill",
    }  # `bill` is text with numbers and blanks
    assert model.columns.categories == {"plan": ("combo", "controle", "pré")}
    assert model.columns.left_out == {"customer_id": "an identifier", "country": "one value", "since": "a date"}


def test_a_feature_that_is_missing_is_an_error_and_a_new_category_is_not() -> None:
    frame, _, _ = mixed(2000, seed=1)
    model, _ = trained()
    with pytest.raises(ValueError, match="tenure"):
        model.predict(frame.drop(columns="tenure"))
    assert np.isfinite(model.predict(frame.assign(plan="starlink", noise=None))).all()
    assert len(model.predict(frame.head(0))) == 0


@pytest.mark.parametrize("words", [("Yes", "No"), ("sim", "não"), (True, False), (1.0, 0.0)])
def test_targets_may_be_words(words: tuple[object, object]) -> None:
    _, target, _ = mixed(400, seed=4)
    named = [words[0] if answer else words[1] for answer in target]
    assert learn_target(named).tolist() == target.tolist()


@pytest.mark.parametrize(
    ("target", "told"),
    [([1] * 400, "one value only"), ([1] * 5 + [0] * 395, "10 rows of each kind"), (["talvez"] * 400, "yes or no"), ([1, 0], "400 rows")],
)  # fmt: skip
def test_what_cannot_be_learned_is_said(target: list[object], told: str) -> None:
    frame, _, _ = mixed(400, seed=4)
    with pytest.raises(ValueError, match=told):
        train(frame, target)


def test_one_person_and_identical_rows_are_on_one_side_of_every_fold() -> None:
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(150, 3)), 2, axis=0)
    rows[::7, 1] = np.nan
    rows[1::2] = rows[::2]
    answers = np.repeat(rng.integers(0, 2, 150), 2)
    people = np.repeat(np.arange(100), 3)
    for groups, keys in ((None, np.repeat(np.arange(150), 2)), (people, people)):
        for fit, rest in fold(rows, answers, groups, 5, 0):
            assert not set(keys[fit]) & set(keys[rest])


def test_a_split_of_time_leaves_out_what_was_not_known_yet() -> None:
    first = date(2026, 1, 1)
    days = [first + timedelta(days=number) for number in range(100)]
    before, after = split_by_time(days, 30, first + timedelta(days=70))
    assert [day for day, taken in zip(days, before, strict=True) if taken][-1] == first + timedelta(days=40)
    assert after.sum() == 30
    assert not (before & after).any()


def test_a_model_loads_as_it_was_written_and_in_no_other_way(tmp_path: Path) -> None:
    frame, _, _ = mixed(2000, seed=1)
    model, report = trained()
    registry = Registry(tmp_path)
    manifest = save_model(registry, "churn", model, data_hash="d", metrics=report.metrics, floors={"auc": 0.6})
    with pytest.raises(ModelError, match="promoted"):
        load_model(registry, "churn")
    registry.promote("churn", manifest.version)
    again, told = load_model(registry, "churn")
    assert told.metrics["auc"] == report.metrics["auc"]
    assert np.array_equal(again.predict(frame), model.predict(frame))
    assert np.array_equal(again.explain(frame)[1], model.explain(frame)[1])
    file = tmp_path / "churn" / manifest.version / FILE
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="damaged"):
        load_model(registry, "churn")


def test_a_model_below_its_floor_is_not_promoted(tmp_path: Path) -> None:
    _frame, _, _ = mixed(2000, seed=1)
    model, report = trained()
    registry = Registry(tmp_path)
    manifest = save_model(registry, "churn", model, data_hash="d", metrics=report.metrics, floors={"auc": 0.99})
    with pytest.raises(ModelError, match=r"auc .* < 0.990"):
        registry.promote("churn", manifest.version)


def test_a_file_with_code_in_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _frame, _, _ = mixed(2000, seed=1)
    model, report = trained()
    registry, dumps = Registry(tmp_path), sio.dumps
    monkeypatch.setattr(sio, "dumps", lambda content: dumps({**content, "extra": print}))
    manifest = save_model(registry, "churn", model, data_hash="d", metrics=report.metrics, floors={})
    with pytest.raises(ModelError, match="not allowed"):
        load_model(registry, "churn", manifest.version)


def test_the_interval_of_the_auc_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    true, covered = 0.76024994, 0  # of two normal distributions one standard deviation apart: Phi(1 / sqrt 2)
    for _ in range(400):
        answers = np.repeat([0, 1], [150, 50])
        low, high = auc_interval(answers, rng.normal(size=200) + answers)
        covered += low <= true <= high
    assert 0.915 <= covered / 400 <= 0.98


def test_evaluation_knows_who_is_too_sure() -> None:
    _, answers, truth = mixed(8000, seed=8)
    log_odds = np.log(truth / (1 - truth))
    assert evaluate(answers, truth)["calibration_slope"] == pytest.approx(1, abs=0.12)
    assert evaluate(answers, 1 / (1 + np.exp(-2 * log_odds)))["calibration_slope"] == pytest.approx(0.5, abs=0.06)
    assert evaluate(answers, truth)["brier_skill"] > evaluate(answers, 1 / (1 + np.exp(-2 * log_odds)))["brier_skill"]


@pytest.mark.parametrize(
    ("name", "target", "floor"), [("iranian_churn", "churn", 0.975), ("telco_churn_ibm", "Churn", 0.83)]
)
def test_on_real_customers_who_were_held_out(name: str, target: str, floor: float) -> None:
    """One fold of five, identical rows on one side; the benchmark `models` shows all five and their intervals."""
    folder = shared_data(name)
    if folder is None:
        pytest.skip(f"the data set {name} is not beside this checkout")
    frame = pd.read_csv(folder / "customers.csv.gz")
    answers = frame.pop(target)
    together = frame.astype(str).agg("|".join, axis=1)
    held_out = pd.util.hash_pandas_object(together, index=False).to_numpy() % 5 == 0
    model, _ = train(frame[~held_out], answers[~held_out], folds=2)
    truth = (answers[held_out].astype(str).isin(["1", "Yes"])).to_numpy().astype(int)
    assert auc_interval(truth, model.predict(frame[held_out]))[1] > floor + 0.01
    assert roc_auc_score(truth, model.predict(frame[held_out])) > floor
