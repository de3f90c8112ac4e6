"""What the API of goals takes and shows."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from hub_api.campaigns.goals.record import MAX_BATCH, Told
from hub_api.chat import phone as phones

KIND = r"^[a-z][a-z0-9_]{0,39}$"


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class NewGoal(Strict):
    """What a customer did, named by one of customer_id, phone, contract_id, or the code that `{click}` gave the target of a link."""

    kind: str = Field(
        pattern=KIND, examples=["purchase"], description="payment, purchase, cancellation, or one of your own"
    )
    external_id: str = Field(
        min_length=1, max_length=200, examples=["PED-7781"], description="yours; the same is told once"
    )
    occurred_at: AwareDatetime = Field(examples=["2026-11-26T10:15:00-03:00"])
    value_micros: int = Field(0, ge=0, le=10**15, examples=[99_900_000], description="millionths of value_currency")
    value_currency: str = Field("BRL", pattern="^[A-Z]{3}$")
    customer_id: UUID | None = None
    phone: str | None = Field(None, max_length=40)
    contract_id: str | None = Field(None, max_length=100)
    click: str | None = Field(None, max_length=100, examples=["4fTq0ZbW9xKc2LmA"])

    @field_validator("phone")
    @classmethod
    def _is_a_phone(cls, text: str | None) -> str | None:
        if text is not None and (text := phones.from_text(text)) is None:
            raise ValueError("must be a phone number with its area code, such as +5511987654321")
        return text

    @model_validator(mode="after")
    def _names_its_customer_once(self) -> Self:
        if [self.customer_id, self.phone, self.contract_id, self.click].count(None) != 3:
            raise ValueError("name the customer by one of customer_id, phone, contract_id and click")
        return self

    def told(self) -> Told:
        """The goal as `record` takes it."""
        return Told(**self.model_dump())


class NewGoals(Strict):
    """In any order; each counts by itself."""

    goals: list[NewGoal] = Field(min_length=1, max_length=MAX_BATCH)


class GoalFault(BaseModel):
    """Why a goal was not taken; `position` counts from 0, and is the line number in a file."""

    position: int
    external_id: str | None
    field: str | None
    message: str


class GoalReport(BaseModel):
    """What became of the goals: `unchanged` were known; `rejected` are listed with their reasons, at most 1,000."""

    received: int
    written: int
    unchanged: int
    rejected: int
    errors: list[GoalFault]


class Goal(BaseModel):
    """A goal and the campaign message it is laid to, or why to none."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    kind: str = Field(examples=["purchase"])
    external_id: str
    customer_id: UUID
    value_micros: int
    value_currency: str
    occurred_at: datetime
    source: str = Field(examples=["signed"], description="api, signed, file, click, events or contracts")
    reason: Literal["attributed", "no_message", "other_goal", "outside_window"] | None = Field(
        description="attributed; no_message: no campaign wrote within ninety days before; other_goal: the campaign that wrote last "
        "wants something else; outside_window: its message was too long ago"
    )
    message_id: UUID | None
    campaign_id: UUID | None
    variant: str | None
    sent_at: datetime | None
    window_days: int | None
    created_at: datetime


class GoalPage(BaseModel):
    """Newest first by when they were told; `next_cursor` is null on the last page."""

    items: list[Goal]
    next_cursor: str | None


class NewConversionKey(Strict):
    """A key for one system that reports goals."""

    name: str = Field(min_length=1, max_length=120, examples=["Loja virtual"])


class ConversionKey(BaseModel):
    """A key without its secret."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(examples=["ck_0123456789abcdef"])
    name: str
    created_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


class KeyWithSecret(ConversionKey):
    """A key just made; the secret is shown this once."""

    secret: str


class Keys(BaseModel):
    """All keys, newest first."""

    items: list[ConversionKey]


class Laid(BaseModel):
    """How many goals are laid to a message, and how many are not, by reason."""

    attributed: int = 0
    no_message: int = 0
    other_goal: int = 0
    outside_window: int = 0
