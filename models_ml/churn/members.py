"""The models that vote: gradient boosting at two depths, a kernel logistic regression and an additive one; a plain logistic
regression to compare with."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models_ml.churn.columns import Columns, Floats
from models_ml.threads import fitting

BOOSTING: dict[str, dict[str, Any]] = {
    # For rules among few columns, of which no two are enough; at most six splits deep.
    "deep": {
        "max_depth": 6, "learning_rate": 0.06, "max_iter": 300, "min_samples_leaf": 10, "l2_regularization": 1.0, "max_features": 0.5,
    },
    # For weak effects and much noise: many small steps of few splits.
    "shallow": {"max_depth": 3, "learning_rate": 0.05, "max_iter": 150, "l2_regularization": 1.0, "max_features": 0.3},
}  # fmt: skip
KERNEL, ADDITIVE, BASELINE = "kernel", "additive", "logistic"
MEMBERS = (*BOOSTING, KERNEL, ADDITIVE)
LANDMARKS = 300  # of the kernel's Nystroem map (Williams and Seeger 2001): what it costs grows with them, not with rows
BACKGROUND = 2000  # rows over which the kernel's averages are taken
FEW_VALUES = 8  # a numeric column with fewer values is a straight line: knots between them mean nothing


def fit_member(name: str, matrix: Floats, target: Any, columns: Columns, seed: int) -> Any:
    """Fit one of MEMBERS or BASELINE on `matrix` as `columns.matrix` gives it."""
    with fitting(len(matrix)):
        return _fitted(name, matrix, target, columns, seed)


def _fitted(name: str, matrix: Floats, target: Any, columns: Columns, seed: int) -> Any:
    if name in BOOSTING:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(random_state=seed, early_stopping=False, **BOOSTING[name]).fit(
            matrix, target
        )
    if name == KERNEL:
        return _kernel(matrix, seed).fit(matrix, target)
    return _logistic(matrix, columns, curved=name == ADDITIVE).fit(matrix, target)


def margin(member: Any, matrix: Floats) -> Floats:
    """The member's log-odds for each row."""
    with fitting(len(matrix)):
        found: Floats = member.decision_function(matrix)
    return found


def _kernel(matrix: Floats, seed: int) -> Any:
    """Logistic regression on a Gaussian kernel: smooth surfaces that trees can only approach by steps."""
    from sklearn.impute import SimpleImputer
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        Nystroem(gamma=1.5 / matrix.shape[1], n_components=min(LANDMARKS, len(matrix)), random_state=seed),
        LogisticRegression(C=100, max_iter=2000),
    )


def _logistic(matrix: Floats, columns: Columns, *, curved: bool) -> Any:
    """Missing values at the median with an indicator; numeric columns by rank on a smooth curve (`curved`) or standardised."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, SplineTransformer, StandardScaler

    numeric = len(columns.numeric)
    bends = [
        position
        for position in range(numeric)
        if curved and len(np.unique(matrix[~np.isnan(matrix[:, position]), position])) > FEW_VALUES
    ]
    others = [position for position in range(matrix.shape[1]) if position not in bends]
    parts: list[tuple[str, Any, Sequence[int]]] = [
        (
            f"curve{position}",
            make_pipeline(
                SimpleImputer(strategy="median", add_indicator=False, keep_empty_features=True),
                QuantileTransformer(n_quantiles=min(100, len(matrix)), random_state=0),
                SplineTransformer(n_knots=6, include_bias=False),
            ),
            [position],
        )
        for position in bends
    ]
    parts += [
        (f"line{position}", make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()), [position])
        for position in others
    ]  # fmt: skip
    holes = [position for position in range(numeric) if np.isnan(matrix[:, position]).any()]
    parts += [(f"hole{position}", _indicator(), [position]) for position in holes]
    return make_pipeline(ColumnTransformer(parts, sparse_threshold=0), LogisticRegression(C=0.3, max_iter=3000))


def _indicator() -> Any:
    from sklearn.impute import MissingIndicator

    return MissingIndicator(features="all")


def linear_terms(member: Any, matrix: Floats, owner: Sequence[int], players: int) -> Floats:
    """For each row and player the sum of weight times value of the logistic regression's terms that come from it."""
    transformer, logistic = member[0], member[-1]
    terms = np.asarray(transformer.transform(matrix), dtype=float) * logistic.coef_[0]
    found = np.zeros((len(matrix), players))
    for name, _, positions in transformer.transformers_:
        if name != "remainder":
            found[:, owner[positions[0]]] += terms[:, transformer.output_indices_[name]].sum(axis=1)
    return found


def kernel_factors(member: Any, matrix: Floats, owner: Sequence[int], players: int) -> Floats:
    """The Gaussian kernel of each row with each landmark as a product over features: [row, feature, landmark]."""
    landmarks = member[2].components_
    scaled = member[1].transform(member[0].transform(matrix))
    found = np.ones((len(matrix), players, len(landmarks)))
    for column, player in enumerate(owner):
        distance = scaled[:, column, None] - landmarks[None, :, column]
        found[:, player] *= np.exp(-member[2].gamma * distance**2)
    return found


def kernel_weights(member: Any) -> Floats:
    """The weight of each landmark in the log-odds."""
    found: Floats = member[2].normalization_.T @ member[-1].coef_[0]
    return found
