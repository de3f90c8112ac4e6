"""Training: members fitted, weighed and calibrated by predictions for rows they had not seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_ml.churn.columns import Columns, Floats, learn_columns, learn_target
from models_ml.churn.drift import learn_reference
from models_ml.churn.evaluate import evaluate
from models_ml.churn.members import (
    BACKGROUND,
    BASELINE,
    BOOSTING,
    KERNEL,
    MEMBERS,
    fit_member,
    kernel_factors,
    linear_terms,
    margin,
)
from models_ml.churn.model import Model, probability

if TYPE_CHECKING:
    import pandas as pd

MIN_OF_A_KIND = 10
MATTERS = 0.05
SHRINK = 1e-3  # pulls the weights towards each other a little: members agree, and their weights would be arbitrary


@dataclass(frozen=True)
class TrainingReport:
    """How the model did on rows its members had not seen, beside the plain logistic regression, and what it weighs."""

    rows: int
    positives: int
    metrics: dict[str, float]
    baseline: dict[str, float]
    members: dict[str, dict[str, float]]
    weights: dict[str, float]


def train(
    frame: "pd.DataFrame",
    target: Any,
    *,
    ignore: Sequence[str] = (),
    groups: Any = None,
    folds: int = 5,
    seed: int = 0,
    kept: float = 1.0,
) -> tuple[Model, TrainingReport]:
    """A model of `target` (yes/no, one per row) from the columns of `frame`, and how it did out of fold.

    Rows of one group (`groups`, one value per row: the person, when he has several) are never on both sides of a fold, nor
    are identical rows. Members are stacked (Wolpert 1992) by a logistic regression on their out-of-fold log-odds with
    weights of at least zero (Breiman 1996), which calibrates as Platt (1999) does; the members are then fitted on all rows.
    `kept`: when the rows are a sample by their answer, how many of the noes are in it for each of the yeses, against all rows. The
    members learn from the sample as it is; the shift then gives probabilities among all rows (Prentice and Pyke 1979), of
    which the report's figures and the spread kept for drift are too.
    The report's figures come from the same out-of-fold log-odds as the few weights: for an outright estimate use
    `cross_validate`. Raises ValueError when there are fewer than ten rows of either kind, or no feature.
    """
    answers = learn_target(target)
    if len(answers) != len(frame):
        raise ValueError(f"{len(frame)} rows, but {len(answers)} targets")
    if min(answers.sum(), len(answers) - answers.sum()) < MIN_OF_A_KIND:
        raise ValueError(
            f"a model needs {MIN_OF_A_KIND} rows of each kind; there are {answers.sum()} of {len(answers)}"
        )
    columns = learn_columns(frame, ignore)
    matrix = columns.matrix(frame)
    names = (BASELINE, *MEMBERS)
    unseen = {name: np.zeros(len(matrix)) for name in names}
    for fit, rest in fold(matrix, answers, groups, folds, seed):
        for name in names:
            unseen[name][rest] = margin(fit_member(name, matrix[fit], answers[fit], columns, seed), matrix[rest])
    weights, shift = _weigh_members(unseen, answers)
    shift += float(np.log(kept))
    stands_for = np.where(answers == 1, 1.0, 1 / kept)
    members = {name: fit_member(name, matrix, answers, columns, seed) for name in weights}
    means = _averages(members, matrix, columns, seed)
    scores = probability(np.sum([weights[name] * unseen[name] for name in weights], axis=0) + shift)
    model = Model(columns, members, weights, shift, means, learn_reference(columns, frame, scores, stands_for))
    alone = {
        name: evaluate(answers, probability(margins + np.log(kept)), stands_for) for name, margins in unseen.items()
    }
    report = TrainingReport(
        len(answers), int(answers.sum()), evaluate(answers, scores, stands_for), alone.pop(BASELINE), alone, weights
    )
    return model, report


def cross_validate(
    frame: "pd.DataFrame", target: Any, *, ignore: Sequence[str] = (), groups: Any = None, folds: int = 5, seed: int = 0
) -> dict[str, Floats]:
    """Probabilities for each row from a whole training that had not seen it: `model`, and `logistic` to compare with."""
    answers = learn_target(target)
    columns = learn_columns(frame, ignore)
    matrix = columns.matrix(frame)
    found = {"model": np.zeros(len(frame)), "logistic": np.zeros(len(frame))}
    for fit, rest in fold(matrix, answers, groups, folds, seed + 1):
        inside = None if groups is None else np.asarray(groups)[fit]
        model, _ = train(frame.iloc[fit], answers[fit], ignore=ignore, groups=inside, seed=seed)
        found["model"][rest] = model.predict(frame.iloc[rest])
        logistic = fit_member(BASELINE, matrix[fit], answers[fit], columns, seed)
        found["logistic"][rest] = probability(margin(logistic, matrix[rest]))
    return found


def fold(matrix: Floats, answers: Any, groups: Any, folds: int, seed: int) -> Iterator[tuple[Any, Any]]:
    """Rows to fit on and rows to predict, with about the same share of positives each; groups and identical rows whole."""
    from sklearn.model_selection import StratifiedGroupKFold

    _, together = np.unique(np.nan_to_num(matrix, nan=-9.9e99), axis=0, return_inverse=True)
    keys = together.ravel() if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    kinds = min(int(answers.sum()), int(len(answers) - answers.sum()))
    split = StratifiedGroupKFold(min(folds, kinds), shuffle=True, random_state=seed)
    yield from split.split(matrix, answers, keys)


def _weigh_members(unseen: dict[str, Floats], answers: Any) -> tuple[dict[str, float], float]:
    """Weights of the members that matter: who adds less than a twentieth of the spread goes, and the others are weighed again."""
    kept = list(MEMBERS)
    while True:
        weights, shift = weigh(np.column_stack([unseen[name] for name in kept]), answers)
        spread = {name: weight * float(unseen[name].std()) for name, weight in zip(kept, weights, strict=True)}
        small = [name for name in kept if spread[name] < MATTERS * sum(spread.values())]
        if not small or len(kept) == 1:
            return dict(zip(kept, map(float, weights), strict=True)), shift
        kept.remove(min(small, key=spread.__getitem__))


def _averages(members: dict[str, Any], matrix: Floats, columns: Columns, seed: int) -> dict[str, Floats]:
    """What explanations compare with: mean terms of the additive member, mean factors of the kernel."""
    owner, players, found = columns.owner, len(columns.names), dict[str, Floats]()
    for name, member in members.items():
        if name == KERNEL:
            rows = np.random.default_rng(seed).permutation(len(matrix))[:BACKGROUND]
            parts = [
                kernel_factors(member, matrix[some], owner, players).mean(axis=0) * len(some)
                for some in np.array_split(rows, -(-len(rows) // 200))
            ]
            found[name] = np.sum(parts, axis=0) / len(rows)
        elif name not in BOOSTING:
            found[name] = linear_terms(member, matrix, owner, players).mean(axis=0)
    return found


def weigh(margins: Floats, answers: Any) -> tuple[Floats, float]:
    """Weights of at least zero and a shift that make the members' log-odds the likeliest, by maximum likelihood."""
    from scipy.optimize import minimize

    signs = np.where(answers == 1, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, shift = parameters[:-1], parameters[-1]
        agree = signs * (margins @ weights + shift)
        slope = -signs * probability(-agree) / len(signs)
        away = weights - 1 / len(weights)
        gradient = np.append(margins.T @ slope + 2 * SHRINK * away, slope.sum())
        return float(np.logaddexp(0.0, -agree).mean() + SHRINK * (away @ away)), gradient

    count = margins.shape[1]
    start = np.append(np.full(count, 1 / count), 0.0)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * count + [(None, None)])
    return best.x[:-1], float(best.x[-1])
