"""Put a conversation off until a time, end it as spam, or with an outcome (disposition)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.resolve import close
from hub_api.errors import Conflict, Invalid
from hub_api.events import ConversationDisposed, ConversationSnoozed, ConversationWoken
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

BATCH = 200
LONGEST = timedelta(days=366)


class DispositionRequired(Conflict):
    """The conversation's queue wants an outcome of each that people end."""

    code = "disposition_required"


async def snooze(tx: Transaction, conversation_id: UUID, until: datetime | None) -> None:
    """Its agent looks at it again `until` then, or when the customer writes; None: now. It goes on filling his slot.

    Raises NotFound, Conflict when no agent has it, Invalid for a time that does not lie ahead within a year.
    """
    now = datetime.now(UTC)
    if until is not None and (until.tzinfo is None or not now < until <= now + LONGEST):
        message = "the time lies ahead, within a year, and has a zone"
        raise Invalid(message, errors=[{"field": "body.until", "message": message}])
    await conversations.lock(tx, conversation_id)
    row = await tx.db.fetchrow(queries.snooze, conversation_id, until)
    if row is None:
        raise Conflict("only a conversation that an agent has is put off", conversation_id=str(conversation_id))
    version, customer_id, agent_id = row["version"], row["customer_id"], row["agent_id"]
    if until is None:
        tx.emit(_woken(conversation_id, version, now, customer_id, agent_id, "by_hand"))
        return
    tx.emit(
        ConversationSnoozed(
            aggregate_id=conversation_id,
            aggregate_version=version,
            occurred_at=now,
            customer_id=customer_id,
            agent_id=agent_id,
            until=until,
        )
    )


async def wake_due(services: Services) -> int:
    """Wake those whose time has come; how many, a batch at most."""
    now = datetime.now(UTC)
    async with services.transaction() as tx:
        due = await tx.db.fetch(queries.wake, now, BATCH)
        for row in due:
            tx.emit(_woken(row["id"], row["version"], now, row["customer_id"], row["agent_id"], "time"))
    return len(due)


def _woken(
    conversation_id: UUID, version: int, at: datetime, customer_id: UUID, agent_id: UUID | None, reason: str
) -> ConversationWoken:
    return ConversationWoken(
        aggregate_id=conversation_id,
        aggregate_version=version,
        occurred_at=at,
        customer_id=customer_id,
        agent_id=agent_id,
        reason=reason,
    )


async def spam(tx: Transaction, conversation_id: UUID) -> None:
    """Close it as spam: nobody is asked for a rating, and figures can tell it apart by its reason. Raises NotFound."""
    await close(tx, conversation_id, reason="spam")
    await tx.db.execute(queries.mark_spam, conversation_id)


async def dispose(tx: Transaction, conversation_id: UUID, disposition: str | None) -> None:
    """Note with which outcome a conversation ends; None: nothing.

    Raises Invalid for one that is not in use, DispositionRequired for none where its queue wants one.
    """
    if disposition is None:
        if await tx.db.fetchval(queries.wants_disposition, conversation_id):
            raise DispositionRequired("this queue wants an outcome: name one", conversation_id=str(conversation_id))
        return
    if not await tx.db.fetchval(queries.is_disposition, disposition):
        message = f"there is no outcome {disposition!r} in use"
        raise Invalid(message, errors=[{"field": "body.disposition", "message": message}])
    row = await tx.db.fetchrow(queries.set_disposition, conversation_id, disposition)
    assert row is not None  # noqa: S101 - the caller has it locked
    tx.emit(
        ConversationDisposed(
            aggregate_id=conversation_id,
            aggregate_version=row["version"],
            occurred_at=datetime.now(UTC),
            customer_id=row["customer_id"],
            disposition=disposition,
        )
    )
