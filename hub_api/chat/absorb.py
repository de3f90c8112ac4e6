"""One conversation takes in another of the same customer: the other is closed, points to it, and is read as a part of it."""

from datetime import datetime
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.resolve import close
from hub_api.events import ConversationMerged
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "absorb.sql")


async def absorb(tx: Transaction, kept: UUID, other: UUID, at: datetime) -> Row:
    """Close `other` with the reason `merged`; `kept` is as urgent, and waits as long, as either. Returns `kept`.

    Messages and notes stay rows of the conversation they were written in, and are shown with `kept`'s; what waits to be
    answered or sent later moves. Whoever calls decides in which state `kept` goes on. Raises NotFound, ForbiddenMove.
    """
    for one in sorted((kept, other)):  # as everybody who locks more than one
        await conversations.lock(tx, one)
    await close(tx, other, reason="merged", at=at)
    await tx.db.execute(queries.point, kept, other)
    await tx.db.execute(queries.move_turns, kept, other)
    await tx.db.execute(queries.move_scheduled, kept, other)
    await tx.db.execute(queries.follow, kept, other, at)
    after = await tx.db.fetchrow(queries.take_over, kept, other)
    assert after is not None  # noqa: S101 - both are rows, and locked
    await tx.db.execute(queries.ask_summary, kept)
    tx.emit(
        ConversationMerged(
            aggregate_id=kept,
            aggregate_version=after["version"],
            occurred_at=at,
            customer_id=after["customer_id"],
            merged_id=other,
        )
    )
    return after
