"""The API's view of privacy work."""

from pydantic import BaseModel, Field

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
