"""Portable data: the documented form in which a person takes his data along. Only optional fields may be added to version 1."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Portable(BaseModel):
    """Made from the access report; what is not named here is not handed over."""

    model_config = ConfigDict(extra="ignore")


class PortablePerson(Portable):
    """The person as he is now."""

    name: str | None = Field(examples=["Ana Souza"])
    phone: str | None = Field(examples=["+5511987654321"], description="E.164")
    state_code: str | None = Field(examples=["SP"])
    language: str = Field(examples=["pt_BR"])
    created_at: datetime = Field(description="first known")


class PortablePhone(Portable):
    """A phone and the time it was the person's."""

    value: str = Field(examples=["+5511987654321"])
    valid_from: datetime
    valid_to: datetime | None


class PortableConsent(Portable):
    """A consent (`granted`) or its refusal."""

    scope: Literal["marketing", "utility", "all"]
    granted: bool
    channel: str
    text_version: str | None
    text: str | None = Field(description="the words that were consented to, where the hub has them")
    occurred_at: datetime


class PortableFile(Portable):
    """A file of a message, by name; its content is asked for by itself."""

    kind: str
    filename: str | None
    mime_type: str | None
    size_bytes: int | None


class PortableMessage(Portable):
    """One message; `in` is the person's."""

    created_at: datetime
    direction: Literal["in", "out"]
    type: str = Field(examples=["text"])
    content: str | None
    files: list[PortableFile]


class PortableConversation(Portable):
    """One demand under its protocol, messages in their order."""

    protocol: str
    channel: str
    opened_at: datetime
    closed_at: datetime | None
    satisfaction: int | None
    nps: int | None
    messages: list[PortableMessage]


class PortableContract(Portable):
    """A contract; its id is the operator's."""

    external_id: str
    plan: str
    phone: str | None
    status: str
    started_on: date
    ended_on: date | None


class PortableInvoice(Portable):
    """An invoice; the amount in millionths of the currency."""

    external_id: str
    contract_id: str
    reference_month: date
    amount_micros: int
    currency: str
    due_on: date
    status: str


class PortablePayment(Portable):
    """A payment; the amount in millionths of the currency."""

    external_id: str
    invoice_id: str
    amount_micros: int
    currency: str
    method: str
    paid_at: datetime


class PortableTicket(Portable):
    """A service ticket."""

    external_id: str
    contract_id: str
    kind: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    summary: str | None


class PortableData(Portable):
    """All of it, times in UTC."""

    format: Literal["telecom-hub/portable-data/1"]
    made_at: datetime
    person: PortablePerson
    phones: list[PortablePhone]
    consents: list[PortableConsent]
    contracts: list[PortableContract]
    invoices: list[PortableInvoice]
    payments: list[PortablePayment]
    service_tickets: list[PortableTicket]
    conversations: list[PortableConversation]


def customer_file(customer_id: UUID, ending: str) -> str:
    """The name of a file about a customer: it names him by his internal id only."""
    return f"customer-{customer_id}.{ending}"
