"""Give a conversation to a person, and keep the record of who had it when."""

from datetime import UTC, datetime
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.conversations import queries
from hub_api.errors import NotFound
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction


async def assign(
    tx: Transaction, conversation_id: UUID, agent_id: UUID, *, reason: str = "assigned", at: datetime | None = None
) -> Row:
    """The agent has the conversation from `at` (now) on; whoever had it before is released. Returns the conversation.

    Raises NotFound for an unknown conversation or a user who is not active, ForbiddenMove from `closed`.
    """
    at = at or datetime.now(UTC)
    if await tx.db.fetchval(queries.find_agent, agent_id) is None:
        raise NotFound(f"there is no active user {agent_id} who could take the conversation", agent_id=str(agent_id))
    before = await conversations.lock(tx, conversation_id)
    after = await conversations.move(tx, conversation_id, "assigned", reason=reason, agent_id=agent_id, at=at)
    if before["agent_id"] != agent_id or before["state"] not in ("assigned", "waiting_customer"):
        await tx.db.execute(queries.end_assignment, conversation_id, at)
        await tx.db.execute(queries.begin_assignment, uuid7(), conversation_id, agent_id, reason, at)
    return after
