"""The API's view of retention and legal holds."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub_api.chat.privacy.retention import Action

_CUSTOMER = "0199f2c0-7a0f-7b02-8c44-1f2e3d4c5b6a"


class RuleShown(BaseModel):
    """How long a kind of data is kept; texts are in Portuguese."""

    key: str = Field(examples=["conversations"])
    title: str = Field(examples=["Conversas e mensagens encerradas"])
    action: Action = Field(
        description="delete: rows go; anonymise: texts and identifiers go; erase: the whole person, with a receipt"
    )
    days: int = Field(examples=[1826], description="HUB_RETENTION_DAYS changes it")
    at_least: int = Field(examples=[730], description="days that the law asks for")
    counted_from: str = Field(examples=["encerramento da conversa"])
    legal_basis: str
    source: str = Field(examples=["Decreto 11.034/2022, art. 12 § 5º"])
    due: int = Field(description="records past their time now, held ones not counted")


class Retention(BaseModel):
    """All rules."""

    items: list[RuleShown]


class NewHold(BaseModel):
    """What to hold, and why: the case, not the person."""

    model_config = ConfigDict(extra="forbid")

    customer_id: UUID = Field(examples=[_CUSTOMER])
    conversation_id: UUID | None = Field(None, description="only this one; everything of the customer when left out")
    reason: str = Field(min_length=3, max_length=500, examples=["Processo 0001234-56.2026.8.26.0100"])
    legal_basis: str = Field(min_length=3, max_length=200, examples=["LGPD art. 7º, VI"])


class Hold(BaseModel):
    """A legal hold; in force while `released_at` is null."""

    id: UUID
    customer_id: UUID
    conversation_id: UUID | None
    reason: str
    legal_basis: str
    placed_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    released_by: str | None
    created_at: datetime
    released_at: datetime | None


class HoldPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Hold]
    next_cursor: str | None
