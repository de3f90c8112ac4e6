"""Hand a conversation to a queue: from the bot, from an agent, or from another queue."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.conversations import queries
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction


async def transfer(
    tx: Transaction,
    conversation_id: UUID,
    queue: str | None = None,
    *,
    reason: str = "transferred",
    at: datetime | None = None,
) -> Row:
    """The conversation waits in `queue` (its key; None: the queue it had, or none) for any agent from `at` (now) on.

    From an agent or another queue it keeps its place in line (`line_at`); from the bot it takes one at the end. Returns the conversation. Raises NotFound for an unknown conversation or queue, ForbiddenMove from `closed`.
    """
    at = at or datetime.now(UTC)
    found = await conversations.find_queue(tx, queue) if queue else None
    after = await conversations.move(tx, conversation_id, "queued", reason=reason, queue=found, at=at)
    await tx.db.execute(queries.end_assignment, conversation_id, at)
    return after


async def want(tx: Transaction, conversation_id: UUID, wishes: Mapping[str, Any]) -> None:
    """What a waiting conversation asks of its agent beside the queue's wishes: `priority` 1..5, `skills` (skill -> least
    level), `language`; what is None or missing stays as it is."""
    if any(value is not None for value in wishes.values()):
        given = (wishes.get("priority"), wishes.get("skills"), wishes.get("language"))
        await tx.db.execute(queries.want, conversation_id, *given)
