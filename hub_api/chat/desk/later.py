"""Replies that leave later: written now, queued for sending when their time has come and they still may go."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat import conversations
from hub_api.chat.desk.put_off import queries
from hub_api.chat.outgoing import text
from hub_api.chat.reply import ConversationClosed, WindowClosed, reply
from hub_api.errors import Conflict, Invalid, NotFound
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

BATCH = 100
LONGEST = timedelta(days=30)
CUSTOMER_WROTE = "customer_wrote"


async def schedule(
    tx: Transaction,
    who: Principal,
    conversation_id: UUID,
    words: str,
    send_at: datetime,
    *,
    unless_customer_writes: bool = True,
) -> UUID:
    """Let a text leave at `send_at`; the scheduled reply's id.

    It leaves by the rules of that moment: what the window or the conversation's end forbids then is `failed`, and with
    `unless_customer_writes` a word of the customer stops it, since it may not fit any more. Raises NotFound,
    ConversationClosed, WindowClosed when the window ends before `send_at`, Invalid for a time not ahead within 30 days.
    """
    now = datetime.now(UTC)
    if send_at.tzinfo is None or not now < send_at <= now + LONGEST:
        message = "the time lies ahead, within 30 days, and has a zone"
        raise Invalid(message, errors=[{"field": "body.send_at", "message": message}])
    conversation = await conversations.lock(tx, conversation_id)
    if conversation["state"] == "closed":
        raise ConversationClosed(f"conversation {conversation['protocol']} is closed")
    if not conversations.window_open(conversation, send_at):
        raise WindowClosed(f"at {send_at:%d/%m %H:%M %Z} only a template could reach the customer")
    reply_id = uuid7()
    await tx.db.execute(
        queries.insert_scheduled, reply_id, conversation_id, who.user_id, words, send_at, unless_customer_writes
    )
    after = {"send_at": send_at.isoformat()}
    await audit.write(tx, who, "reply.scheduled", "conversation", conversation_id, after=after)
    return reply_id


async def cancel(tx: Transaction, who: Principal, conversation_id: UUID, reply_id: UUID) -> None:
    """Do not send it. Raises NotFound, Conflict for one that is no longer waiting."""
    row = await tx.db.fetchrow(queries.lock_scheduled, reply_id)
    if row is None or row["conversation_id"] != conversation_id:
        raise NotFound(f"there is no scheduled reply {reply_id}", reply_id=str(reply_id))
    if row["state"] != "waiting":
        raise Conflict(f"the scheduled reply is {row['state']}", state=row["state"])
    await tx.db.execute(queries.end_scheduled, reply_id, "cancelled", None, None)
    await audit.write(tx, who, "reply.cancelled", "conversation", conversation_id, detail={"reply_id": str(reply_id)})


async def send_due(services: Services) -> int:
    """Queue those whose time has come, each in a transaction of its own; how many were looked at, a batch at most.

    What happens with it and its mark commit together: a stop in between sends nothing twice.
    """
    due = await services.db.fetch(queries.due_scheduled, BATCH)
    for found in due:
        async with services.transaction() as tx:
            # The conversation first, as everywhere; then the row, which another worker may have had meanwhile.
            conversation = await conversations.lock(tx, found["conversation_id"])
            row = await tx.db.fetchrow(queries.lock_scheduled, found["id"])
            if row is None or row["state"] != "waiting":
                continue
            wrote_at = conversation["last_customer_message_at"]
            if row["unless_customer_writes"] and wrote_at is not None and wrote_at > row["created_at"]:
                await tx.db.execute(queries.end_scheduled, row["id"], "failed", CUSTOMER_WROTE, None)
                continue
            draft = text(row["text"], author="agent", author_id=row["author_id"], priority=0)
            try:
                message_id = await reply(tx, row["conversation_id"], draft)
            except (ConversationClosed, WindowClosed) as refusal:
                await tx.db.execute(queries.end_scheduled, row["id"], "failed", refusal.code, None)
            else:
                await tx.db.execute(queries.end_scheduled, row["id"], "sent", None, message_id)
    return len(due)
