"""Promises are made, changed and deleted here; open conversations are looked at by the new ones at once."""

from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat.queues.keep import find_queue
from hub_api.chat.sla.schemas import NewPolicy
from hub_api.chat.sla.watch import queries
from hub_api.errors import Conflict, Forbidden, NotFound, Stale
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services


async def list_policies(services: Services, caller: Principal, *, limit: int, cursor: str | None) -> Rows:
    """Those of queues that the caller sees, and of any queue. Raises Invalid for a foreign cursor."""
    rows = await services.db.fetch(queries.list_policies, *caller.scope, *read_cursor(cursor, UUID), limit + 1)
    return page(rows, limit, "id")


async def find_policy(db: Any, caller: Principal, policy_id: UUID) -> Row:
    """One of them. Raises NotFound."""
    row = await db.fetchrow(queries.find_policy, *caller.scope, policy_id)
    if row is None:
        raise NotFound(f"there is no promise {policy_id}", policy_id=str(policy_id))
    return row  # type: ignore[no-any-return]


async def make_policy(tx: Transaction, who: Principal, new: NewPolicy) -> UUID:
    """A promise; its id. Raises NotFound for an unknown queue, Forbidden for one for all queues by who sees some."""
    policy_id = uuid7()
    await tx.db.execute(queries.insert_policy, policy_id, *await _columns(tx, who, new))
    await tx.db.execute(queries.mark_open)
    await audit.write(tx, who, "sla_policy.created", "sla_policy", policy_id, after=new.model_dump())
    return policy_id


async def change_policy(
    tx: Transaction, who: Principal, policy_id: UUID, new: NewPolicy, *, version: int | None
) -> None:
    """Replace a promise; running clocks go by it from now on. Raises NotFound, Stale, Forbidden."""
    before = await _lock(tx, who, policy_id)
    if version is not None and before["version"] != version:
        raise Stale("the promise has changed since you read it: read it again", version=before["version"])
    await tx.db.execute(queries.set_policy, policy_id, *await _columns(tx, who, new))
    await tx.db.execute(queries.mark_open)
    was = {name: before[name] for name in NewPolicy.model_fields}
    await audit.write(tx, who, "sla_policy.changed", "sla_policy", policy_id, before=was, after=new.model_dump())


async def delete_policy(tx: Transaction, who: Principal, policy_id: UUID) -> None:
    """One by which no clock ever ran; any other is made inactive. Raises NotFound, Forbidden, Conflict."""
    before = await _lock(tx, who, policy_id)
    if not await tx.db.fetchval(queries.delete_policy, policy_id):
        raise Conflict(f"conversations have clocks of {before['name']!r}: make it inactive instead")
    await audit.write(tx, who, "sla_policy.deleted", "sla_policy", policy_id, before={"name": before["name"]})


async def _lock(tx: Transaction, who: Principal, policy_id: UUID) -> Row:
    await tx.db.fetchval(queries.lock_policy, policy_id)
    before = await find_policy(tx.db, who, policy_id)
    _for_all(who, before["queue"])
    return before


async def _columns(tx: Transaction, who: Principal, new: NewPolicy) -> tuple[Any, ...]:
    _for_all(who, new.queue)
    queue_id = (await find_queue(tx.db, who, new.queue))["id"] if new.queue else None
    return (
        new.name,
        new.target,
        queue_id,
        new.priority,
        new.seconds,
        new.clock,
        new.warn_before_s,
        new.active,
    )


def _for_all(who: Principal, queue: str | None) -> None:
    if queue is None and who.teams is not None:
        raise Forbidden("you see your own teams only: a promise for every queue is made by who sees all")
