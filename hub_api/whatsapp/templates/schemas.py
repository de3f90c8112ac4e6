"""Bodies and answers of the templates' endpoints."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub_api.whatsapp.templates.check import Draft
from hub_api.whatsapp.templates.drafts import Saved

_BODY = {
    "type": "BODY",
    "text": "Olá {{primeiro_nome}}, sua fatura de {{valor}} já está disponível.",
    "example": {
        "body_text_named_params": [
            {"param_name": "primeiro_nome", "example": "Ana"},
            {"param_name": "valor", "example": "R$ 99,90"},
        ]
    },
}
_BUTTONS = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Segunda via"}]}

EXAMPLES: dict[str, Any] = {
    "utility": {
        "summary": "A bill, with named parameters",
        "value": {
            "account_id": "0199f0c2-0000-7000-8000-000000000001",
            "name": "fatura_disponivel",
            "language": "pt_BR",
            "category": "UTILITY",
            "parameter_format": "NAMED",
            "components": [_BODY, _BUTTONS],
        },
    },
    "code": {
        "summary": "A one-time code: Meta writes the text",
        "value": {
            "account_id": "0199f0c2-0000-7000-8000-000000000001",
            "name": "codigo_de_acesso",
            "language": "pt_BR",
            "category": "AUTHENTICATION",
            "components": [
                {"type": "BODY", "add_security_recommendation": True},
                {"type": "FOOTER", "code_expiration_minutes": 5},
                {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
            ],
        },
    },
}


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Content(Strict):
    """What a template says, in the form in which Meta takes it."""

    components: list[dict[str, Any]] = Field(min_length=1, max_length=10)
    parameter_format: str = Field("POSITIONAL", pattern="^(POSITIONAL|NAMED)$")
    category: str = Field(pattern="^(MARKETING|UTILITY|AUTHENTICATION)$", examples=["UTILITY"])
    ttl_s: int | None = Field(None, description="seconds that a message waits for its phone; null: Meta's own time")


class NewTemplate(Content):
    """A template that Meta does not know yet."""

    account_id: UUID
    name: str = Field(max_length=600, examples=["fatura_disponivel"])
    language: str = Field(max_length=10, examples=["pt_BR"])

    def draft(self) -> Draft:
        """What is checked and kept."""
        return Draft(self.name, self.language, self.category, self.components, self.parameter_format, self.ttl_s)


class Edit(Strict):
    """A new version; what is left out stays as it is."""

    components: list[dict[str, Any]] = Field(min_length=1, max_length=10, examples=[[_BODY]])
    parameter_format: str | None = Field(None, pattern="^(POSITIONAL|NAMED)$")
    category: str | None = Field(None, pattern="^(MARKETING|UTILITY|AUTHENTICATION)$")
    ttl_s: int | None = None


class Unsaved(Content):
    """A draft that nobody has kept: checked and shown as it would be."""

    name: str = Field("rascunho", max_length=600)
    language: str = Field("pt_BR", max_length=10)
    values: list[str] = Field([], max_length=100, description="place=text, as in the preview of a template")

    def draft(self) -> Draft:
        """What is checked."""
        return Draft(self.name, self.language, self.category, self.components, self.parameter_format, self.ttl_s)


class Noted(BaseModel):
    """A field and what is to be said of it."""

    field: str
    message: str


class Kept(BaseModel):
    """Where the draft is kept; `warnings` are what Meta takes and people regret."""

    id: UUID
    version: int
    warnings: list[Noted]

    @classmethod
    def of(cls, saved: Saved) -> "Kept":
        """As it is answered."""
        return cls(id=saved.id, version=saved.version, warnings=[Noted(**asdict(one)) for one in saved.warnings])


class Shown(BaseModel):
    """A template as it would look on the phone, with what Meta would say to it."""

    preview: dict[str, Any]
    faults: list[Noted] = []
    warnings: list[Noted] = []


class Template(BaseModel):
    """A template; `sends` says whether new messages of it leave: approved, and not of RED quality."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    account_id: UUID
    meta_template_id: str | None
    name: str
    language: str
    category: str
    next_category: str | None = Field(description="what Meta announced that the category becomes …")
    category_changes_at: datetime | None = Field(description="… and when")
    status: str
    status_reason: str | None
    quality: str
    sends: bool
    parameter_format: str
    components: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime


class Version(BaseModel):
    """One version: what it said, who wrote it, how it was submitted and what Meta answered."""

    number: int
    state: str
    author: str
    category: str
    parameter_format: str
    ttl_s: int | None
    components: list[dict[str, Any]]
    call: str | None
    answer: dict[str, Any] | None
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None


class Change(BaseModel):
    """A change of status, quality or category, whoever made it."""

    what: str
    old: str | None
    new: str | None
    reason: str | None
    changed_at: datetime


class FullTemplate(Template):
    """With all versions and the last changes, newest first."""

    waba_id: str
    status_detail: dict[str, Any]
    ttl_s: int | None
    version: int
    versions: list[Version]
    changes: list[Change]


class Templates(BaseModel):
    """A page in a stable order; `next_cursor` is null on the last one."""

    items: list[Template]
    next_cursor: str | None = None


class Synced(BaseModel):
    """How many templates Meta lists."""

    templates: int
