"""Conversations: one demand of one customer on one of our numbers, under one protocol number.

States and their transitions are rows of `conversation_transition` (migration 0003), enforced by a trigger, so that no
writer can break them. `move` is the door for one conversation (assign.py, transfer.py, resolve.py, reply.py); the
handling of the inbox changes many at once with `thread.py` and writes them by `save`.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.chat import windows
from hub_api.errors import Conflict, NotFound
from hub_api.events import ConversationStateChanged
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "conversations.sql")

SITE = "site"  # the channel of the website's chat


class ForbiddenMove(Conflict):
    """The conversation's state does not allow this step (design §5)."""

    code = "conversation_state"


async def lock(tx: Transaction, conversation_id: UUID) -> Row:
    """The conversation's row, locked until the transaction ends. Raises NotFound."""
    row = await tx.db.fetchrow(queries.lock_conversation, conversation_id)
    if row is None:
        raise NotFound(f"there is no conversation {conversation_id}", conversation_id=str(conversation_id))
    return row


async def move(
    tx: Transaction,
    conversation_id: UUID,
    to_state: str,
    *,
    reason: str,
    queue: Row | None = None,
    agent_id: UUID | None = None,
    at: datetime | None = None,
) -> Row:
    """One step of a conversation at the time `at` (now unless given): its state, its clocks, its event.

    `queue` (id, key) is where it waits in state queued; `agent_id` who has it from `assigned` on, kept when not given.
    A conversation that is already there with the same queue and agent is left as it is. Returns the row as it is then.
    Raises NotFound, and ForbiddenMove naming both states.
    """
    at = at or datetime.now(UTC)
    before = await lock(tx, conversation_id)
    if not before["is_demand"]:
        raise ForbiddenMove(
            f"nobody has written in conversation {before['protocol']} yet: the customer's first message opens it",
            conversation_id=str(conversation_id),
            state=before["state"],
        )
    agent_id = agent_id or (before["agent_id"] if to_state != "queued" else None)
    queue_id = queue["id"] if queue else before["queue_id"]
    if (before["state"], before["agent_id"], before["queue_id"]) == (to_state, agent_id, queue_id):
        return before
    after = await tx.db.fetchrow(queries.move, conversation_id, to_state, at, queue_id, agent_id)
    if after is None:
        raise ForbiddenMove(
            f"conversation {before['protocol']} is {before['state']} and cannot become {to_state}",
            conversation_id=str(conversation_id),
            state=before["state"],
        )
    tx.emit(
        ConversationStateChanged(
            aggregate_id=conversation_id,
            aggregate_version=after["version"],
            occurred_at=at,
            customer_id=after["customer_id"],
            from_state=before["state"],
            to_state=to_state,
            reason=reason,
            queue=queue["key"] if queue else None,
            agent_id=agent_id,
        )
    )
    return after


async def find_queue(tx: Transaction, key: str) -> Row:
    """The queue (id, key) by its key. Raises NotFound, also for one that takes no conversations any more."""
    row = await tx.db.fetchrow(queries.find_queue, key)
    if row is None:
        raise NotFound(f"there is no queue {key!r}", queue=key)
    return row


def window_open(conversation: Any, at: datetime) -> bool:
    """Whether free-form messages may go out at `at`: within 24 h of the customer's last message or call (payload time).

    The website's chat knows no such window.
    """
    return conversation["channel"] == SITE or windows.service_open(conversation["last_customer_message_at"], at)
