"""The door for people and programs that serve customers: conversations, messages, customers. Writing to a customer knows
the channel and is at whatsapp/compose."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import AwareDatetime

from hub_api.auth import audit
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import masking, schemas, views
from hub_api.chat.agents.profile import user_of
from hub_api.chat.assign import assign
from hub_api.chat.correct import correct
from hub_api.chat.desk.notes import add_note
from hub_api.chat.desk.put_off import dispose
from hub_api.chat.resolve import close, rate, resolve
from hub_api.chat.scope import seen
from hub_api.chat.search import search_messages
from hub_api.chat.shown import conversation_for, found_for, message_for
from hub_api.chat.take import take_next
from hub_api.chat.transfer import transfer, want
from hub_api.chat.viewed import note_view
from hub_api.platform.services import Services
from hub_api.platform.web import get_services, version_of

router = APIRouter(prefix="/api/v1", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("conversations:read"))]
may_write = require("conversations:write")
Writer = Annotated[Principal, Depends(may_write)]
Customers = Annotated[Principal, Depends(require("customers:read"))]
# In this order: who may not write must not learn from a 404 which conversations there are.
WRITE, SEEN = Depends(may_write), Depends(seen)
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such conversation"}}
REFUSED: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    409: {"description": "`conversation_state`: the conversation's state does not allow it"},
}
ENDING: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    409: {"description": "`conversation_state` · `disposition_required`: its queue wants an outcome"},
}


@router.get("/conversations", summary="List conversations")
async def get_conversations(
    services: Hub,
    caller: Reader,
    state: Annotated[schemas.State | None, Query()] = None,
    customer_id: Annotated[UUID | None, Query()] = None,
    queue: Annotated[str | None, Query(max_length=100, description="key of a queue")] = None,
    agent_id: Annotated[UUID | None, Query(description="only what this user has now: the last word first")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.ConversationPage:
    """Newest first; `state=queued` in the order in which they should be taken: highest priority, longest waiting."""
    page = await views.list_conversations(
        services,
        caller,
        state=state,
        customer_id=customer_id,
        queue=queue,
        agent_id=agent_id,
        limit=limit,
        cursor=cursor,
    )
    await note_view(services, caller, "conversation", (row["id"] for row in page.rows), "list")
    return schemas.ConversationPage(
        items=[conversation_for(caller, row) for row in page.rows], next_cursor=page.next_cursor
    )


@router.post(
    "/conversations/next",
    responses={409: {"description": "`not_present`: the key acts for no user"}},
    summary="Take the next one",
)
async def post_next(services: Hub, caller: Writer, body: schemas.Next) -> schemas.Taken:
    """Who waits longest at the highest priority becomes the caller's; of two who ask at once each gets another."""
    async with services.transaction() as tx:
        taken = await take_next(tx, caller, user_of(caller), body.queue)
        if taken is not None:
            after = {"agent_id": str(caller.user_id), "reason": "taken_next"}
            await audit.write(tx, caller, "conversation.assigned", "conversation", taken, after=after)
    return schemas.Taken(conversation=await _shown(services, caller, taken) if taken else None)


@router.get("/conversations/{reference}", responses=NOT_FOUND, summary="One conversation")
async def get_conversation(services: Hub, caller: Reader, reference: str) -> schemas.Conversation:
    """By its id or its protocol number."""
    row = await views.find_conversation(services, caller, reference)
    await note_view(services, caller, "conversation", [row["id"]], "conversation")
    return conversation_for(caller, row)


@router.get("/conversations/{conversation_id}/messages", responses=NOT_FOUND, summary="Its messages")
async def get_messages(
    services: Hub, caller: Reader, conversation_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> schemas.MessagePage:
    """Newest first."""
    await views.find_conversation(services, caller, str(conversation_id))
    page = await views.list_messages(services, conversation_id, limit=limit, cursor=cursor)
    await note_view(services, caller, "conversation", [conversation_id], "messages")
    return schemas.MessagePage(items=[message_for(caller, row) for row in page.rows], next_cursor=page.next_cursor)


@router.post(
    "/conversations/{conversation_id}/assign", dependencies=[WRITE, SEEN], responses=REFUSED, summary="Give to an agent"
)
async def post_assign(
    services: Hub, caller: Writer, conversation_id: UUID, body: schemas.Assignment
) -> schemas.Conversation:
    """The agent has the conversation from now on, whoever had it before."""
    async with services.transaction() as tx:
        await assign(tx, conversation_id, body.agent_id, reason=body.reason)
        if body.note is not None:
            await add_note(tx, caller, conversation_id, body.note, [body.agent_id])
        after = {"agent_id": str(body.agent_id)}
        await audit.write(tx, caller, "conversation.assigned", "conversation", conversation_id, after=after)
    return await _handed_on(services, caller, conversation_id)


@router.post(
    "/conversations/{conversation_id}/transfer",
    dependencies=[WRITE, SEEN],
    responses=REFUSED,
    summary="Hand to a queue",
)
async def post_transfer(
    services: Hub, caller: Writer, conversation_id: UUID, body: schemas.Transfer
) -> schemas.Conversation:
    """The conversation waits in a queue for any agent; protocol and history stay."""
    async with services.transaction() as tx:
        await transfer(tx, conversation_id, body.queue, reason=body.reason)
        await want(tx, conversation_id, body.model_dump(include={"priority", "skills", "language"}))
        if body.note is not None:
            await add_note(tx, caller, conversation_id, body.note)
        after = {"queue": body.queue}
        await audit.write(tx, caller, "conversation.transferred", "conversation", conversation_id, after=after)
    return await _handed_on(services, caller, conversation_id)


@router.post(
    "/conversations/{conversation_id}/resolve", dependencies=[WRITE, SEEN], responses=ENDING, summary="Resolve"
)
async def post_resolve(
    services: Hub, caller: Writer, conversation_id: UUID, body: schemas.Ending
) -> schemas.Conversation:
    """The demand is answered; the bot asks how it was. A message within HUB_REOPEN_HOURS reopens it."""
    async with services.transaction() as tx:
        await resolve(tx, conversation_id, reason=body.reason)
        await dispose(tx, conversation_id, body.disposition)
        await audit.write(tx, caller, "conversation.resolved", "conversation", conversation_id)
    return await _shown(services, caller, conversation_id)


@router.post(
    "/conversations/{conversation_id}/close", dependencies=[WRITE, SEEN], responses=ENDING, summary="Close for good"
)
async def post_close(
    services: Hub, caller: Writer, conversation_id: UUID, body: schemas.Closing
) -> schemas.Conversation:
    """What the customer writes next opens another conversation, which points back to this one."""
    async with services.transaction() as tx:
        await close(tx, conversation_id, reason=body.reason)
        await dispose(tx, conversation_id, body.disposition)
        await audit.write(tx, caller, "conversation.closed", "conversation", conversation_id)
    return await _shown(services, caller, conversation_id)


@router.post("/conversations/{conversation_id}/rate", dependencies=[WRITE, SEEN], responses=NOT_FOUND, summary="Rate")
async def post_rating(
    services: Hub, caller: Writer, conversation_id: UUID, body: schemas.Rating
) -> schemas.Conversation:
    """The customer's satisfaction, 1 to 5; the last one counts."""
    async with services.transaction() as tx:
        await rate(tx, conversation_id, body.satisfaction)
        after = {"satisfaction": body.satisfaction}
        await audit.write(tx, caller, "conversation.rated", "conversation", conversation_id, after=after)
    return await _shown(services, caller, conversation_id)


@router.get("/messages/search", summary="Search messages")
async def search(
    services: Hub,
    caller: Reader,
    q: Annotated[str, Query(min_length=2, max_length=200, examples=["sem sinal", '"segunda via" -boleto'])],
    limit: Limit = 50,
    cursor: Annotated[datetime | None, Query(description="`next_cursor` of the page before")] = None,
    since: Annotated[AwareDatetime | None, Query(description="written then or later")] = None,
    author: schemas.Author | None = None,
    queue: Annotated[str | None, Query(max_length=63, description="key of the conversation's last queue")] = None,
) -> schemas.FoundPage:
    """Words in Portuguese, accents and word forms ignored; newest first."""
    rows = await search_messages(
        services.db, caller, q, before=cursor, limit=limit, since=since, author=author, queue=queue
    )
    await note_view(services, caller, "conversation", (row["conversation_id"] for row in rows), "search")
    last = rows[-1]["created_at"] if len(rows) == limit else None
    return schemas.FoundPage(items=[found_for(caller, row) for row in rows], next_cursor=last)


@router.get("/customers", summary="Find customers")
async def get_customers(
    services: Hub,
    caller: Customers,
    phone: Annotated[str | None, Query(max_length=30, examples=["(11) 98765-4321"])] = None,
    cpf: Annotated[str | None, Query(max_length=20, examples=["529.982.247-25"])] = None,
    name: Annotated[str | None, Query(min_length=3, max_length=100, examples=["souza"])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.CustomerPage:
    """By phone, written in any way, with or without the ninth digit; by CPF, by the keyed hash that is kept of it; or by part of
    the name, accents ignored."""
    page = await views.find_customers(services, caller, number=phone, cpf=cpf, name=name, limit=limit, cursor=cursor)
    await note_view(services, caller, "customer", (row["id"] for row in page.rows), "list")
    return schemas.CustomerPage(
        items=[schemas.Customer.model_validate(masking.customer_for(caller, dict(row))) for row in page.rows],
        next_cursor=page.next_cursor,
    )


@router.get(
    "/customers/{customer_id}",
    responses={404: {"description": "no such customer"}},
    summary="One customer",
)
async def get_customer(
    services: Hub, caller: Customers, customer_id: UUID, response: Response
) -> schemas.CustomerWithIdentities:
    """With every identity; the id of a customer that was merged leads to the one it became. The ETag is for corrections."""
    row = await views.find_customer(services, caller, customer_id)
    await note_view(services, caller, "customer", [row["id"]], "customer")
    response.headers["ETag"] = f'"{row["version"]}"'
    return schemas.CustomerWithIdentities.model_validate(masking.customer_for(caller, row))


@router.patch(
    "/customers/{customer_id}",
    responses={
        404: {"description": "no such customer"},
        409: {"description": "`conflict`: the customer is erased"},
        412: {"description": "`stale`: changed since the version in If-Match"},
    },
    summary="Correct a customer",
)
async def patch_customer(
    services: Hub,
    caller: Annotated[Principal, Depends(require("customers:write"))],
    customer_id: UUID,
    body: schemas.Correction,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.CustomerWithIdentities:
    """Correct what the hub knows of a person (LGPD art. 18, III). Phones follow the channel, contracts the operator's systems."""
    customer = await views.find_customer(services, caller, customer_id)
    async with services.transaction() as tx:
        changes = body.model_dump(exclude_unset=True)
        await correct(tx, caller, customer["id"], changes, version=version_of(if_match))
    return await get_customer(services, caller, customer["id"], response)


async def _shown(services: Services, caller: Principal, conversation_id: UUID) -> schemas.Conversation:
    return conversation_for(caller, await views.find_conversation(services, caller, str(conversation_id)))


async def _handed_on(services: Services, caller: Principal, conversation_id: UUID) -> schemas.Conversation:
    """How it stands now, for who has just handed it on: also when it went where he sees it no more."""
    row = await services.db.fetchrow(views.queries.find_conversation, None, caller.user_id, conversation_id, None)
    assert row is not None  # noqa: S101 - it was changed a moment ago, and conversations stay
    return conversation_for(caller, row)
