"""Drift: how far the rows being scored are from those trained on, per feature and for the score.

Population stability index over bins of the training rows: sum of (actual - expected) * ln(actual / expected), see
Siddiqi, "Credit Risk Scorecards" (2006), whose reading is customary: under 0.1 stable, 0.1 to 0.25 watch, above act. Two small
samples of one population differ too, by (bins - 1) * (1/n + 1/m) on average: what chance alone makes of these numbers of
rows is simulated, and only an index beyond it counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_ml.churn.columns import Columns, Floats

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
WATCH, ACT = 0.1, 0.25
SCORE = "score"
DRAWS = 4000


@dataclass(frozen=True)
class Drift:
    """One feature's index, with the index that chance alone exceeds once in a thousand times, and the verdict."""

    feature: str
    psi: float
    by_chance: float
    verdict: str  # stable, watch or act


@dataclass(frozen=True)
class Reference:
    """How the training rows were spread: edges of bins (numeric), shares per bin, and their number."""

    edges: Mapping[str, Floats]
    shares: Mapping[str, Floats]
    rows: int

    def content(self) -> dict[str, Any]:
        """As plain values, for the model's file."""
        return {"edges": dict(self.edges), "shares": dict(self.shares), "rows": self.rows}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Reference":
        """What `content` gave."""
        return cls(content["edges"], content["shares"], int(content["rows"]))


def learn_reference(columns: Columns, frame: "pd.DataFrame", score: Floats, weights: Any = None) -> Reference:
    """The spread of the training rows and of the score they get out of fold (in fold it would be too sure).

    `weights`: how many rows each stands for, when they are a sample.
    """
    edges, shares = dict[str, Floats](), dict[str, Floats]()
    for name, values in (*_numbers(columns, frame), (SCORE, score)):
        filled = values[~np.isnan(values)]
        edges[name] = np.unique(np.quantile(filled, np.arange(1, BINS) / BINS)) if len(filled) else np.empty(0)
        shares[name] = _share(_bins(values, edges[name]), len(edges[name]) + 2, weights)
    for name, positions in _categories(columns, frame):
        shares[name] = _share(positions, len(columns.categories[name]) + 1, weights)
    return Reference(edges, shares, len(frame))


def measure_drift(columns: Columns, reference: Reference, frame: "pd.DataFrame", score: Floats) -> list[Drift]:
    """The index of each feature and of the score, in `frame` against the training rows. Raises ValueError on no rows."""
    if not len(frame):
        raise ValueError("drift of no rows says nothing")
    found = []
    for name, values in (*_numbers(columns, frame), (SCORE, score)):
        edges = reference.edges[name]
        found.append(_drift(name, reference, _share(_bins(values, edges), len(edges) + 2), len(frame)))
    for name, positions in _categories(columns, frame):
        shares = _share(positions, len(columns.categories[name]) + 1)
        found.append(_drift(name, reference, shares, len(frame)))
    return found


def stability_index(expected: Floats, actual: Floats, rows_expected: int, rows_actual: int) -> float:
    """The index of two spreads over the same bins; an empty bin counts as half a row."""
    first = np.maximum(expected, 0.5 / rows_expected)
    second = np.maximum(actual, 0.5 / rows_actual)
    return float(np.sum((second - first) * np.log(second / first)))


def index_by_chance(shares: Floats, rows_expected: int, rows_actual: int, level: float = 0.999) -> float:
    """The index that two samples of one population with these shares stay below, with probability `level`."""
    rng = np.random.default_rng(0)
    share = shares / shares.sum()
    first = np.maximum(rng.multinomial(rows_expected, share, DRAWS) / rows_expected, 0.5 / rows_expected)
    second = np.maximum(rng.multinomial(rows_actual, share, DRAWS) / rows_actual, 0.5 / rows_actual)
    return float(np.quantile(((second - first) * np.log(second / first)).sum(axis=1), level))


def _drift(name: str, reference: Reference, actual: Floats, rows: int) -> Drift:
    expected = reference.shares[name]
    psi = stability_index(expected, actual, reference.rows, rows)
    by_chance = index_by_chance(expected, reference.rows, rows)
    excess = psi if psi > by_chance else 0.0
    verdict = "act" if excess > ACT else "watch" if excess > WATCH else "stable"
    return Drift(name, psi, by_chance, verdict)


def _numbers(columns: Columns, frame: "pd.DataFrame") -> Sequence[tuple[str, Floats]]:
    matrix = columns.matrix(frame)
    return [(name, matrix[:, position]) for position, name in enumerate(columns.numeric)]


def _categories(columns: Columns, frame: "pd.DataFrame") -> Sequence[tuple[str, Any]]:
    """The position of each row's category; the last position is any that training did not know."""
    matrix, start, found = columns.matrix(frame), len(columns.numeric), list[tuple[str, Any]]()
    for name, values in columns.categories.items():
        block = matrix[:, start : start + len(values)]
        known = block.any(axis=1) if len(values) else np.zeros(len(frame), bool)
        found.append((name, np.where(known, block.argmax(axis=1) if len(values) else 0, len(values))))
        start += len(values)
    return found


def _bins(values: Floats, edges: Floats) -> Any:
    """Bin of each value: those between edges, and a last one for missing values."""
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))


def _share(positions: Any, bins: int, weights: Any = None) -> Floats:
    counted = np.bincount(positions, weights, minlength=bins)
    return np.asarray(counted / max(1, counted.sum()), dtype=float)
