"""How good probabilities are, and splits of time that leak nothing."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from models_ml.churn.columns import Floats


def evaluate(answers: Any, scores: Floats, weights: Any = None) -> dict[str, float]:
    """Ranking, sharpness and calibration of probabilities; `weights`: how many rows each stands for, when they are a sample.

    auc and average_precision (0 to 1); log_loss and brier (0 is best); brier_skill: 1 - brier / brier of the base rate;
    lift_top_decile: share of positives in the top tenth against all; calibration_error: mean distance of forecast and
    frequency over ten equal bins, weighted by rows; calibration_slope: of a logistic regression of the answers on
    the log-odds, 1 is right, less is too sure (Cox 1958).
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    truth = np.asarray(answers)
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    each = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=float)
    rate = float(np.average(truth, weights=each))
    order = np.argsort(-scores, kind="stable")
    top = order[: max(1, int(np.searchsorted(np.cumsum(each[order]), each.sum() / 10, side="right")))]
    brier = float(brier_score_loss(truth, clipped, sample_weight=each))
    return {
        "auc": float(roc_auc_score(truth, scores, sample_weight=each)),
        "average_precision": float(average_precision_score(truth, scores, sample_weight=each)),
        "log_loss": float(log_loss(truth, clipped, sample_weight=each)),
        "brier": brier,
        "brier_skill": 1 - brier / (rate * (1 - rate)),
        "lift_top_decile": float(np.average(truth[top], weights=each[top])) / rate,
        "calibration_error": calibration_error(truth, scores, weights=each),
        "calibration_slope": _slope(truth, np.log(clipped / (1 - clipped)), each),
    }


def calibration_error(answers: Any, scores: Floats, bins: int = 10, weights: Any = None) -> float:
    """Mean distance between forecast and frequency over bins of as many rows each, weighted by what those stand for."""
    truth, each = np.asarray(answers), np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=float)
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    distances = [
        abs(float(np.average(scores[part] - truth[part], weights=each[part]))) * float(each[part].sum())
        for part in parts
    ]
    return sum(distances) / float(each.sum())


def auc_interval(answers: Any, scores: Floats, level: float = 0.95) -> tuple[float, float]:
    """Interval of the AUC by DeLong, DeLong and Clarke-Pearson (1988): from the placements of each side in the other."""
    from scipy.stats import norm, rankdata

    truth = np.asarray(answers) == 1
    positive, negative = scores[truth], scores[~truth]
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[len(positive) :] - rankdata(negative)) / len(positive)
    auc = float(above.mean())
    spread = float(np.sqrt(above.var(ddof=1) / len(positive) + below.var(ddof=1) / len(negative)))
    reach = float(norm.ppf(0.5 + level / 2)) * spread
    return max(0.0, auc - reach), min(1.0, auc + reach)


def split_by_time(days: Sequence[date], horizon_days: int, test_from: date) -> tuple[Any, Any]:
    """Masks of rows to train on and rows to test on, by the day on which each row's features were taken.

    A row's answer is known only `horizon_days` after its day, so rows from within that time before `test_from` are in
    neither part: on the day of the test nobody could have trained on them.
    """
    moments = np.array(days, dtype="datetime64[D]")
    boundary = np.datetime64(test_from)
    known = np.datetime64(test_from - timedelta(days=horizon_days))
    return moments <= known, moments >= boundary


def _slope(answers: Any, log_odds: Floats, weights: Floats) -> float:
    from sklearn.linear_model import LogisticRegression

    if np.ptp(log_odds) < 1e-9:
        return 0.0
    fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(log_odds[:, None], answers, sample_weight=weights)
    return float(fitted.coef_[0, 0])
