"""The door of labels and of replies that leave later."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header

from hub_api.auth import audit
from hub_api.auth.decide import require
from hub_api.auth.identify import count_sends
from hub_api.auth.principal import Principal
from hub_api.chat import masking, views
from hub_api.chat.desk import later, schemas
from hub_api.chat.desk.label import label
from hub_api.chat.desk.put_off import queries
from hub_api.chat.scope import seen
from hub_api.chat.viewed import note_view
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of

router = APIRouter(prefix="/api/v1/conversations/{conversation_id}", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
may_write = require("conversations:write")
Writer = Annotated[Principal, Depends(may_write)]
WRITE, SEEN, SENDS = Depends(may_write), Depends(seen), Depends(count_sends)
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such conversation"}}


@router.patch(
    "/labels",
    status_code=204,
    dependencies=[WRITE, SEEN],
    responses={**NOT_FOUND, 412: {"description": "`stale`: changed since the version in If-Match"}},
    summary="Set priority and tags",
)
async def patch_labels(
    services: Hub,
    caller: Writer,
    conversation_id: UUID,
    body: schemas.Labels,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> None:
    """A new priority counts in the line at once."""
    async with services.transaction() as tx:
        wanted = body.model_dump(exclude_none=True)
        was, now = await label(tx, conversation_id, **wanted, version=version_of(if_match))
        before, after = ({name: one[name] for name in ("priority", "tags")} for one in (was, now))
        await audit.write(
            tx, caller, "conversation.labelled", "conversation", conversation_id, before=before, after=after
        )


@router.get("/scheduled-replies", responses=NOT_FOUND, summary="Replies that leave later")
async def get_scheduled(
    services: Hub, caller: Annotated[Principal, Depends(require("conversations:read"))], conversation_id: UUID
) -> schemas.ScheduledReplies:
    """And what became of them, newest first."""
    await views.find_conversation(services, caller, str(conversation_id))
    rows = await services.db.fetch(queries.list_scheduled, conversation_id)
    await note_view(services, caller, "conversation", [conversation_id], "messages")
    return schemas.ScheduledReplies(items=[_scheduled(caller, row) for row in rows])


@router.post(
    "/scheduled-replies",
    status_code=201,
    dependencies=[WRITE, SEEN, SENDS],
    responses={**NOT_FOUND, 409: {"description": "`window_closed` then · `conversation_closed`"}},
    summary="Let a reply leave later",
)
async def post_scheduled(
    services: Hub,
    caller: Writer,
    conversation_id: UUID,
    body: schemas.NewScheduled,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Scheduled:
    """By the rules of its moment: it does not leave when the window has closed, or the customer wrote before."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            stops = body.unless_customer_writes
            made = await later.schedule(
                tx, caller, conversation_id, body.text, body.send_at, unless_customer_writes=stops
            )
            return {"id": str(made)}

        scope = f"{caller.key_id}:scheduled:{conversation_id}"
        made = await once(tx, scope, idempotency_key, body.model_dump_json().encode(), make)
    return _scheduled(caller, await services.db.fetchrow(queries.find_scheduled, UUID(made["id"])))


@router.delete(
    "/scheduled-replies/{reply_id}",
    status_code=204,
    dependencies=[WRITE, SEEN],
    responses={**NOT_FOUND, 409: {"description": "`conflict`: it is sent, cancelled or failed"}},
    summary="Cancel a reply that leaves later",
)
async def delete_scheduled(services: Hub, caller: Writer, conversation_id: UUID, reply_id: UUID) -> None:
    """It does not leave."""
    async with services.transaction() as tx:
        await later.cancel(tx, caller, conversation_id, reply_id)


def _scheduled(caller: Principal, row: Any) -> schemas.Scheduled:
    return schemas.Scheduled.model_validate(masking.words_for(caller, dict(row), "text"))
