"""Bodies and answers of the pool's endpoints."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from hub_api.platform.pages import Rows


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class NewAccount(Strict):
    """A WhatsApp business account with the token of a system user; the token is stored encrypted and never shown."""

    waba_id: str = Field(pattern=r"^\d{5,30}$", examples=["102290000000001"])
    portfolio_id: str = Field(pattern=r"^\d{5,30}$", examples=["111000000000001"])
    name: str = Field(min_length=1, max_length=200, examples=["Provedor Exemplo"])
    token: SecretStr = Field(min_length=1, max_length=1000)


class NewNumber(Strict):
    """A number of a registered account."""

    waba_id: str = Field(pattern=r"^\d{5,30}$", examples=["102290000000001"])
    phone_number_id: str = Field(pattern=r"^\d{5,30}$", examples=["106540000000001"])
    display_phone_number: str = Field(pattern=r"^\+?\d{8,15}$", examples=["551130001000"])
    verified_name: str | None = Field(None, max_length=200)
    throughput_mps: int = Field(80, ge=1, le=1000, description="messages per second that Meta allows the number")


class Stop(Strict):
    """Why, and until when."""

    reason: str = Field("parado por uma pessoa", min_length=1, max_length=500, examples=["manutenção da linha"])
    until: AwareDatetime | None = Field(None, description="without it: until it is resumed")


class Why(Strict):
    """The reason that the history shows."""

    reason: str = Field("pedido de uma pessoa", min_length=1, max_length=500, examples=["número será devolvido"])


class Registration(Strict):
    """The number's two-step PIN; it is not stored."""

    pin: SecretStr = Field(min_length=6, max_length=6, examples=["123456"])


class Created(BaseModel):
    """The id under which it is known here."""

    id: UUID


class State(BaseModel):
    """The state of a number after the step."""

    state: str


class Change(BaseModel):
    """One step in the life of a number or account; `source` is who or what made it."""

    id: int
    from_state: str
    to_state: str
    reason: str | None
    source: str
    at: datetime


class Page(BaseModel):
    """Rows in a stable order; `next_cursor` is null on the last page."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


def shown(found: Rows) -> Page:
    """One page of rows as they are answered."""
    return Page(items=[dict(row) for row in found.rows], next_cursor=found.next_cursor)
