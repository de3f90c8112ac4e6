"""What the tables know of a customer, as the API shows it: every part with the day or the time it is of."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class InSegment(BaseModel):
    """A segment that the customer is in."""

    segment_id: UUID
    name: str = Field(examples=["Fibra sem contato há 30 dias"])
    entered_on: date


class Churn(BaseModel):
    """The risk that he leaves, from the last scoring."""

    as_of: date
    probability: float = Field(ge=0, le=1, examples=[0.18])
    band: Literal["low", "medium", "high"]
    reasons: list[str] = Field(description="what raises it most, in words for people")
    horizon_days: int = Field(examples=[30])


class Value(BaseModel):
    """What he is worth to the operator."""

    as_of: date
    tier: str = Field(examples=["Ouro"])
    score: float = Field(ge=0, le=100, examples=[71.5])
    group: str = Field(examples=["Fiéis"], description="of recency, frequency and money")


class Mood(BaseModel):
    """How he felt in one conversation."""

    day: date
    conversation_id: UUID
    score: float = Field(ge=-1, le=1, description="positive minus negative, mean of his messages")
    label: str = Field(examples=["negative"], description="how it ended")
    reason: str = Field(examples=["technical"])


class Habits(BaseModel):
    """What he did lately."""

    as_of: date
    contacts_30d: int
    contacts_90d: int
    satisfaction_90d: float | None = Field(description="mean rating, 1 to 5; null: none")
    satisfaction_last: float | None
    tickets_open: int
    tenure_days: int


class Insights(BaseModel):
    """What the warehouse tells; parts that it does not have are null or empty."""

    available: bool = Field(description="false: the warehouse is away or was never built, nothing below is told")
    segments: list[InSegment]
    segments_as_of: datetime | None = Field(description="when members were found last")
    churn: Churn | None
    value: Value | None
    moods: list[Mood] = Field(description="of his last conversations with words, the newest first")
    habits: Habits | None
