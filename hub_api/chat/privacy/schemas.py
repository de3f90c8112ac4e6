"""The API's view of privacy work."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub_api.chat.privacy.inventory import Kind, Store, Treatment


class PersonalColumn(BaseModel):
    """Where a kind of personal data lies, and what becomes of it when a customer is erased."""

    store: Store
    table: str = Field(examples=["customers"])
    column: str = Field(examples=["phone"])
    kind: Kind
    at_erasure: Treatment


class ActivityShown(BaseModel):
    """One processing operation (LGPD art. 37)."""

    key: str = Field(examples=["service"])
    name: str = Field(examples=["Atendimento pelo WhatsApp"])
    subjects: str
    purpose: str
    legal_basis: str
    retention: str
    recipients: str
    data: list[PersonalColumn]


class Register(BaseModel):
    """The register of processing operations."""

    items: list[ActivityShown]


class ErasureRequest(BaseModel):
    """Whom to erase, and why."""

    model_config = ConfigDict(extra="forbid")

    customer_id: UUID = Field(examples=["0199f2c0-7a0f-7b02-8c44-1f2e3d4c5b6a"])
    reason: Literal["request", "consent_withdrawn", "purpose_ended"] = "request"


class Erasure(BaseModel):
    """An erasure and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    customer_id: UUID
    reason: str
    requested_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    state: Literal["queued", "running", "done"]
    erased_at: datetime = Field(description="what the person sent up to here never comes back")
    attempts: int
    counts: dict[str, Any] = Field(
        description="rows erased, by store and table", examples=[{"postgresql": {"messages": 12}}]
    )
    survivors: dict[str, int] = Field(description="what the last count still found, by store and table", examples=[{}])
    receipt: dict[str, Any] | None = Field(description="signed with Ed25519, without personal data; null until done")
    created_at: datetime
    finished_at: datetime | None


class ErasurePage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Erasure]
    next_cursor: str | None


class AccessReport(BaseModel):
    """What the hub knows of a person; times in UTC, amounts in millionths of the currency."""

    format: str = Field(examples=["telecom-hub/access-report/1"])
    made_at: datetime
    person: dict[str, Any] = Field(description="as the customer is now; `has_cpf`: a keyed hash of the CPF is kept")
    merged_customers: list[dict[str, Any]] = Field(description="records that turned out to be the same person")
    identities: list[dict[str, Any]] = Field(description="BSUIDs and phones, with the time they held")
    consents: list[dict[str, Any]] = Field(description="each consent and opt-out with its proof, oldest first")
    suppressions: list[dict[str, Any]] = Field(description="what is not sent to the person now")
    conversations: list[dict[str, Any]] = Field(description="oldest first, with `messages` and their files")
    contracts: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    payments: list[dict[str, Any]]
    service_tickets: list[dict[str, Any]]
    processing: list[dict[str, Any]] = Field(
        description="purpose, legal basis, retention and recipients, in Portuguese"
    )
