"""Queues, agents and waiting conversations for tests of routing, and the rules that must hold whatever happens."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub_api.chat.agents.presence import set_presence
from hub_api.chat.routing.choose import fits
from hub_api.chat.routing.claim import load_candidates, queries, wants_of
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services


async def add_queue(services: Services, key: str, **rules: Any) -> UUID:
    """A queue; columns as given."""
    queue = uuid7()
    names, marks = "".join(f", {name}" for name in rules), "".join(f", ${place}" for place in range(3, 3 + len(rules)))
    await services.db.execute(
        f"INSERT INTO queues (id, key, name{names}) VALUES ($1, $2, $2{marks})", queue, key, *rules.values()
    )
    return queue


async def add_agent(
    services: Services, capacity: int = 1, skills: dict[str, int] | None = None, *, online: bool = True, **columns: Any
) -> UUID:
    """A user who takes conversations."""
    user = uuid7()
    await services.db.execute("INSERT INTO users (id, email, name) VALUES ($1, $2, 'Bia')", user, f"{user}@example.com")
    await services.db.execute(
        "INSERT INTO agents (user_id, capacity, skills) VALUES ($1, $2, $3)", user, capacity, skills or {}
    )
    for name, value in columns.items():
        await services.db.execute(f"UPDATE agents SET {name} = $2 WHERE user_id = $1", user, value)
    if online:
        async with services.transaction() as tx:
            await set_presence(tx, user, "online")
    return user


async def add_waiting(
    services: Services,
    queue: UUID | None,
    priority: int = 1,
    *,
    ago_s: float = 0,
    customer: UUID | None = None,
    **columns: Any,
) -> UUID:
    """A conversation that has waited in a queue for so long."""
    talk, since = uuid7(), datetime.now(UTC) - timedelta(seconds=ago_s)
    if customer is None:
        customer = uuid7()
        await services.db.execute("INSERT INTO customers (id) VALUES ($1)", customer)
    await services.db.execute(
        "INSERT INTO conversations (id, customer_id, protocol, state, priority, queue_id, opened_at, queued_at, last_customer_message_at) "
        "VALUES ($1, $2, next_protocol(now(), 'UTC'), 'queued', $3, $4, $5, $5, $5)",
        talk, customer, priority, queue, since,
    )  # fmt: skip
    for name, value in columns.items():
        await services.db.execute(f"UPDATE conversations SET {name} = $2 WHERE id = $1", talk, value)
    return talk


async def owner(services: Services, talk: UUID) -> UUID | None:
    """Who has it."""
    return await services.db.fetchval("SELECT agent_id FROM conversations WHERE id = $1", talk)


async def state(services: Services, talk: UUID) -> str:
    """Its state."""
    return await services.db.fetchval("SELECT state FROM conversations WHERE id = $1", talk)


async def waiting(services: Services) -> dict[UUID, Any]:
    """Who waits, by id."""
    rows = await services.db.fetch("SELECT *, NULL::uuid AS last_agent_id FROM conversations WHERE state = 'queued'")
    return {row["id"]: row for row in rows}


async def owned_by_one(services: Services) -> None:
    """Each conversation that an agent has is in one open assignment, his; no other is in any."""
    wrong = await services.db.fetch(
        "SELECT c.id, c.state, c.agent_id, array_agg(s.agent_id) AS owners FROM conversations c "
        "LEFT JOIN assignments s ON s.conversation_id = c.id AND s.released_at IS NULL GROUP BY c.id "
        "HAVING CASE WHEN c.state IN ('assigned', 'waiting_customer') THEN array_agg(s.agent_id) <> ARRAY[c.agent_id] "
        "ELSE count(s.id) > 0 END"
    )
    assert not wrong, [dict(row) for row in wrong]


async def within_capacity(services: Services) -> None:
    """Nobody has more than his slots."""
    over = await services.db.fetch(
        "SELECT a.user_id, a.capacity, count(*) AS load FROM agents a JOIN conversations c ON c.agent_id = a.user_id "
        "AND c.state IN ('assigned', 'waiting_customer') GROUP BY a.user_id HAVING count(*) > a.capacity"
    )
    assert not over, [dict(row) for row in over]


async def nobody_left_behind(services: Services) -> None:
    """After a pass nobody waits whom a free agent fits."""
    line = await waiting(services)
    assert all(row["queue_id"] for row in line.values()), "somebody waits in no queue"
    async with services.db.acquire() as db:
        for queue in await db.fetch(queries.waiting_queues):
            free = await load_candidates(db, queue, datetime.now(UTC))
            for row in line.values():
                if row["queue_id"] == queue["id"]:
                    idle = [one.agent_id for one in free if fits(wants_of(queue, row), one)]
                    assert not idle, f"{row['id']} waits while {idle} are free"


async def in_order(services: Services, before: dict[UUID, Any], since: datetime) -> None:
    """Nobody who waited through was passed over: what went to an agent since `since` was not behind somebody he fits."""
    after = await waiting(services)
    given = await services.db.fetch(
        "SELECT conversation_id, agent_id, queue_id FROM assignments WHERE assigned_at >= $1 AND strategy IS NOT NULL",
        since,
    )
    touched = {row["conversation_id"] for row in given}
    agents = {row["user_id"]: row for row in await services.db.fetch("SELECT * FROM agents")}
    queues = {row["id"]: row for row in await services.db.fetch("SELECT * FROM queues")}
    for row in given:
        later = before.get(row["conversation_id"])
        for stayed in after.values() if later else ():
            first = before.get(stayed["id"])
            if first is None or stayed["id"] in touched or stayed["queue_id"] != later["queue_id"]:
                continue
            # Who was handed to another line meanwhile was served there, not before those of the old one.
            if not first["queue_id"] == row["queue_id"] == later["queue_id"] or _place(first) >= _place(later):
                continue
            wants = wants_of(queues[first["queue_id"]], stayed)
            has = agents[row["agent_id"]]["skills"]
            able = all(has.get(name, 0) >= level for name, level in wants.skills.items())
            assert not able, f"{later['id']} was served before {first['id']}"


def _place(row: Any) -> tuple[Any, ...]:
    return -row["priority"], row["line_at"], row["id"]
