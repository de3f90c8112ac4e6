"""Follow what happened to conversations, and tell of promises that are about to break or are broken: once each.

Marks (migration 0045) are followed in one transaction with what follows from them, so a stop at any point loses and repeats
nothing. What came due while nobody looked is found by its index, or by the mark that came after it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub_api.chat.hours import Hours, hours_of
from hub_api.chat.sla.clocks import TARGETS, Clock, Moment, Policy, columns, follow, policy_for
from hub_api.events import ConversationPromiseBroken, ConversationPromiseWarned
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

BATCH = 500
# An answer in time may commit a little after its time: a promise counts as broken when its mark must have come.
GRACE = timedelta(seconds=2)

_MOMENT = [one.name for one in fields(Moment)]
_TOLD = ("target", "policy_id", "started_at", "due_at")
# In the order of `clocks.columns`.
_KEPT = (
    "policy_id",
    "queue_id",
    "started_at",
    "running_since",
    "spent_s",
    "due_at",
    "warn_at",
    "warned_at",
    "breached_at",
    "ended_at",
)


async def follow_marks(services: Services) -> int:
    """Move the clocks by what happened since the last time; how many marks, a batch at most."""
    async with services.transaction() as tx:
        if not await tx.db.fetchval(queries.lock_following):
            return 0
        marks = await tx.db.fetch(queries.next_marks, BATCH)
        if marks:
            await _follow(services, tx, marks)
            await tx.db.execute(queries.delete_marks, [mark["id"] for mark in marks])
    return len(marks)


async def notice(services: Services) -> int:
    """Tell of what is due now: how many breaches and warnings, a batch of each at most."""
    now = datetime.now(UTC)
    async with services.transaction() as tx:
        broken = await tx.db.fetch(queries.breach, now - GRACE, BATCH)
        warned = await tx.db.fetch(queries.warn, now, BATCH)
        known = await _known(tx, [row["conversation_id"] for row in (*broken, *warned)])
        for row in broken:
            _tell(tx, known[row["conversation_id"]], *(row[name] for name in _TOLD), broken=True)
        for row in warned:
            _tell(tx, known[row["conversation_id"]], *(row[name] for name in _TOLD), broken=False)
    return len(broken) + len(warned)


async def _follow(services: Services, tx: Transaction, marks: Sequence[Row]) -> None:
    ids = list({mark["conversation_id"] for mark in marks})
    known = await _known(tx, ids)
    policies = await _policies(services, tx)
    clocks: dict[UUID, dict[str, Clock]] = defaultdict(dict)
    kept: dict[tuple[UUID, str], tuple[Any, ...]] = {}
    for row in await tx.db.fetch(queries.find_clocks, ids):
        clocks[row["conversation_id"]][row["target"]] = _clock(row, policies(row["queue_id"], row["policy_id"]))
        kept[row["conversation_id"], row["target"]] = tuple(row[name] for name in _KEPT)
    for mark in marks:
        moment = Moment(**{name: mark[name] for name in _MOMENT})
        if moment.conversation_id not in known:
            continue  # erased since
        own, current = clocks[moment.conversation_id], policies(moment.queue_id, None)
        for target in TARGETS:
            before = own.get(target)
            due_at = before.due_at if before is not None and before.breached_at is None else None
            if before is not None and due_at is not None and due_at < moment.at:  # it came due while nobody looked
                before = replace(before, breached_at=due_at)
                _tell(
                    tx, known[moment.conversation_id], target, before.policy.id, before.started_at, due_at, broken=True
                )
            after = follow(before, target, moment, policy_for(current, target, moment))
            if after is not None:
                own[target] = after
    for conversation_id, run in sorted(clocks.items()):
        for name, clock in run.items():
            if columns(clock) != kept.get((conversation_id, name)):
                await tx.db.execute(queries.save_clock, conversation_id, name, *columns(clock))


async def _policies(services: Services, tx: Transaction) -> Callable[[UUID | None, UUID | None], list[Policy]]:
    """(queue, None) -> the active promises as they count in a queue; (queue, id) -> that one, active or not."""
    rows = await tx.db.fetch(queries.policies)
    hours = {row["id"]: row for row in await tx.db.fetch(queries.queue_hours)}

    def of(queue_id: UUID | None, policy_id: UUID | None) -> list[Policy]:
        own = hours.get(queue_id) if queue_id else None
        return [
            Policy(
                row["id"],
                row["target"],
                row["queue_id"],
                row["priority"],
                row["seconds"],
                row["warn_before_s"],
                _hours(services, own) if row["clock"] == "business" else None,
                queue_id,
            )
            for row in rows
            if (row["active"] if policy_id is None else row["id"] == policy_id)
        ]

    return of


def _hours(services: Services, queue: Row | None) -> Hours:
    if queue is None:
        return hours_of(services.settings)
    return hours_of(services.settings, queue["business_hours"], holidays_closed=queue["holidays_closed"])


def _clock(row: Row, policies: Sequence[Policy]) -> Clock:
    return Clock(
        policies[0],
        row["started_at"],
        row["running_since"],
        row["spent_s"],
        row["warned_at"],
        row["breached_at"],
        row["ended_at"],
    )


async def _known(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Row]:
    return {row["id"]: row for row in await tx.db.fetch(queries.known, ids)} if ids else {}


def _tell(
    tx: Transaction, known: Row, target: str, policy_id: UUID, started_at: datetime, due_at: datetime, *, broken: bool
) -> None:
    event = ConversationPromiseBroken if broken else ConversationPromiseWarned
    tx.emit(
        event(
            aggregate_id=known["id"],
            aggregate_version=known["version"],
            occurred_at=due_at if broken else datetime.now(UTC),
            customer_id=known["customer_id"],
            target=target,
            policy_id=policy_id,
            started_at=started_at,
            due_at=due_at,
            queue=known["queue"],
            agent_id=known["agent_id"],
            priority=known["priority"],
        )
    )
