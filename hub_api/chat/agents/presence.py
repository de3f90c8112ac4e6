"""Presence: whether an agent takes conversations (online), is away, on a break, or gone; and what becomes of his work."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from hub_api.chat.agents.heartbeat import LOST_AFTER_S, queries
from hub_api.chat.transfer import transfer
from hub_api.errors import Invalid, NotFound
from hub_api.events import AgentPresenceChanged
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

Presence = Literal["online", "away", "break", "offline"]

LOST = "connection_lost"
DEACTIVATED = "deactivated"
BATCH = 50


async def set_presence(tx: Transaction, user_id: UUID, presence: Presence, reason: str | None = None) -> Row:
    """From now on the agent is `presence`; a break has a reason. Returns his row.

    Going offline gives his waiting work back (`give_back`); away and on a break he keeps it and gets nothing new. Raises NotFound for a user who is not active, Invalid for a
    break without a reason.
    """
    if presence == "break" and not reason:
        raise Invalid("a break has a reason", errors=[{"field": "body.reason", "message": "say why"}])
    if not await tx.db.fetchval(queries.make_agent, user_id):
        raise NotFound(f"there is no active user {user_id}", user_id=str(user_id))
    now = datetime.now(UTC)
    before = await tx.db.fetchrow(queries.lock_agent, user_id)
    assert before is not None  # noqa: S101 - made or found above, and only a deleted user takes it along
    await tx.db.execute(queries.note_beats, [user_id], [now])
    if (before["presence"], before["presence_reason"]) == (presence, reason):
        return before
    return await _become(tx, before, presence, reason, now)


async def _become(tx: Transaction, before: Row, presence: str, reason: str | None, now: datetime) -> Row:
    user_id = before["user_id"]
    after = await tx.db.fetchrow(queries.set_presence, user_id, presence, reason, now)
    assert after is not None  # noqa: S101 - it is locked
    tx.emit(
        AgentPresenceChanged(
            aggregate_id=user_id,
            aggregate_version=after["version"],
            occurred_at=now,
            agent_id=user_id,
            from_presence=before["presence"],
            presence=presence,
            reason=reason,
            previous_s=max((now - before["presence_at"]).total_seconds(), 0.0),
        )
    )
    if presence == "offline" and before["presence"] != "offline":
        await give_back(tx, user_id, now)
    return after


async def give_back(tx: Transaction, user_id: UUID, now: datetime) -> int:
    """Return work of an agent who is offline to its queues, at its old place in line; how many conversations.

    What he has not answered yet goes at once. What he talks in goes by the rule of its queue: at once, or when the minutes
    for which it is kept are over. What waits for its customer goes when the customer writes. His row must be locked.
    """
    work = await tx.db.fetch(queries.work_of, user_id)
    for row in work:
        await transfer(tx, row["id"], reason="agent_gone", at=now)
    return len(work)


async def notice_lost(services: Services) -> int:
    """Agents whose heartbeat has stopped, or who are no users any more, are offline from now on; how many, a batch at most.

    Each in a transaction of its own: one whose work cannot be returned now does not hold up the others.
    """
    since = datetime.now(UTC) - timedelta(seconds=LOST_AFTER_S)
    found = await services.db.fetch(queries.silent, since, BATCH)
    for row in found:
        async with services.transaction() as tx:
            before = await tx.db.fetchrow(queries.lock_silent, row["user_id"], since)
            if before is not None:  # he may have come back meanwhile
                reason = LOST if before["active"] else DEACTIVATED
                await _become(tx, before, "offline", reason, datetime.now(UTC))
    return len(found)


async def return_stranded(services: Services) -> int:
    """Return what agents who are offline have no longer a right to: kept long enough, or its customer wrote. Of how many
    agents, a batch at most."""
    found = await services.db.fetch(queries.stranded, BATCH)
    for row in found:
        async with services.transaction() as tx:
            if await tx.db.fetchrow(queries.lock_agent, row["user_id"]):
                await give_back(tx, row["user_id"], datetime.now(UTC))
    return len(found)
