"""Models on real customers by cross-validation, on hours of a simulated operator by backtest; what they cost."""

import resource
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.report import Row
from tests.models_ml.churn.samples import shared_data
from tests.models_ml.forecasting.samples import hours

FOLDS = 5  # with two, a model learns from half of the rows: no floor then
# The figures that were reached untuned before (issue of the data platform).
SETS = (("iranian_churn", "churn", 0.986), ("telco_churn_ibm", "Churn", 0.836))


async def run(scale: float) -> list[Row]:
    """Churn on each set beside logistic regression, with and without repeated rows kept together; latency; forecasts."""
    rows = []
    for name, target, known in SETS:
        folder = shared_data(name)
        if folder is None:
            rows.append(Row(name, "not beside this checkout"))
        else:
            rows += _churn(folder, target, known, folds=FOLDS if scale >= 1 else 2)
    rows += [_forecast(a_day) for a_day in (40, 400, 5000)]
    rows += _anomalies(max(10, int(200 * scale)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*rows, Row("memory of the process at its highest", f"{memory:.0f} MB")]


def _churn(folder: Path, target: str, known: float, folds: int) -> list[Row]:
    import numpy as np
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    from models_ml.churn import train
    from models_ml.churn.columns import learn_target
    from models_ml.churn.evaluate import auc_interval, evaluate
    from models_ml.churn.train import cross_validate

    frame = pd.read_csv(folder / "customers.csv.gz")
    answers = learn_target(frame.pop(target))
    rows = []
    alone = np.arange(len(frame))
    for how, groups in (("identical rows together", None), ("rows split as they come", alone)):
        scores = cross_validate(frame, answers, groups=groups, folds=folds)
        figures, low_high = evaluate(answers, scores["model"]), auc_interval(answers, scores["model"])
        rows.append(
            Row(
                f"{folder.name}, {how}: AUC", f"{figures['auc']:.4f} ({low_high[0]:.4f} to {low_high[1]:.4f})",
                figures["auc"] / known, f"{known} known before", 1.0 if folds == FOLDS else None,
                f"logistic {roc_auc_score(answers, scores['logistic']):.4f}, AP {figures['average_precision']:.3f}, Brier skill {figures['brier_skill']:.3f}, "
                f"calibration error {figures['calibration_error']:.3f}, slope {figures['calibration_slope']:.2f}",
            )
        )  # fmt: skip
        print(_confusion(answers, scores["model"], f"{folder.name}, {how}"))
    began = time.perf_counter()
    model, report = train(frame, answers)
    trained = time.perf_counter() - began
    thousand = frame.sample(1000, replace=True, random_state=0)
    predicted, explained = _seconds(model.predict, thousand), _seconds(model.explain, thousand)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in report.weights.items())
    return [
        *rows,
        Row(
            f"{folder.name}: 1,000 scored; explained",
            f"{predicted * 1000:.0f} ms; {explained * 1000:.0f} ms",
            note=f"trained in {trained:.0f} s: {weights}",
        ),
    ]


def _confusion(answers: Any, scores: Any, name: str) -> str:
    """Counts at the threshold where as many are told to leave as leave."""
    import numpy as np

    told = scores >= np.sort(scores)[-int(answers.sum())]
    cells = {
        (truth, said): int(((answers == truth) & (told == said)).sum()) for truth in (1, 0) for said in (True, False)
    }
    return f"{name}: left and told {cells[1, True]}, left and not told {cells[1, False]}, stayed and told {cells[0, True]}, stayed {cells[0, False]}"


def _seconds(call: Any, frame: Any) -> float:
    call(frame)  # tables of explanations are made once
    began = time.perf_counter()
    call(frame)
    return time.perf_counter() - began


def _forecast(a_day: int) -> Row:
    from models_ml.forecasting.backtest import backtest

    began = time.perf_counter()
    found = backtest(*hours(90, a_day, seed=a_day))
    seconds = time.perf_counter() - began
    return Row(
        f"forecast of four weeks at {a_day} contacts a day: mean error", f"{found.mae:.2f}", found.mae_naive / found.mae,
        f"last week repeated, {found.mae_naive:.2f}", 1.0,
        f"MASE {found.mase:.2f}, pinball {found.pinball:.2f} against {found.pinball_naive:.2f}, {found.coverage:.0%} within 80 %, {seconds / 4:.2f} s each",
    )  # fmt: skip


def _anomalies(days: int) -> list[Row]:
    from models_ml.forecasting.anomalies import alarms, judge_counts

    quiet = found = 0
    for seed in range(days):
        moments, counts = hours(40, 60, seed=5000 + seed)
        widths = ((1, 1), (6, 3))
        quiet += bool(
            alarms(judge_counts("x", moments[:-24], counts[:-24], moments[-24:], counts[-24:], widths=widths))
        )
        wave = counts.copy()
        wave[-24 + 13 : -24 + 18] += 5
        found += bool(alarms(judge_counts("x", moments[:-24], wave[:-24], moments[-24:], wave[-24:], widths=widths)))
    return [
        Row("days on which nothing happened that alarm, at alpha 1 %", f"{quiet} of {days}"),
        Row("days with 25 contacts more in five hours, of 60 a day, that alarm", f"{found} of {days}"),
    ]
