"""The door of consent: the texts by version, what a person has decided, and decisions made outside of a message."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import consent_texts, masking, views
from hub_api.chat.consent import Scope, TextScope
from hub_api.chat.schemas import Shown, Strict
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1", tags=["consent"])

Hub = Annotated[Services, Depends(get_services)]
Keeper = Annotated[Principal, Depends(require("privacy:write"))]
Reader = Annotated[Principal, Depends(require("customers:read"))]
Writer = Annotated[Principal, Depends(require("customers:write"))]

VERSION = r"^[a-z0-9][a-z0-9.-]{0,59}$"
_EXAMPLE = "marketing-2026-11"
NO_TEXT: dict[int | str, dict[str, Any]] = {404: {"description": "no such text"}}
NO_CUSTOMER: dict[int | str, dict[str, Any]] = {404: {"description": "no such customer, or no such text"}}


class NewText(Strict):
    """A version of a text; its words never change."""

    version: str = Field(pattern=VERSION, examples=[_EXAMPLE])
    scope: TextScope
    text: str = Field(min_length=10, max_length=5000, examples=["Aceito receber ofertas da Telecom pelo WhatsApp."])


class Text(Shown):
    """A version of a text; retired: no new consent is taken under it."""

    version: str = Field(examples=[_EXAMPLE])
    scope: TextScope
    text: str
    author: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    retired_at: datetime | None
    created_at: datetime


class Texts(BaseModel):
    """All versions, newest first."""

    items: list[Text]


class Decision(Strict):
    """What a person decided, and the proof: where, how, by which words."""

    scope: Scope
    granted: bool
    text_version: str | None = Field(None, pattern=VERSION, examples=[_EXAMPLE], description="a consent needs it")
    evidence: dict[str, str] = Field(default={}, max_length=20, examples=[{"form": "loja 12, formulário 481"}])
    occurred_at: AwareDatetime | None = Field(None, description="now when left out")


class Recorded(BaseModel):
    """`new` is false for a proof that was in the ledger already."""

    new: bool


class Proof(Shown):
    """One line of the ledger."""

    id: UUID
    scope: TextScope
    granted: bool
    source: str = Field(examples=["customer_message"])
    channel: str
    text_version: str | None
    text: str | None = Field(description="the words of that version, where the hub has them")
    evidence: dict[str, Any]
    actor_id: UUID | None
    occurred_at: datetime


class Ledger(BaseModel):
    """All proofs, newest first."""

    items: list[Proof]


@router.get("/privacy/consent-texts", summary="Texts of consent", dependencies=[Depends(require("privacy:read"))])
async def get_texts(services: Hub) -> Texts:
    """Every version there ever was."""
    return Texts(items=[Text.model_validate(dict(row)) for row in await consent_texts.list_texts(services.db)])


@router.post(
    "/privacy/consent-texts",
    status_code=201,
    responses={409: {"description": "`conflict`: the version has other words"}},
    summary="Publish a text of consent",
)
async def post_text(services: Hub, caller: Keeper, body: NewText) -> Text:
    """Harmless to repeat with the same words; other words need another version."""
    async with services.transaction() as tx:
        await consent_texts.publish(tx, caller, body.version, body.scope, body.text)
    return Text.model_validate(dict(await consent_texts.find(services.db, body.version)))


@router.post(
    "/privacy/consent-texts/{version}/retire",
    responses={**NO_TEXT, 409: {"description": "`conflict`: it is retired already"}},
    summary="Retire a text of consent",
)
async def post_retirement(services: Hub, caller: Keeper, version: str) -> Text:
    """No new consent is taken under it; the proofs that name it stay."""
    async with services.transaction() as tx:
        await consent_texts.retire(tx, caller, version)
    return Text.model_validate(dict(await consent_texts.find(services.db, version)))


@router.get("/customers/{customer_id}/consents", responses=NO_CUSTOMER, summary="What a person has decided")
async def get_consents(services: Hub, caller: Reader, customer_id: UUID) -> Ledger:
    """The consent ledger of a customer with the words of each text: what proves a consent (LGPD art. 8 § 2)."""
    customer = await views.find_customer(services, caller, customer_id)
    rows = masking.rows_for(caller, await consent_texts.history(services.db, customer["id"]))
    return Ledger(items=[Proof.model_validate(row) for row in rows])


@router.post(
    "/customers/{customer_id}/consents",
    responses={**NO_CUSTOMER, 409: {"description": "`conflict`: the text is about something else, or retired"}},
    summary="Record a decision",
)
async def post_consent(services: Hub, caller: Writer, customer_id: UUID, body: Decision) -> Recorded:
    """A consent or a refusal given outside of a message. A refusal holds at once: what is queued is not sent."""
    customer = await views.find_customer(services, caller, customer_id)
    async with services.transaction() as tx:
        new = await consent_texts.give(tx, caller, customer["id"], **body.model_dump())
    return Recorded(new=new)
