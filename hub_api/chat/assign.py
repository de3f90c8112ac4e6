"""Give a conversation to a person, and keep the record of who had it when, and why he."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.conversations import queries
from hub_api.errors import NotFound
from hub_api.events import ConversationAssigned
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction


@dataclass(frozen=True, slots=True)
class Why:
    """Why an agent has a conversation. `strategy` and the rest are the router's; by hand there is a reason only.

    `waited_s`: since the conversation took its place in line. `candidates`: what was known of each who could have had it.
    """

    reason: str
    queue_id: UUID | None = None
    queue: str | None = None
    strategy: str | None = None
    waited_s: float | None = None
    candidates: list[dict[str, Any]] | None = None


async def assign(
    tx: Transaction, conversation_id: UUID, agent_id: UUID, *, reason: str = "assigned", at: datetime | None = None
) -> Row:
    """The agent has the conversation from `at` (now) on; whoever had it before is released. Returns the conversation.

    A person may be given more than his capacity by hand; the router, which counts under the same lock, then gives him none.
    Raises NotFound for an unknown conversation or a user who is not active, ForbiddenMove from `closed`.
    """
    if await tx.db.fetchval(queries.find_agent, agent_id) is None:
        raise NotFound(f"there is no active user {agent_id} who could take the conversation", agent_id=str(agent_id))
    await tx.db.fetchval(queries.lock_agent, agent_id)
    return await assign_locked(tx, conversation_id, agent_id, Why(reason), at or datetime.now(UTC))


async def assign_locked(tx: Transaction, conversation_id: UUID, agent_id: UUID, why: Why, at: datetime) -> Row:
    """`assign` for who holds the agent's lock already. Raises NotFound, ForbiddenMove."""
    before = await conversations.lock(tx, conversation_id)
    after = await conversations.move(tx, conversation_id, "assigned", reason=why.reason, agent_id=agent_id, at=at)
    if before["agent_id"] == agent_id and before["state"] in ("assigned", "waiting_customer"):
        return after
    await tx.db.execute(queries.end_assignment, conversation_id, at)
    await tx.db.execute(
        queries.begin_assignment,
        uuid7(),
        conversation_id,
        agent_id,
        why.reason,
        at,
        why.queue_id,
        why.strategy,
        why.waited_s,
        why.candidates,
    )
    await tx.db.execute(queries.note_assigned, agent_id, at)
    tx.emit(
        ConversationAssigned(
            aggregate_id=conversation_id,
            aggregate_version=after["version"],
            occurred_at=at,
            customer_id=after["customer_id"],
            agent_id=agent_id,
            reason=why.reason,
            queue=why.queue,
            strategy=why.strategy,
            waited_s=why.waited_s,
            candidates=len(why.candidates or ()),
        )
    )
    return after
