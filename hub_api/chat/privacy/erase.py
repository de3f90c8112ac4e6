"""The right to erasure (LGPD art. 18, VI), store by store: PostgreSQL at once, the others follow, then the count of survivors.

Every step is harmless to repeat, so an attempt that dies is taken up by the next one. Higher layers register what only they
know (files of messages): `eraser("media")`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat.privacy import holds, lake, receipt, warehouse
from hub_api.chat.privacy.marks import seal, unseal
from hub_api.chat.privacy.rows import erase_rows, queries, sweep_raw
from hub_api.chat.privacy.survivors import Sought, count_namesakes, count_survivors
from hub_api.errors import Conflict, NotFound
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

Eraser = Callable[[Services, UUID], Awaitable[int]]
ERASERS: dict[str, Eraser] = {}

RETRY_S, INTERRUPTED_S, HELD_S = 60, 300, 3600
# From here on what is left is reported instead of waited for: a person looks at it.
PATIENCE = 10


class Held(Conflict):
    """A legal hold stops the erasure."""

    code = "legal_hold"


def register_eraser(store: str, erase: Eraser) -> None:
    """Let `erase(services, customer_id)` take part in every erasure; it returns how many records it erased."""
    ERASERS[store] = erase


async def request(services: Services, who: Principal | str, customer_id: UUID, reason: str) -> UUID:
    """Ask for the erasure of a customer, in force at once in PostgreSQL's next attempt; returns the erasure's id.

    The id of a merged customer means the one it became. Raises NotFound, Conflict for one who is erased or about to be,
    Held under a legal hold.
    """
    async with services.transaction() as tx:
        await tx.db.execute(holds.queries.lock_customer, customer_id)
        row = await tx.db.fetchrow(queries.find_customer, customer_id)
        if row is None:
            raise NotFound(f"there is no customer {customer_id}", customer_id=str(customer_id))
        if row["status"] == "erased":
            raise Conflict(f"customer {customer_id} is erased already")
        if other := await tx.db.fetchval(queries.under_way, row["id"]):
            raise Conflict(f"customer {customer_id} is being erased: see erasure {other}", erasure_id=str(other))
        if ids := await holds.held(tx.db, row["id"]):
            raise Held(f"customer {customer_id} is under legal hold: release it first", holds=ids)
        erasure_id = uuid7()
        actor = who if isinstance(who, str) else who.actor
        await tx.db.execute(queries.insert_erasure, erasure_id, row["id"], reason, actor, datetime.now(UTC))
        await audit.write(tx, who, "privacy.erasure_requested", "customer", row["id"], detail={"reason": reason})
    return erasure_id


@dataclass(frozen=True, slots=True)
class Attempt:
    """An erasure that is worked on: its row, what its person was found by, and how many rows went by store."""

    row: Row
    sought: Sought
    erased_at: datetime
    counts: dict[str, Any]

    def and_went(self, store: str, counts: dict[str, int]) -> "Attempt":
        """The same with more rows gone."""
        return replace(self, counts=_added(self.counts, store, counts))


async def work_on(services: Services, erasure_id: UUID, *, erased_at: datetime | None = None) -> bool:
    """One attempt at an erasure; True when it is done. `erased_at`: that of an erasure that is repeated.

    Nothing happens when another one is at it. Raises the drivers' errors when a store is away: PostgreSQL comes first, and
    what was not done is tried again.
    """
    return await work_on_all(services, [erasure_id], erased_at=erased_at) == 1


async def work_on_all(services: Services, erasure_ids: Sequence[UUID], *, erased_at: datetime | None = None) -> int:
    """One attempt at each; how many are done. PostgreSQL's rows go person by person, then each store is gone through once
    for all of them. Raises as `work_on`."""
    try:
        return await _work_on_all(services, erasure_ids, erased_at)
    except Exception:
        await services.db.execute(queries.interrupted, list(erasure_ids), INTERRUPTED_S)
        raise


async def _work_on_all(services: Services, erasure_ids: Sequence[UUID], erased_at: datetime | None) -> int:
    begun = [one for erasure_id in erasure_ids if (one := await _begin(services, erasure_id, erased_at))]
    if not begun:
        return 0
    position = await services.db.fetchrow(queries.relay_position)
    secret = services.settings.secret_key.get_secret_value()
    for one in begun:
        listed = warehouse.Listed(one.row["id"], one.row["customer_id"], one.row["reason"], one.erased_at)
        await warehouse.write_list(services.settings, services.db, listed)
    for store, erase in ERASERS.items():
        begun = [one.and_went(store, {"files": await erase(services, one.row["customer_id"])}) for one in begun]
    raw = await sweep_raw(services.db, [(one.sought.marks, one.erased_at) for one in begun])
    texts = await warehouse.erase_texts(services.settings, [customer for one in begun for customer in one.sought.ids])
    days = await lake.follow(services.settings)
    together = f" ({len(begun)} people together)" if len(begun) > 1 else ""
    for store, counts in (("postgresql", raw), ("warehouse", texts), ("lake", days)):
        begun = [one.and_went(store + together, counts) for one in begun]
    survivors = await count_survivors(services, [one.sought for one in begun])
    done = []
    for one, found in zip(begun, survivors, strict=True):
        mine = found | await _in_flight(services, one.sought.ids, position)
        if mine and one.row["attempts"] < PATIENCE:
            await services.db.execute(queries.postponed, one.row["id"], mine, one.counts, RETRY_S)
            log.info("erasure_not_done", erasure=str(one.row["id"]), attempt=one.row["attempts"], survivors=mine)
        else:
            done.append((one, mine))
    namesakes = await count_namesakes(services.db, [one.sought for one, _ in done])
    for (one, mine), count in zip(done, namesakes, strict=True):
        await _finish(services, secret, one, mine, count)
    return len(done)


async def _begin(services: Services, erasure_id: UUID, erased_at: datetime | None) -> Attempt | None:
    """Claim an erasure and erase the person's rows in PostgreSQL; None when it is not ours to work on, or held."""
    row = await services.db.fetchrow(queries.claim, erasure_id)
    if row is None:
        return None
    if row["state"] == "queued" and (kept := await holds.held(services.db, row["customer_id"])):
        # Held under another id, which a merge has brought to him since he was asked for.
        await services.db.execute(queries.postponed, erasure_id, {"legal holds": len(kept)}, row["counts"], HELD_S)
        return None
    secret = services.settings.secret_key.get_secret_value()
    at = erased_at or (datetime.now(UTC) if row["state"] == "queued" else row["erased_at"])
    async with services.transaction() as tx:
        known = unseal(secret, row["sealed"])
        marks, erased = await erase_rows(tx, secret, erasure_id, row["customer_id"], at, known)
        counts = _added(row["counts"], "postgresql", erased)
        await tx.db.execute(queries.started, erasure_id, seal(secret, marks), counts, at)
    ids = [one["id"] for one in await services.db.fetch(queries.person_ids, row["customer_id"])]
    return Attempt(row, Sought(marks, ids or [row["customer_id"]]), at, counts)


async def _in_flight(services: Services, ids: Sequence[UUID], position: Row | None) -> dict[str, int]:
    """What may still write of the person: a send that waits for its answer, a relay batch read before the erasure."""
    found = {}
    if sending := await services.db.fetchval(queries.in_flight, ids):
        found["postgresql:messages being sent"] = sending
    now = await services.db.fetchrow(queries.relay_position)
    if position and now and position["in_flight"] and now["in_flight"] and now["batch"] == position["batch"]:
        found["warehouse:relay batch in flight"] = 1
    return found


async def _finish(services: Services, secret: str, done: Attempt, survivors: dict[str, int], namesakes: int) -> None:
    erasure_id, finished_at = done.row["id"], datetime.now(UTC)
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.find_erasure, erasure_id)
        assert row is not None  # noqa: S101 - it was claimed
        kept = await tx.db.fetch(queries.kept, erasure_id)
        content = {
            "erasure_id": str(erasure_id),
            "customer_id": str(row["customer_id"]),
            "reason": row["reason"],
            "requested_at": row["created_at"].isoformat(),
            "erased_at": row["erased_at"].isoformat(),
            "finished_at": finished_at.isoformat(),
            "erased": done.counts,
            "survivors": survivors,
            "rows_with_the_same_name": namesakes,
            "kept_by_law": [
                {"legal_basis": one["legal_basis"], "records": one["count"], "until": one["keep_until"].isoformat()}
                for one in kept
            ],
        }
        signed = receipt.sign(secret, content)
        await tx.db.execute(queries.finished, erasure_id, survivors, done.counts, signed, finished_at)
        await audit.write(
            tx,
            audit.SYSTEM,
            "privacy.erased",
            "customer",
            row["customer_id"],
            detail={"survivors": sum(survivors.values())},
        )
    if survivors:
        log.error("erasure_has_survivors", erasure=str(erasure_id), survivors=survivors)


def _added(counts: dict[str, Any], store: str, more: dict[str, int]) -> dict[str, Any]:
    known = counts.get(store, {})
    return {**counts, store: {**known, **{table: known.get(table, 0) + count for table, count in more.items()}}}


async def find_erasure(services: Services, erasure_id: UUID) -> Row:
    """An erasure and how far it is. Raises NotFound."""
    row = await services.db.fetchrow(queries.find_erasure, erasure_id)
    if row is None:
        raise NotFound(f"there is no erasure {erasure_id}")
    return row


async def list_erasures(services: Services, *, limit: int = 50, cursor: str | None = None) -> Rows:
    """Erasures, newest first. Raises Invalid for a cursor that is none of ours."""
    (last,) = read_cursor(cursor, UUID)
    return page(await services.db.fetch(queries.list_erasures, last, limit + 1), limit, "id")
