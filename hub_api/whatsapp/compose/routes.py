"""The door through which people write to a customer: every kind of message of the channel, and the blue ticks."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Header
from pydantic import BaseModel, Field

from hub_api.auth import audit
from hub_api.auth.decide import acts_as, require
from hub_api.auth.identify import count_sends
from hub_api.auth.principal import Principal
from hub_api.chat.reply import reply
from hub_api.chat.schemas import Queued
from hub_api.chat.scope import seen
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import get_services
from hub_api.whatsapp.compose.draft import AnyMessage, compose
from hub_api.whatsapp.compose.examples import EXAMPLES
from hub_api.whatsapp.compose.fields import Part
from hub_api.whatsapp.compose.mark_read import mark_read
from hub_api.whatsapp.media.prepare import attach, prepare

router = APIRouter(prefix="/api/v1", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
may_write = require("conversations:write")
Writer = Annotated[Principal, Depends(may_write)]
# In this order: who may not write must not learn from a 404 which conversations there are.
WRITE, SEEN, SENDS = Depends(may_write), Depends(seen), Depends(count_sends)
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="the same key and body again: the first answer, and no second effect"),
]

NOT_SENT: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such conversation, template, quoted or reacted message"},
    409: {
        "description": "`window_closed`: more than 24 h since the customer wrote, send a template · `conversation_closed` · "
        "`template_not_approved` · `phone_required`: a code needs a phone number, the customer has a username only · "
        "`not_reactable` · `flow_stopped` · `media_not_sendable` · `idempotency_key_reused`"
    },
    422: {
        "description": "`invalid`: a field is missing, unknown or beyond a limit of the channel · `template_mismatch`: the "
        "components do not fill the template; `errors` has the path of each field"
    },
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such conversation"}}


class ReadMark(Part):
    """What to show the customer."""

    typing: bool = Field(False, description='also show "typing…", for up to 25 s or until the reply')


class Marked(BaseModel):
    """Whether the channel took it."""

    done: bool = Field(
        description="false: nothing recent to mark, or the channel did not take it; nothing else happens"
    )


@router.post(
    "/conversations/{conversation_id}/messages",
    dependencies=[WRITE, SEEN, SENDS],
    status_code=202,
    responses=NOT_SENT,
    summary="Write to the customer",
)
async def post_message(
    services: Hub,
    caller: Writer,
    conversation_id: UUID,
    body: Annotated[AnyMessage, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> Queued:
    """Queue a message of any kind. An agent who has the conversation then waits for the customer."""
    message, files = await prepare(services, caller, conversation_id, body)
    async with services.transaction() as tx:

        async def queue() -> dict[str, Any]:
            author_id = acts_as(caller, body.agent_id)
            draft = await compose(tx, conversation_id, message, author="agent", author_id=author_id)
            message_id = await reply(tx, conversation_id, draft)
            await attach(tx, conversation_id, message_id, files)
            whose = {"in_the_name_of": str(author_id)} if author_id not in (None, caller.user_id) else {}
            sent = {"conversation_id": str(conversation_id), "type": draft.type, **whose}
            await audit.write(tx, caller, "message.sent", "message", message_id, detail=sent)
            return {"id": str(message_id)}

        scope = f"{caller.key_id}:messages:{conversation_id}"
        return Queued(**await once(tx, scope, idempotency_key, body.model_dump_json().encode(), queue))


@router.post(
    "/conversations/{conversation_id}/read", dependencies=[WRITE, SEEN], responses=NOT_FOUND, summary="Show it as read"
)
async def post_read(services: Hub, conversation_id: UUID, body: ReadMark) -> Marked:
    """The customer sees blue ticks, and "typing…" if asked for. At once and best effort: no message, never repeated."""
    return Marked(done=await mark_read(services, conversation_id, typing=body.typing))
