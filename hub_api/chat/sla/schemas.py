"""The API's view of promises of service."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from hub_api.chat.schemas import Shown, Strict


class NewPolicy(Strict):
    """A promise: what, within which time, for which conversations."""

    name: str = Field(min_length=1, max_length=120, examples=["Primeira resposta em 2 minutos"])
    target: Literal["first_response", "next_response", "resolution"] = Field(examples=["first_response"])
    queue: str | None = Field(None, max_length=100, description="key of a queue; null: any")
    priority: int | None = Field(None, ge=1, le=5, description="null: any")
    seconds: int = Field(gt=0, le=31_536_000, examples=[120])
    clock: Literal["calendar", "business"] = Field(
        "business", description="business: in the hours of the conversation's queue"
    )
    warn_before_s: int = Field(0, ge=0, description="tell so long before it is broken; 0: no warning", examples=[30])
    active: bool = True

    @model_validator(mode="after")
    def _warns_before(self) -> "NewPolicy":
        if self.warn_before_s >= self.seconds:
            raise ValueError("warn_before_s must be less than seconds")
        return self


class Policy(NewPolicy, Shown):
    """A promise as it is kept. The most special one counts: queue and priority, queue, priority, any."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


class PolicyPage(Shown):
    """Promises, oldest first."""

    items: list[Policy]
    next_cursor: str | None


class Clock(Shown):
    """A promise's clock for one conversation."""

    target: str = Field(examples=["first_response"])
    policy: str | None = Field(description="its name")
    seconds: int = Field(description="what was promised")
    clock: Literal["calendar", "business"]
    started_at: datetime
    running_since: datetime | None = Field(description="null: it stands")
    spent_s: float = Field(description="before `running_since`")
    due_at: datetime | None = Field(description="null while it stands")
    warned_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None


class Clocks(Shown):
    """Those of one conversation."""

    items: list[Clock]
