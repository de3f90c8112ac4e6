"""What was decided before the first assignment: arms, metrics and their roles, error rates. Read from the plan's event."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a metric is made from its units."""

    PROPORTION = "proportion"
    MEAN = "mean"
    RATIO = "ratio"
    QUANTILE = "quantile"


class Role(StrEnum):
    """What a metric is for: the decision, more insight, or protection."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    GUARDRAIL = "guardrail"


@dataclass(frozen=True, slots=True)
class Known:
    """A metric that the warehouse computes, with its name as people read it."""

    kind: Kind
    label: str
    higher_is_better: bool = True
    q: float = 0.0  # of a quantile: which one


# Per customer assigned, within the plan's window after the assignment.
CATALOGUE: Mapping[str, Known] = {
    "conversion": Known(Kind.PROPORTION, "conversão"),
    "value": Known(Kind.MEAN, "valor por cliente"),
    "value_per_goal": Known(Kind.RATIO, "valor por conversão"),
    "value_p90": Known(Kind.QUANTILE, "valor no percentil 90 dos clientes", q=0.9),
    "value_p99": Known(Kind.QUANTILE, "valor no percentil 99 dos clientes", q=0.99),
    "reply": Known(Kind.PROPORTION, "clientes que escreveram"),
    "opt_out": Known(Kind.PROPORTION, "descadastros", higher_is_better=False),
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of one experiment. `effect`: the size of difference one looks for, in the metric's unit (a share, or money
    per customer); `margin`: the harm a guardrail tolerates."""

    name: str
    role: Role
    effect: float
    margin: float | None = None

    @property
    def known(self) -> Known:
        """Its entry in the catalogue."""
        return CATALOGUE[self.name]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of an experiment; `shares` are those in force last, `metrics` in the order of the plan."""

    experiment: str
    control: str
    shares: Mapping[str, float]
    metrics: tuple[Metric, ...]
    window_days: int
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.control not in self.shares or len(self.shares) < 2:
            raise ValueError(f"experiment {self.experiment}: the control must be one of at least two variants")
        if not any(metric.role is Role.PRIMARY for metric in self.metrics):
            raise ValueError(f"experiment {self.experiment}: at least one metric must be the primary one")
        if wrong := [
            m.name for m in self.metrics if m.effect <= 0 or (m.role is Role.GUARDRAIL) != (m.margin is not None)
        ]:
            raise ValueError(
                f"experiment {self.experiment}: each metric needs an effect above 0, and a guardrail alone a margin: {wrong}"
            )
        if wrong := [m.name for m in self.metrics if m.known.kind is Kind.QUANTILE and m.role is not Role.SECONDARY]:
            raise ValueError(
                f"experiment {self.experiment}: no interval of a quantile holds at every look, so it informs and is secondary: {wrong}"
            )


def plan_of(payload: Mapping[str, Any]) -> Plan:
    """The plan of an `experiment.planned` payload. Raises ValueError naming what is missing or wrong."""
    try:
        metrics = tuple(
            Metric(one["name"], Role(one["role"]), float(one["effect"]), one.get("margin"))
            for one in payload["metrics"]
        )
        if unknown := [metric.name for metric in metrics if metric.name not in CATALOGUE]:
            raise ValueError(f"metrics that nobody computes: {unknown}")
        return Plan(
            payload["experiment"], payload["control"], dict(payload["shares"]), metrics,
            int(payload["window_days"]), float(payload.get("alpha") or 0.05),
        )  # fmt: skip
    except KeyError as missing:
        raise ValueError(f"a plan needs {missing}") from missing
