"""What the analytics API answers and takes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub_api.analytics.catalogue import Kpi


class KpiInfo(BaseModel):
    """What a key figure is."""

    key: str = Field(examples=["csat"])
    name: str = Field(examples=["Satisfação do cliente (CSAT)"])
    formula: str
    unit: str = Field(description="seconds, share (0 to 1), points, rating, count, money or per_hour")
    better: str = Field(description="up, down or none: which way is good")
    kind: str = Field(description="ratio: scale * numerator / denominator; sum and level: scale * numerator")
    scale: float
    target: float | None = Field(description="fixed, or from the stored baseline; null without one")
    target_change: float | None = Field(description="the target as a change of the baseline: -0.4 is 40 % below it")
    baseline: float | None = Field(description="what it was before the hub, as stored by PUT /baselines")
    measured_by: str = Field(
        description="warehouse: the figures of this API; service_levels: what the API counts of itself, of the last 30 days, "
        "told by gold.bi_kpi_goals and the dashboard Executivo"
    )


class FunnelInfo(BaseModel):
    """A funnel and its steps, in order."""

    key: str = Field(examples=["service"])
    name: str
    steps: dict[str, str]


class CatalogueShown(BaseModel):
    """Every key figure, funnel and dimension."""

    kpis: list[KpiInfo]
    funnels: list[FunnelInfo]
    dimensions: dict[str, str]


class Value(BaseModel):
    """A figure with what it was made from."""

    value: float | None = Field(description="null without a case, and for amounts in several currencies")
    cases: int
    numerator: int = Field(description="whole: counts, microseconds or millionths")
    denominator: int


class Figure(Value):
    """A key figure of a period."""

    kpi: KpiInfo
    is_met: bool | None = Field(description="on the good side of the target; null without value or target")
    median: float | None = None
    p90: float | None = None
    currencies: list[str] | None = None


class Period(BaseModel):
    """Business days, both ends included."""

    first: date
    last: date


class Figures(Period):
    """All key figures of a period, in the order of the catalogue."""

    items: list[Figure]


class Point(Value):
    """The figure of one hour, day, week or month."""

    at: datetime | date = Field(description="its start: UTC for hours, a business day for the others")


class Series(Period):
    """A figure over time."""

    kpi: KpiInfo
    grain: str
    items: list[Point]


class Part(Value):
    """The figure of one value of a dimension."""

    by: str = Field(description="the value; empty for none")
    label: str = Field(description="its name where the hub knows one")


class Breakdown(Period):
    """A figure by a dimension, the most cases first."""

    kpi: KpiInfo
    dimension: str
    items: list[Part]


class Step(BaseModel):
    """A step of a funnel."""

    key: str
    name: str
    cases: int
    of_first: float | None = Field(description="share of the first step's cases")
    of_previous: float | None = Field(description="share of the step before")


class FunnelShown(Period):
    """How many cases came how far."""

    funnel: FunnelInfo
    items: list[Step]


class Behind(BaseModel):
    """A conversation behind a figure, with its share of it. Names only for those who see the conversation."""

    conversation_id: UUID
    at: datetime
    queue: str
    agent_id: UUID | None
    number_id: UUID | None
    cases: int
    numerator: int
    denominator: int
    value: float | None = Field(description="the figure of this conversation alone")
    protocol: str | None
    state: str | None
    customer_name: str | None


class Total(Value):
    """What all conversations behind the figure come to: the figure itself."""

    conversations: int


class BehindPage(Period):
    """Conversations behind a figure."""

    total: Total
    items: list[Behind]
    next_cursor: str | None


class NewBaseline(BaseModel):
    """What a figure was before the hub."""

    model_config = ConfigDict(extra="forbid")

    value: float = Field(examples=[2.4], allow_inf_nan=False, description="in the figure's unit")
    measured_from: date | None = None
    measured_to: date | None = None
    note: str = Field("", max_length=500, examples=["Relatório do sistema anterior, 2º trimestre"])


class Baseline(NewBaseline):
    """A stored baseline."""

    model_config = ConfigDict(extra="ignore")

    kpi: str
    updated_at: datetime


class BaselineList(BaseModel):
    """The stored baselines, by figure: at most one each."""

    items: list[Baseline]


def info(kpi: Kpi, baselines: dict[str, Any], measured_by: str = "warehouse") -> KpiInfo:
    """A figure with its target by the stored baselines."""
    baseline = baselines.get(kpi.key)
    return KpiInfo(
        key=kpi.key, name=kpi.name, formula=kpi.formula, unit=kpi.unit, better=kpi.better, kind=kpi.kind, scale=kpi.scale,
        target=kpi.target(baseline), target_change=kpi.target_change, baseline=baseline, measured_by=measured_by,
    )  # fmt: skip
