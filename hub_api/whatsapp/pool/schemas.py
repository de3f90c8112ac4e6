"""Bodies and answers of the pool's endpoints."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from hub_api.platform.pages import Rows
from hub_api.whatsapp.compose.template_parts import NewTemplate
from hub_api.whatsapp.pool.view import Numbers


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


class Checked(BaseModel):
    """Whether Meta answered; the number's state after it, or why it could not be read."""

    done: bool
    state: str
    failure: str | None


class Page(BaseModel):
    """Rows in a stable order; `next_cursor` is null on the last page."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


def shown(found: Rows | Numbers) -> Page:
    """One page of rows as they are answered."""
    return Page(items=[dict(row) for row in found.rows], next_cursor=found.next_cursor)


class To(Strict):
    """Who gets it: exactly one of the three."""

    customer_id: UUID | None = None
    phone: str | None = Field(
        None, max_length=30, examples=["+5511987654321"], description="international, with country code"
    )
    bsuid: str | None = Field(
        None, pattern=r"^[A-Z]{2}\.[A-Za-z0-9.]{1,200}$", description="WhatsApp's own id of the person"
    )

    @model_validator(mode="after")
    def _one(self) -> "To":
        if sum(value is not None for value in (self.customer_id, self.phone, self.bsuid)) != 1:
            raise ValueError("give exactly one of customer_id, phone and bsuid")
        return self


class Outreach(Strict):
    """An approved template for one person, as an invoice notice."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "to": {"phone": "+5511987654321"},
                    "template": {
                        "type": "template",
                        "name": "fatura_disponivel",
                        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}],
                    },
                }
            ]
        },
    )

    to: To
    template: NewTemplate
    waba_id: str | None = Field(
        None, pattern=r"^\d{5,30}$", description="the account; without it, any that has the template"
    )


class Placed(BaseModel):
    """The queued message, whom it is for, and from which number it will leave."""

    id: UUID
    customer_id: UUID
    conversation_id: UUID
    number_id: UUID
