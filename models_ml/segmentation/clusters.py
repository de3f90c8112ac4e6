"""Learned groups of customers: k-means on scaled figures, k chosen by how well the groups come again in samples.

A choice of k stands when the groups of two halves of the same customers agree (adjusted Rand index over bootstrap pairs, after
Hennig 2007 and von Luxburg 2010), not when a curve bends. Names and profiles are in Portuguese, for people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]

KS: Final = range(3, 9)
PAIRS: Final = 4
SAMPLE: Final = 2_000  # customers of one bootstrap sample
FITTED: Final = 50_000  # customers that the last fit learns from
STABLE: Final = 0.6  # mean ARI from which groups count as stable
DRIFTED: Final = 0.25  # population stability index from which a group's share has drifted (Siddiqi, 2006)

# Column of gold.customer_features -> what people call much and little of it.
COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "monthly_micros": ("plano caro", "plano barato"),
    "tenure_days": ("cliente antigo", "cliente novo"),
    "contacts_90d": ("fala muito", "fala pouco"),
    "technical_contacts_90d": ("problemas técnicos", "sem problemas técnicos"),
    "campaigns_read_90d": ("lê campanhas", "não lê campanhas"),
    "late_micros": ("em atraso", "em dia"),
    "invoices_paid_late_365d": ("paga atrasado", "paga no prazo"),
    "tickets_90d": ("muitos chamados", "sem chamados"),
}


@dataclass(frozen=True)
class Profile:
    """A group as people read it: its name, its share of all, and the mean of each figure with how far from everybody's."""

    cluster: int
    name: str
    share: float
    means: Mapping[str, float]
    deviations: Mapping[str, float]


@dataclass(frozen=True)
class Model:
    """What was learned: medians and scales of log figures, centres, and how stable the choice was by k."""

    columns: tuple[str, ...]
    middle: tuple[float, ...]
    scale: tuple[float, ...]
    centres: tuple[tuple[float, ...], ...]
    stability: Mapping[int, float]
    profiles: tuple[Profile, ...]

    @property
    def k(self) -> int:
        """How many groups."""
        return len(self.centres)


def fit(figures: "Matrix", columns: Sequence[str], *, seed: int = 1, previous: Model | None = None) -> Model | None:
    """Learn groups of customers (rows) from non-negative figures (columns, by name), the same for the same seed.

    With `previous` the new groups keep the numbers of the old ones they are nearest to, so that a refit is comparable.
    None when the customers do not differ enough for three groups. Raises ValueError on a negative figure, a missing one, or
    columns that do not fit.
    """
    import numpy as np

    if figures.shape[1] != len(columns):
        raise ValueError(f"{figures.shape[1]} columns of figures and {len(columns)} names")
    if not np.isfinite(figures).all() or (figures < 0).any():
        raise ValueError("figures must be there and not negative")
    logs = np.log1p(figures)
    middle = np.median(logs, axis=0)
    scale = logs.std(axis=0)
    scale[scale == 0] = 1.0
    scaled = (logs - middle) / scale
    chance = np.random.default_rng(seed)
    looked_at = scaled[chance.choice(len(scaled), min(FITTED, len(scaled)), replace=False)]
    if len(np.unique(looked_at, axis=0)) < max(KS):
        return None
    stability = {k: _stability(scaled, k, chance) for k in KS}
    best = max(stability.values())
    k = max(k for k, found in stability.items() if found >= best - 0.002)  # of equally stable ones the finest
    centres = _kmeans(looked_at, k, seed).cluster_centers_
    if previous is not None and previous.columns == tuple(columns):
        centres = _in_order(centres, np.array(previous.centres))
    else:
        centres = _by_size(centres, scaled)
    model = Model(tuple(columns), tuple(middle), tuple(scale), tuple(map(tuple, centres.tolist())), stability, ())
    return Model(**{**vars(model), "profiles": _profiles(model, figures, assign(model, figures))})


def assign(model: Model, figures: "Matrix") -> "Labels":
    """The group of each customer: that of the nearest centre."""
    import numpy as np

    scaled = (np.log1p(figures) - np.array(model.middle)) / np.array(model.scale)
    centres = np.array(model.centres)
    labels = np.empty(len(scaled), dtype=np.int64)
    for start in range(0, len(scaled), 100_000):  # distances of everybody to everything would fill the memory
        part = scaled[start : start + 100_000]
        labels[start : start + 100_000] = ((part[:, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    return labels


def agreement(before: "Labels", after: "Labels") -> float:
    """Adjusted Rand index of two groupings of the same customers: 1 the same, about 0 chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(before, after))


def stability_index(before: Sequence[float], after: Sequence[float]) -> float:
    """Population stability index of shares by group: below 0.1 steady, from 0.25 on drifted (Siddiqi, 2006)."""
    import numpy as np

    old, new = (np.clip(np.array(shares, dtype=float), 1e-4, None) for shares in (before, after))
    return float(((new - old) * np.log(new / old)).sum())


def to_json(model: Model) -> dict[str, Any]:
    """The model as JSON values."""
    shown = {**vars(model), "stability": {str(k): found for k, found in model.stability.items()}}
    return {**shown, "profiles": [vars(one) for one in model.profiles]}


def from_json(value: Mapping[str, Any]) -> Model:
    """The model that `to_json` wrote. Raises KeyError or TypeError for anything else."""
    return Model(
        tuple(value["columns"]),
        tuple(value["middle"]),
        tuple(value["scale"]),
        tuple(tuple(centre) for centre in value["centres"]),
        {int(k): found for k, found in value["stability"].items()},
        tuple(Profile(**one) for one in value["profiles"]),
    )


def _kmeans(rows: "Matrix", k: int, seed: int, starts: int = 4) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=k, n_init=starts, random_state=seed).fit(rows)


def _stability(scaled: "Matrix", k: int, chance: "np.random.Generator") -> float:
    """Mean agreement of two fits on samples of their own about a third set of customers."""
    import numpy as np

    found = []
    size = min(SAMPLE, len(scaled))
    for _ in range(PAIRS):
        fits = [
            _kmeans(scaled[chance.choice(len(scaled), size)], k, int(chance.integers(1 << 30)), 2) for _ in range(2)
        ]
        judged = scaled[chance.choice(len(scaled), size)]
        found.append(agreement(fits[0].predict(judged), fits[1].predict(judged)))
    return float(np.mean(found))


def _in_order(centres: "Matrix", before: "Matrix") -> "Matrix":
    """The centres with the places of the old ones nearest to them (least total distance); further ones come last."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    distances = ((before[:, None, :] - centres[None]) ** 2).sum(axis=2)
    _, places = linear_sum_assignment(distances)
    rest = [place for place in range(len(centres)) if place not in set(places.tolist())]
    return np.asarray(centres[[*places.tolist(), *rest]])


def _by_size(centres: "Matrix", scaled: "Matrix") -> "Matrix":
    import numpy as np

    nearest = ((scaled[:50_000, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    return np.asarray(centres[np.argsort(-np.bincount(nearest, minlength=len(centres)), kind="stable")])


def _profiles(model: Model, figures: "Matrix", labels: "Labels") -> tuple[Profile, ...]:
    everybody = figures.mean(axis=0)
    found: list[Profile] = []
    taken: set[str] = set()
    for cluster, centre in enumerate(model.centres):
        members = figures[labels == cluster]
        means = members.mean(axis=0) if len(members) else everybody * 0
        # How far the centre lies from everybody's, in spreads of the log figure.
        deviations = dict(zip(model.columns, _from_mean(model, figures, centre), strict=True))
        name = _named(deviations, taken)
        taken.add(name)
        figures_by_name = dict(zip(model.columns, means.tolist(), strict=True))
        found.append(Profile(cluster, name, len(members) / len(figures), figures_by_name, deviations))
    return tuple(found)


def _from_mean(model: Model, figures: "Matrix", centre: Sequence[float]) -> list[float]:
    import numpy as np

    mean = ((np.log1p(figures) - np.array(model.middle)) / np.array(model.scale)).mean(axis=0)
    return (np.array(centre) - mean).tolist()  # type: ignore[no-any-return]


def _named(deviations: Mapping[str, float], taken: set[str]) -> str:
    """The two figures that set the group apart most, as words; a third when the name is taken."""
    order = sorted(deviations, key=lambda name: -abs(deviations[name]))
    for words in range(2, len(order) + 1):
        parts = [COLUMNS.get(name, (f"muito {name}", f"pouco {name}"))[deviations[name] < 0] for name in order[:words]]
        name = ", ".join(parts).capitalize()
        if name not in taken:
            return name
    return f"{name} ({len(taken) + 1})"
