"""The API's view of alerts on key figures."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub_api.analytics.reports.schemas import Email


class NewAlert(BaseModel):
    """Which figure, when it is wrong, and who is told."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120, examples=["Satisfação caindo"])
    kpi: str = Field(min_length=1, max_length=60, description="a key of /api/v1/analytics/catalogue", examples=["csat"])
    comparison: Literal["above", "below"] = Field(examples=["below"])
    threshold: float = Field(allow_inf_nan=False, description="in the figure's unit", examples=[4.2])
    days: int = Field(1, ge=1, le=31, description="the window: so many days, today the last one")
    emails: list[Email] = Field(min_length=1, max_length=50, examples=[["operacao@operadora.example"]])
    active: bool = True


class Alert(NewAlert):
    """An alert and what it found when it last looked."""

    id: UUID
    state: Literal["quiet", "firing"]
    value: float | None = Field(description="at the last look; null: there was nothing to measure")
    changed_at: datetime | None
    checked_at: datetime | None
    created_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    created_at: datetime
    updated_at: datetime


class AlertPage(BaseModel):
    """Alerts, oldest first."""

    items: list[Alert]
    next_cursor: str | None
