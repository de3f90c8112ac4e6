"""The channel's door for operators: sends in doubt, webhooks put aside. Numbers: pool/, templates: templates/."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import masking
from hub_api.platform.services import Services
from hub_api.platform.web import get_services
from hub_api.whatsapp import deadletters
from hub_api.whatsapp.send import outbox

router = APIRouter(prefix="/api/v1", tags=["whatsapp"])

Hub = Annotated[Services, Depends(get_services)]
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]
Field_ = Annotated[str | None, Query(max_length=100, description="as Meta names it", examples=["account_update"])]
Messages = Annotated[Principal, Depends(require("messages:read"))]
Webhooks = Annotated[Principal, Depends(require("webhooks:read"))]

UNRESOLVED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such message"},
    409: {"description": "`conflict`: its outcome is known"},
}


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Resolution(Strict):
    """What a person decided about a send whose outcome is unknown: it counts as not sent, and is not sent again."""

    outcome: str = Field(pattern="^failed$", examples=["failed"])


class Replay(Strict):
    """Which dead letters to handle again; all that are open when left out."""

    ids: list[UUID] | None = Field(None, max_length=1000)


class Replayed(BaseModel):
    """How many dead letters went back to handling."""

    replayed: int


class Page(BaseModel):
    """Rows in a stable order; `next_cursor` is null on the last page."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


@router.get("/messages/unknown")
async def get_unknown_messages(services: Hub, caller: Messages, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """Messages that may or may not have been sent, for longer than statuses need to tell. They are never sent again
    by themselves: look at the conversation, then resolve them."""
    found = await outbox.unknown_messages(services, limit=limit, cursor=cursor)
    return Page(items=masking.rows_for(caller, found.rows), next_cursor=found.next_cursor)


@router.post("/messages/{message_id}/resolve-unknown", status_code=204, responses=UNRESOLVED)
async def post_resolution(
    services: Hub,
    message_id: UUID,
    body: Annotated[Resolution, Body()],
    caller: Annotated[Principal, Depends(require("messages:write"))],
) -> None:
    """Settle one message in doubt as failed; a status that proves the contrary later still wins."""
    await outbox.resolve_unknown(services, caller, message_id)


@router.get("/webhooks/dead")
async def get_dead_letters(services: Hub, caller: Webhooks, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """What Meta delivered and we could not split, handle or place, newest first, without the payloads."""
    found = await deadletters.list_dead(services, limit, cursor)
    items = masking.rows_for(caller, found.rows, phones=["contact_key"])
    return Page(items=items, next_cursor=found.next_cursor)


@router.get("/webhooks/updates")
async def get_updates(
    services: Hub, caller: Webhooks, field: Field_ = None, limit: Limit = 100, cursor: Cursor = None
) -> Page:
    """What Meta told beside messages and statuses, as it came: templates, numbers, accounts, errors, and fields that the
    hub does not know yet. `applied_at` is null where nothing followed from it."""
    found = await deadletters.list_updates(services, field, limit, cursor)
    return Page(items=masking.rows_for(caller, found.rows), next_cursor=found.next_cursor)


@router.post("/webhooks/dead/replay")
async def post_replay(
    services: Hub, body: Annotated[Replay, Body()], caller: Annotated[Principal, Depends(require("webhooks:write"))]
) -> Replayed:
    """Handle dead letters again, after their cause was repaired; deduplication makes a repetition harmless."""
    return Replayed(replayed=await deadletters.replay(services, body.ids, who=caller))
