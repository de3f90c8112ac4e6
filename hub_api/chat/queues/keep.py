"""Queues are made, changed and deleted here, each change with its row in the audit log."""

from typing import Any
from uuid import UUID

import asyncpg

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.auth.teams import find_team
from hub_api.chat.queues.schemas import NewQueue, QueueRules
from hub_api.chat.routing.hook import open_caller
from hub_api.chat.routing.jobs import route
from hub_api.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)


async def list_queues(services: Services, caller: Principal, *, limit: int, cursor: str | None) -> Rows:
    """The queues that the caller sees. Raises Invalid for a foreign cursor."""
    rows = await services.db.fetch(queries.list_queues, *caller.scope, *read_cursor(cursor, UUID), limit + 1)
    return page(rows, limit, "id")


async def find_queue(db: Any, caller: Principal, key: str) -> Row:
    """One of them. Raises NotFound, also for one of another team."""
    row = await db.fetchrow(queries.find_queue, *caller.scope, key)
    if row is None:
        raise NotFound(f"there is no queue {key!r}", queue=key)
    return row  # type: ignore[no-any-return]


async def make_queue(services: Services, tx: Transaction, who: Principal, new: NewQueue) -> str:
    """A queue; its key. Raises Conflict for a taken key, Forbidden for a team that is not the caller's, Invalid."""
    if new.team_id is None and who.teams is not None:
        raise Forbidden("you see your own teams only: name the team that serves the queue")
    if new.team_id is not None:
        await find_team(tx.db, who, new.team_id)
    queue_id = uuid7()
    try:
        async with tx.db.transaction():
            await tx.db.execute(queries.insert_queue, queue_id, new.key, new.team_id)
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a queue {new.key!r} already", queue=new.key) from None
    rules = QueueRules.model_validate(new.model_dump(exclude={"key", "team_id"}))
    await _set(services, tx, who, queue_id, rules)
    after = {**rules.model_dump(), "team_id": str(new.team_id) if new.team_id else None}
    await audit.write(tx, who, "queue.created", "queue", new.key, after=after)
    return new.key


async def change_queue(
    services: Services, tx: Transaction, who: Principal, key: str, rules: QueueRules, *, version: int | None
) -> None:
    """Replace a queue's rules; they hold for who waits too. Raises NotFound, Stale, Forbidden, Invalid."""
    before = await find_queue(tx.db, who, key)
    row = await tx.db.fetchrow(queries.lock_queue, *who.scope, key)
    if row is None:
        raise NotFound(f"there is no queue {key!r}", queue=key)
    _may_change(who, row)
    if version is not None and row["version"] != version:
        raise Stale("the queue has changed since you read it: read it again", version=row["version"])
    await _set(services, tx, who, row["id"], rules)
    was = {name: before[name] for name in QueueRules.model_fields}
    await audit.write(tx, who, "queue.changed", "queue", key, before=was, after=rules.model_dump())
    tx.ring(route)


async def delete_queue(tx: Transaction, who: Principal, key: str) -> None:
    """A queue that nothing refers to; one with a history is made inactive instead. Raises NotFound, Forbidden, Conflict."""
    row = await tx.db.fetchrow(queries.lock_queue, *who.scope, key)
    if row is None:
        raise NotFound(f"there is no queue {key!r}", queue=key)
    _may_change(who, row)
    if used := await tx.db.fetchval(queries.is_used, row["id"]):
        raise Conflict(f"queue {key!r} has {used}: make it inactive instead", queue=key)
    await tx.db.execute(queries.delete_queue, row["id"])
    await audit.write(tx, who, "queue.deleted", "queue", key, before={"name": row["name"]})


async def _set(services: Services, tx: Transaction, who: Principal, queue_id: UUID, rules: QueueRules) -> None:
    await tx.db.execute(queries.one_at_a_time)
    if rules.hook_url is not None:
        (await services.shared(open_caller)).check(rules.hook_url)
    if rules.is_default:
        if who.teams is not None:
            raise Forbidden("you see your own teams only: the default queue is set by who sees all")
        await tx.db.execute(queries.no_default, queue_id)
    overflow = await find_queue(tx.db, who, rules.overflow_queue) if rules.overflow_queue else None
    await tx.db.execute(
        queries.set_rules,
        queue_id,
        rules.name,
        rules.active,
        rules.is_default,
        rules.skills,
        rules.languages,
        rules.business_hours,
        rules.holidays_closed,
        rules.strategy,
        overflow["id"] if overflow and overflow["id"] != queue_id else None,
        rules.overflow_after_s if overflow and overflow["id"] != queue_id else None,
        rules.escalate_after_s,
        rules.escalate_to,
        rules.on_lost,
        rules.keep_minutes,
        rules.waiting_text,
        rules.closed_text,
        rules.hook_url,
        rules.hook_timeout_ms,
        rules.disposition_required,
    )
    chain = [row["id"] for row in await tx.db.fetch(queries.overflow_chain, queue_id)]
    if queue_id in chain or (overflow and overflow["id"] == queue_id):
        message = f"{rules.overflow_queue!r} leads back here: conversations would go round"
        raise Invalid(message, errors=[{"field": "body.overflow_queue", "message": message}])


def _may_change(who: Principal, row: Row) -> None:
    if who.teams is not None and row["team_id"] is None:
        raise Forbidden("this queue is everybody's: it is changed by who sees all teams")
