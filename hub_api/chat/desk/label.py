"""How urgent a conversation is, and its tags."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.desk.put_off import queries
from hub_api.errors import Stale
from hub_api.events import ConversationPrioritised
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction


async def label(
    tx: Transaction,
    conversation_id: UUID,
    *,
    priority: int | None = None,
    tags: Sequence[str] | None = None,
    version: int | None = None,
) -> tuple[Row, Row]:
    """Set priority (1 low to 5 critical) and tags (all of them, each once, in their order); None: as it is. A new priority
    counts in the line at once. Returns the conversation before and after. Raises NotFound, Stale.
    """
    before = await conversations.lock(tx, conversation_id)
    if version is not None and before["version"] != version:
        raise Stale("the conversation has changed since you read it: read it again", version=before["version"])
    wanted = before["priority"] if priority is None else priority
    kept = list(before["tags"]) if tags is None else list(dict.fromkeys(tags))
    if (wanted, kept) == (before["priority"], list(before["tags"])):
        return before, before
    after = await tx.db.fetchrow(queries.label, conversation_id, wanted, kept)
    assert after is not None  # noqa: S101 - it is locked
    if wanted != before["priority"]:
        tx.emit(
            ConversationPrioritised(
                aggregate_id=conversation_id,
                aggregate_version=after["version"],
                occurred_at=datetime.now(UTC),
                customer_id=after["customer_id"],
                from_priority=before["priority"],
                priority=wanted,
                reason="by_hand",
            )
        )
    return before, after
