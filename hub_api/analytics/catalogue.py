"""The catalogue of key figures: assets/gold/kpi/catalogue.yaml, read as a file, since the real-time image has no Dagster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from hub_api.errors import NotFound
from hub_api.platform.figure_cases import Select, of_figure, of_funnel


@dataclass(frozen=True)
class Kpi:
    """A key figure: what it is called, how it is counted, and the view that has its cases."""

    key: str
    name: str
    formula: str
    unit: str
    better: str
    kind: str
    scale: float
    has_quantiles: bool
    target_value: float | None
    target_change: float | None
    cases: Sequence[Select]  # of `view`; none of what is measured elsewhere

    @property
    def view(self) -> str:
        """One row per case, with numerator and denominator."""
        return f"gold.kpi_{self.key}"

    def figure(self, numerator: int, denominator: int) -> float | None:
        """The one formula of all figures; None for a ratio without a case."""
        if self.kind == "ratio":
            return self.scale * numerator / denominator if denominator else None
        return self.scale * numerator

    def target(self, baseline: float | None) -> float | None:
        """What is aimed at: a fixed value, or a change of the stored baseline (None without one)."""
        if self.target_change is None:
            return self.target_value
        return None if baseline is None else baseline * (1 + self.target_change)

    def is_met(self, value: float | None, target: float | None) -> bool | None:
        """Whether the value is on the good side of the target; None when either is missing."""
        if value is None or target is None:
            return None
        return value > target if self.better == "up" else value < target


@dataclass(frozen=True)
class Funnel:
    """Steps, each of which has only cases of the one before, by key and name."""

    key: str
    name: str
    steps: Mapping[str, str]
    cases: Sequence[Select]  # of `view`

    @property
    def view(self) -> str:
        """One row per case, with a column of 0 or 1 for each step."""
        return f"gold.funnel_{self.key}"


@dataclass(frozen=True)
class Catalogue:
    """All figures and funnels, and the names of what they are broken down by."""

    kpis: Mapping[str, Kpi]
    elsewhere: Mapping[str, Kpi]
    funnels: Mapping[str, Funnel]
    dimensions: Mapping[str, str]

    def kpi(self, key: str) -> Kpi:
        """Raises NotFound."""
        if key not in self.kpis:
            raise NotFound(f"there is no key figure {key!r}: see /api/v1/analytics/catalogue")
        return self.kpis[key]

    def funnel(self, key: str) -> Funnel:
        """Raises NotFound."""
        if key not in self.funnels:
            raise NotFound(f"there is no funnel {key!r}: see /api/v1/analytics/catalogue")
        return self.funnels[key]


def assets_folder() -> Path:
    """Where the installed `assets` are: their files can be read where the package cannot be imported."""
    spec = find_spec("assets")
    (folder,) = (spec.submodule_search_locations if spec else None) or ["assets"]
    return Path(folder)


@cache
def catalogue() -> Catalogue:
    """The catalogue of the installed `assets`."""
    told = yaml.safe_load((assets_folder() / "gold" / "kpi" / "catalogue.yaml").read_text("utf-8"))
    return Catalogue(
        {key: _kpi(key, one, of_figure(told, one)) for key, one in told["kpis"].items()},
        {key: _kpi(key, one, ()) for key, one in told["measured_elsewhere"].items()},
        {
            key: Funnel(
                key, one["name"], {step: said["name"] for step, said in one["steps"].items()}, of_funnel(told, one)
            )
            for key, one in told["funnels"].items()
        },
        told["dimensions"],
    )


def _kpi(key: str, told: Mapping[str, Any], cases: Sequence[Select]) -> Kpi:
    target = told.get("target", {})
    return Kpi(
        key, told["name"], told["formula"], told["unit"], told["better"], told.get("kind", "ratio"), float(told.get("scale", 1)),
        bool(told.get("quantiles")), target.get("value"), target.get("change_of_baseline"), cases,
    )  # fmt: skip
