"""The door of what agents do to a conversation beside answering: put off, spam, outcomes, notes."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from hub_api.auth import audit
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import masking, views
from hub_api.chat.desk import notes, put_off, schemas
from hub_api.chat.scope import seen
from hub_api.chat.viewed import note_view
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services

router = APIRouter(prefix="/api/v1", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("conversations:read"))]
may_write = require("conversations:write")
Writer = Annotated[Principal, Depends(may_write)]
WRITE, SEEN = Depends(may_write), Depends(seen)
Limit = Annotated[int, Query(ge=1, le=200, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such conversation"}}
REFUSED: dict[int | str, dict[str, Any]] = {**NOT_FOUND, 409: {"description": "its state does not allow it"}}


@router.put(
    "/conversations/{conversation_id}/snooze",
    status_code=204,
    dependencies=[WRITE, SEEN],
    responses=REFUSED,
    summary="Put off",
)
async def put_snooze(services: Hub, caller: Writer, conversation_id: UUID, body: schemas.Snooze) -> None:
    """Until a time, or until the customer writes; null ends it now."""
    async with services.transaction() as tx:
        await put_off.snooze(tx, conversation_id, body.until)
        after = {"until": body.until.isoformat() if body.until else None}
        await audit.write(tx, caller, "conversation.snoozed", "conversation", conversation_id, after=after)


@router.post(
    "/conversations/{conversation_id}/spam",
    status_code=204,
    dependencies=[WRITE, SEEN],
    responses=REFUSED,
    summary="Close as spam",
)
async def post_spam(services: Hub, caller: Writer, conversation_id: UUID) -> None:
    """Nobody is asked for a rating."""
    async with services.transaction() as tx:
        await put_off.spam(tx, conversation_id)
        await audit.write(tx, caller, "conversation.spam", "conversation", conversation_id)


@router.get("/dispositions", dependencies=[Depends(require("conversations:read"))], summary="List outcomes")
async def get_dispositions(services: Hub) -> schemas.Dispositions:
    """With which conversations are resolved or closed, also those no longer in use."""
    rows = await services.db.fetch(put_off.queries.list_dispositions)
    return schemas.Dispositions(items=[schemas.Disposition.model_validate(dict(row)) for row in rows])


@router.put("/dispositions/{key}", summary="Make or change an outcome")
async def put_disposition(
    services: Hub,
    caller: Annotated[Principal, Depends(require("queues:write"))],
    key: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$", examples=["visita_agendada"])],
    body: schemas.NewDisposition,
) -> schemas.Disposition:
    """One no longer in use stays with the conversations that have it."""
    async with services.transaction() as tx:
        before = await tx.db.fetchrow(put_off.queries.put_disposition, key, body.name, body.active)
        was = dict(before) if before else None
        await audit.write(tx, caller, "disposition.changed", "disposition", key, before=was, after=body.model_dump())
    return schemas.Disposition(key=key, name=body.name, active=body.active)


@router.get("/conversations/{conversation_id}/notes", responses=NOT_FOUND, summary="Its notes")
async def get_notes(
    services: Hub, caller: Reader, conversation_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> schemas.NotePage:
    """Newest first."""
    await views.find_conversation(services, caller, str(conversation_id))
    page = await notes.list_notes(services, conversation_id, limit=limit, cursor=cursor)
    await note_view(services, caller, "conversation", [conversation_id], "notes")
    return _notes(caller, page)


@router.post(
    "/conversations/{conversation_id}/notes",
    status_code=201,
    dependencies=[WRITE, SEEN],
    responses=NOT_FOUND,
    summary="Note something",
)
async def post_note(
    services: Hub,
    caller: Writer,
    conversation_id: UUID,
    body: schemas.NewNote,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Note:
    """For colleagues; the customer never sees it."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await notes.add_note(tx, caller, conversation_id, body.text, body.mentions))}

        scope = f"{caller.key_id}:notes:{conversation_id}"
        made = await once(tx, scope, idempotency_key, body.model_dump_json().encode(), make)
    row = await services.db.fetchrow(put_off.queries.find_note, UUID(made["id"]))
    return _note(caller, row)


@router.get("/notes/mentions", summary="Notes that name one")
async def get_mentions(services: Hub, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> schemas.NotePage:
    """Newest first, of conversations that one sees."""
    page = await notes.list_mentions(services, caller, limit=limit, cursor=cursor)
    await note_view(services, caller, "conversation", (row["conversation_id"] for row in page.rows), "notes")
    return _notes(caller, page)


def _notes(caller: Principal, page: Any) -> schemas.NotePage:
    return schemas.NotePage(items=[_note(caller, row) for row in page.rows], next_cursor=page.next_cursor)


def _note(caller: Principal, row: Any) -> schemas.Note:
    return schemas.Note.model_validate(masking.words_for(caller, dict(row), "text"))
