"""The channel's door for operators: accounts, numbers, sends in doubt, webhooks put aside."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub_api.auth.keys import Principal, require
from hub_api.platform.pages import Rows
from hub_api.platform.services import Services
from hub_api.platform.web import get_services
from hub_api.whatsapp import accounts, deadletters
from hub_api.whatsapp.send import outbox, reactions

router = APIRouter(prefix="/api/v1", tags=["whatsapp"])

Hub = Annotated[Services, Depends(get_services)]
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]
NUMBERS_READ, NUMBERS_WRITE = Depends(require("numbers:read")), Depends(require("numbers:write"))
MESSAGES_READ = Depends(require("messages:read"))
WEBHOOKS_READ, WEBHOOKS_WRITE = Depends(require("webhooks:read")), Depends(require("webhooks:write"))


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


class Resolution(Strict):
    """What a person decided about a send whose outcome is unknown: it counts as not sent, and is not sent again."""

    outcome: str = Field(pattern="^failed$", examples=["failed"])


class Replay(Strict):
    """Which dead letters to handle again; all that are open when left out."""

    ids: list[UUID] | None = Field(None, max_length=1000)


class Created(BaseModel):
    """The id under which it is known here."""

    id: UUID


class Replayed(BaseModel):
    """How many dead letters went back to handling."""

    replayed: int


class Page(BaseModel):
    """Rows in a stable order; `next_cursor` is null on the last page."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


@router.get("/whatsapp/accounts", dependencies=[NUMBERS_READ])
async def get_accounts(services: Hub) -> Page:
    """Every WhatsApp business account with its state and why it has it."""
    return Page(items=[dict(row) for row in await accounts.list_accounts(services)])


@router.post("/whatsapp/accounts", dependencies=[NUMBERS_WRITE], status_code=201)
async def post_account(services: Hub, body: NewAccount) -> Created:
    """Register an account, or renew its token, which also lifts a pause. Repeating it changes nothing more."""
    account_id = await accounts.add_account(
        services,
        waba_id=body.waba_id,
        portfolio_id=body.portfolio_id,
        name=body.name,
        token=body.token.get_secret_value(),
    )
    return Created(id=account_id)


@router.post("/whatsapp/accounts/{account_id}/resume", dependencies=[NUMBERS_WRITE], status_code=204)
async def resume_account(services: Hub, account_id: UUID) -> None:
    """Let an account send again whose cause of pause has been repaired."""
    await reactions.resume_account(services, account_id)


@router.get("/whatsapp/numbers", dependencies=[NUMBERS_READ])
async def get_numbers(services: Hub, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """Numbers with state, quality and limits."""
    return _shown(await accounts.list_numbers(services, limit=limit, cursor=cursor))


@router.post("/whatsapp/numbers", dependencies=[NUMBERS_WRITE], status_code=201)
async def post_number(services: Hub, body: NewNumber) -> Created:
    """Register a number, or renew what is known of it. Repeating it changes nothing more."""
    return Created(id=await accounts.add_number(services, **body.model_dump()))


@router.post("/whatsapp/numbers/{number_id}/resume", dependencies=[NUMBERS_WRITE], status_code=204)
async def resume_number(services: Hub, number_id: UUID) -> None:
    """Let a number send again whose cause of pause has been repaired."""
    await reactions.resume_number(services, number_id)


@router.get("/messages/unknown", dependencies=[MESSAGES_READ])
async def get_unknown_messages(services: Hub, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """Messages that may or may not have been sent, for longer than statuses need to tell. They are never sent again
    by themselves: look at the conversation, then resolve them."""
    return _shown(await outbox.unknown_messages(services, limit=limit, cursor=cursor))


@router.post("/messages/{message_id}/resolve-unknown", status_code=204)
async def post_resolution(
    services: Hub,
    message_id: UUID,
    body: Annotated[Resolution, Body()],
    caller: Annotated[Principal, Depends(require("messages:write"))],
) -> None:
    """Settle one message in doubt as failed; a status that proves the contrary later still wins."""
    await outbox.resolve_unknown(services, message_id, caller.name)


@router.get("/webhooks/dead", dependencies=[WEBHOOKS_READ])
async def get_dead_letters(services: Hub, limit: Limit = 100) -> Page:
    """What Meta delivered and we could not split, handle or place, newest first, without the payloads."""
    return Page(items=[dict(row) for row in await deadletters.list_dead(services, limit)])


@router.post("/webhooks/dead/replay", dependencies=[WEBHOOKS_WRITE])
async def post_replay(services: Hub, body: Annotated[Replay, Body()]) -> Replayed:
    """Handle dead letters again, after their cause was repaired; deduplication makes a repetition harmless."""
    return Replayed(replayed=await deadletters.replay(services, body.ids))


def _shown(found: Rows) -> Page:
    return Page(items=[dict(row) for row in found.rows], next_cursor=found.next_cursor)
