"""A trained propensity model: calibrated probabilities, why, and what it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models_ml.churn.columns import Columns, Floats
from models_ml.churn.drift import Reference
from models_ml.churn.explain import TreeGame, kernel_contributions, tree_contributions, tree_games
from models_ml.churn.members import BOOSTING, KERNEL, kernel_factors, kernel_weights, linear_terms, margin
from models_ml.registry import Manifest, ModelError, Registry, describe, hash_files

if TYPE_CHECKING:
    import pandas as pd

# What skops does not trust by itself: trees of gradient boosting and splines, which hold arrays; nothing of it runs code.
ALLOWED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.impute._base.MissingIndicator",
    "scipy.interpolate._bsplines.BSpline",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "numpy.dtype",
)
FILE = "model.skops"
LIBRARIES = ("numpy", "scikit-learn", "scipy", "skops")
CHUNK = 2_000  # rows explained at a time: what a kernel makes of each row, feature and landmark has to fit in memory


@dataclass(frozen=True)
class Model:
    """Members' log-odds, weighted and shifted so that the probability is calibrated: p = 1 / (1 + exp(-(shift + sum w m)))."""

    columns: Columns
    members: Mapping[str, Any]
    weights: Mapping[str, float]
    shift: float
    means: Mapping[
        str, Floats
    ]  # averages in training: terms per feature (additive), factors per feature and landmark (kernel)
    reference: Reference

    def predict(self, frame: "pd.DataFrame") -> Floats:
        """The probability of the target for each row, calibrated, 0 to 1. Raises ValueError when a feature is missing."""
        matrix = self.columns.matrix(frame)
        return probability(self._log_odds(matrix)) if len(matrix) else np.empty(0)

    def explain(self, frame: "pd.DataFrame") -> tuple[float, Floats]:
        """The log-odds of an average row, and for each row and feature (`columns.names`) what it adds to them.

        Exact: the average and a row's contributions sum to its log-odds (method: explain.py).
        """
        matrix = self.columns.matrix(frame)
        parts = [self._explain(matrix[start : start + CHUNK]) for start in range(0, len(matrix), CHUNK)]
        return self._average, np.concatenate(parts) if parts else np.empty((0, len(self.columns.names)))

    def reasons(self, frame: "pd.DataFrame", top: int = 3) -> list[list[tuple[str, Any, float]]]:
        """For each row the up to `top` features that raise its probability most: (feature, its value, log-odds added)."""
        _, contributions = self.explain(frame)
        names = self.columns.names
        order = np.argsort(-contributions, axis=1)[:, :top]
        values = {name: frame[name].to_numpy() for name in names}
        return [
            [
                (names[feature], values[names[feature]][row], float(contributions[row, feature]))
                for feature in features
                if contributions[row, feature] > 0
            ]
            for row, features in enumerate(order)
        ]

    def _log_odds(self, matrix: Floats) -> Floats:
        total = np.full(len(matrix), self.shift)
        for name, member in self.members.items():
            total += self.weights[name] * margin(member, matrix)
        return total

    @cached_property
    def _games(self) -> dict[str, list[TreeGame]]:
        return {
            name: tree_games(member, self.columns.owner) for name, member in self.members.items() if name in BOOSTING
        }

    @cached_property
    def _average(self) -> float:
        total = self.shift
        for name, member in self.members.items():
            if name in BOOSTING:
                expected = float(member._baseline_prediction.item()) + sum(game.expected for game in self._games[name])
            elif name == KERNEL:
                products = self.means[name].prod(axis=0)
                expected = float(member[-1].intercept_[0]) + float(products @ kernel_weights(member))
            else:
                expected = float(member[-1].intercept_[0]) + float(self.means[name].sum())
            total += self.weights[name] * expected
        return total

    def _explain(self, matrix: Floats) -> Floats:
        owner, players = self.columns.owner, len(self.columns.names)
        found = np.zeros((len(matrix), players))
        for name, member in self.members.items():
            if name in BOOSTING:
                part = tree_contributions(self._games[name], matrix, owner, players)
            elif name == KERNEL:
                factors = kernel_factors(member, matrix, owner, players)
                part = kernel_contributions(factors, self.means[name], kernel_weights(member))
            else:
                part = linear_terms(member, matrix, owner, players) - self.means[name]
            found += self.weights[name] * part
        return found


def probability(log_odds: Floats) -> Floats:
    """The logistic function, without overflow."""
    return np.exp(-np.logaddexp(0.0, -log_odds))


def save_model(
    registry: Registry,
    name: str,
    model: Model,
    *,
    data_hash: str,
    metrics: Mapping[str, Any],
    floors: Mapping[str, float],
) -> Manifest:
    """Write the model as a new version of the registry; it is in use only after `registry.promote`, which asks `floors`."""
    import skops.io as sio

    content = {
        "numeric": list(model.columns.numeric),
        "categories": {key: list(values) for key, values in model.columns.categories.items()},
        "left_out": dict(model.columns.left_out),
        "members": dict(model.members),
        "weights": dict(model.weights),
        "shift": model.shift,
        "means": dict(model.means),
        "reference": model.reference.content(),
    }
    code = hash_files(Path(__file__).parent.glob("*.py"))
    manifest = describe(
        name, data_hash=data_hash, code_hash=code, metrics=metrics, floors=floors, libraries=LIBRARIES
    )  # fmt: skip
    return registry.save(manifest, {FILE: sio.dumps(content)})


def load_model(registry: Registry, name: str, version: str | None = None) -> tuple[Model, Manifest]:
    """A version of the model, by default the one in use.

    Raises ModelError when it is missing or damaged, was written by another minor version of scikit-learn or scipy, whose trees
    and splines may mean something else, or holds types beyond those skops trusts and ALLOWED: nothing of it is run then.
    """
    import skops.io as sio

    manifest = registry.manifest(name, version)
    data = registry.files(manifest)[FILE]
    for library in ("scikit-learn", "scipy"):
        written, ours = manifest.libraries[library], installed(library)
        if written.split(".")[:2] != ours.split(".")[:2]:
            raise ModelError(
                f"{name} {manifest.version} was written by {library} {written}, this is {ours}: train it again"
            )
    if strangers := set(sio.get_untrusted_types(data=data)) - set(ALLOWED):
        raise ModelError(f"{name} {manifest.version} holds types that are not allowed: {sorted(strangers)}")
    content = sio.loads(data, trusted=list(ALLOWED))
    columns = Columns(
        tuple(content["numeric"]), {key: tuple(values) for key, values in content["categories"].items()}, content["left_out"]
    )  # fmt: skip
    model = Model(
        columns, content["members"], content["weights"], content["shift"], content["means"],
        Reference.from_content(content["reference"]),
    )  # fmt: skip
    return model, manifest
