"""One pass over one queue's line: who waits gets an agent, in order, with no conversation given twice and none forgotten.

PostgreSQL decides. What is planned is read without locks and judged again under them; a pass that is killed leaves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub_api.chat.agents.heartbeat import LOST_AFTER_S
from hub_api.chat.assign import Why, assign_locked
from hub_api.chat.routing.choose import Candidate, Choice, Wants, choose
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Connection, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

PAGE = 200
# A transaction gives no more: the relay of events waits for the oldest one.
MOST_AT_ONCE = 50
# Features of so many candidates are stored with an assignment: the chosen one, then those with most room.
TOLD_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Planned:
    """Who gets what, and what was known when it was decided."""

    waiting: Row
    choice: Choice
    candidates: tuple[Candidate, ...]


async def serve_line(
    services: Services, queue: Row, preferred: Mapping[UUID, UUID] | None = None, *, most: int = MOST_AT_ONCE
) -> tuple[int, bool]:
    """Give out what can be given of a queue's line in one transaction: how many, and whether it is worth another look.

    `preferred`: conversation -> agent that the hook named; heeded while he fits.
    """
    async with services.transaction() as tx:
        await tx.db.execute(queries.lock_line, queue["id"])
        planned = await plan(tx.db, queue, preferred or {}, most=most)
        given, parted = await _give(tx, queue, planned)
    return given, parted or len(planned) == most


async def load_candidates(db: Connection, queue: Row, now: datetime) -> list[Candidate]:
    """Agents whom the queue may choose, with their free slots or without."""
    rows = await db.fetch(queries.candidates, queue["team_id"], now - timedelta(seconds=LOST_AFTER_S))
    return [
        Candidate(
            row["agent_id"],
            row["load"],
            row["capacity"],
            row["idle_since"],
            row["last_assigned_at"],
            row["skills"],
            frozenset(row["languages"]),
        )
        for row in rows
    ]


def wants_of(queue: Row, waiting: Row, preferred_id: UUID | None = None) -> Wants:
    """The wishes of queue and conversation together: the higher level of a skill, the conversation's language before the queue's."""
    skills = dict(queue["skills"])
    for skill, level in waiting["wanted_skills"].items():
        skills[skill] = max(level, skills.get(skill, 0))
    own = waiting["wanted_language"]
    languages = frozenset((own,)) if own else frozenset(queue["languages"])
    return Wants(waiting["priority"], skills, languages, waiting["last_agent_id"], preferred_id)


async def plan(
    db: Connection, queue: Row, preferred: Mapping[UUID, UUID], *, most: int = MOST_AT_ONCE
) -> list[Planned]:
    """Who would get what now, in the order of the line, until nobody is free or the line ends.

    A conversation that nobody present fits is passed over: those behind it do not wait for its sake.
    """
    now = datetime.now(UTC)
    free = [one for one in await load_candidates(db, queue, now) if one.load < one.capacity]
    planned: list[Planned] = []
    after: tuple[int | None, datetime | None, UUID | None] = (None, None, None)
    while free and len(planned) < most:
        line = await db.fetch(queries.line, queue["id"], *after, PAGE, queue["strategy"] == "last_agent")
        for waiting in line:
            wants = wants_of(queue, waiting, preferred.get(waiting["id"]))
            choice = choose(wants, free, queue["strategy"])
            if choice is None:
                continue
            planned.append(Planned(waiting, choice, told(free, choice)))
            free = [_after(one, choice, now) for one in free]
            free = [one for one in free if one.load < one.capacity]
            if not free or len(planned) == most:
                return planned
        if len(line) < PAGE:
            break
        after = (line[-1]["priority"], line[-1]["line_at"], line[-1]["id"])
    return planned


def told(candidates: Sequence[Candidate], choice: Choice) -> tuple[Candidate, ...]:
    """The candidates that an assignment remembers: the chosen one first."""
    ranked = sorted(
        candidates, key=lambda one: (one.agent_id != choice.agent_id, one.load - one.capacity, one.agent_id)
    )
    return tuple(ranked[:TOLD_CANDIDATES])


def _after(one: Candidate, choice: Choice, now: datetime) -> Candidate:
    return one.taking_one(now) if one.agent_id == choice.agent_id else one


async def _give(tx: Transaction, queue: Row, planned: Sequence[Planned]) -> tuple[int, bool]:
    """Assign what still holds under the locks: how many, and whether the plan turned out to be wrong somewhere.

    Where an agent is gone or full, the rest waits for another plan: his conversation is served before those behind it.
    """
    if not planned:
        return 0, False
    chosen = list({one.choice.agent_id for one in planned})
    capacity = {row["user_id"]: row["capacity"] for row in await tx.db.fetch(queries.lock_agents, chosen)}
    loads = {row["agent_id"]: row["load"] for row in await tx.db.fetch(queries.loads, chosen)}
    still = await tx.db.fetch(queries.lock_waiting, [one.waiting["id"] for one in planned], queue["id"])
    waits = {row["id"] for row in still}
    now, given = datetime.now(UTC), 0
    for one in planned:
        agent = one.choice.agent_id
        if one.waiting["id"] not in waits:
            continue
        if loads.get(agent, 0) >= capacity.get(agent, 0):
            return given, True
        why = Why(
            one.choice.reason,
            queue_id=queue["id"],
            queue=queue["key"],
            strategy=queue["strategy"],
            waited_s=max((now - one.waiting["line_at"]).total_seconds(), 0.0),
            candidates=[each.features() for each in one.candidates],
        )
        await assign_locked(tx, one.waiting["id"], agent, why, now)
        loads[agent] = loads.get(agent, 0) + 1
        given += 1
    return given, len(waits) < len(planned)
