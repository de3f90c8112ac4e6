"""Reconciliation of PostgreSQL's events with raw.events: counts and hashes per day, ids only where they differ."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from hub_api.errors import Unavailable
from hub_api.platform import rawevents, sqlfile
from hub_api.platform.clickhouse import BACKFILL, connect_async
from hub_api.platform.pgtypes import Connection
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient

queries = sqlfile.load(__package__, "reconcile.sql")

CURSOR = "raw.events"
IDS_A_BATCH = 20_000
PENDING_WAIT_S = 30.0


@dataclass(frozen=True)
class Day:
    """What was found for one day of recording. `equal`: both sides have the same events now.

    `surplus` are rows that PostgreSQL does not have: `duplicated` a second time, `corrupted` with other content (its right
    copy was added), the rest unknown to it.
    """

    day: str
    postgresql: int
    warehouse: int
    repaired: int = 0
    surplus: int = 0
    duplicated: int = 0
    corrupted: int = 0

    @property
    def equal(self) -> bool:
        """Nothing is missing any more, and nothing is there that PostgreSQL does not have."""
        return self.surplus == 0


async def reconcile(settings: Settings, days: Sequence[str]) -> list[Day]:
    """Compare these business days by time of recording, add to raw.events what it lacks, and say what it has too much.

    Only what the relay has confirmed is compared: what it has not brought yet is late, not missing. Months that have left
    PostgreSQL were compared when they did (hub_api/platform/lake/archive.py).
    """
    db = await asyncpg.connect(settings.database_url.get_secret_value(), server_settings={"timezone": "UTC"})
    warehouse = await connect_async(settings.clickhouse_url, BACKFILL)
    try:
        return [await _day(db, warehouse, settings, date.fromisoformat(day)) for day in days]
    finally:
        await warehouse.close()
        await db.close()


async def _day(db: Connection, warehouse: "AsyncClient", settings: Settings, day: date) -> Day:
    edges = (datetime.combine(edge, datetime.min.time(), settings.zone) for edge in (day, day + timedelta(days=1)))
    bounds: tuple[datetime, ...] = tuple(edges)
    if kept_since := await db.fetchval(queries.archived_until):
        bounds = (min(max(bounds[0], kept_since), bounds[1]), bounds[1])
    confirmed = await db.fetchval(queries.confirmed_batch, CURSOR)
    if confirmed is None:
        raise Unavailable("the relay has no cursor yet: start `hub relay` first")
    ours = await db.fetchrow(queries.fingerprint, CURSOR, *bounds)
    parameters = {"from": bounds[0], "to": bounds[1], "batch": confirmed}
    answer = await warehouse.query(queries.warehouse_fingerprint, parameters=parameters)
    theirs = answer.result_rows[0]
    assert ours is not None  # noqa: S101 - an aggregate always has a row
    if (ours["count"], ours["hash"]) == (theirs[0], theirs[1]):
        return Day(day.isoformat(), ours["count"], theirs[0])
    rows = await db.fetch(queries.fingerprints, CURSOR, *bounds)
    answer = await warehouse.query(queries.warehouse_fingerprints, parameters=parameters)
    have = Counter((row[0], row[1]) for row in answer.result_rows)
    want = {(row["id"], row["hash"]) for row in rows}
    missing = sorted(event_id for event_id, hash_ in want - set(have))
    surplus = sum(have.values()) - len(want & set(have))
    corrupted = len({event_id for event_id, _ in set(have) - want} & set(missing))
    for start in range(0, len(missing), IDS_A_BATCH):
        await _add(db, warehouse, missing[start : start + IDS_A_BATCH], bounds)
    return Day(
        day.isoformat(), len(want), sum(have.values()) + len(missing), len(missing), surplus,
        duplicated=sum(have.values()) - len(have), corrupted=corrupted,
    )  # fmt: skip


async def _add(db: Connection, warehouse: "AsyncClient", ids: Sequence[UUID], bounds: tuple[datetime, ...]) -> None:
    """Insert events as a batch of their own. The number is taken from the relay's cursor, and the cursor is held while
    the batch is written, so that batches become visible in the order of their numbers."""
    reserved = await _reserve(db)
    async with db.transaction():
        if await db.fetchval(queries.hold, CURSOR, reserved) is None:
            raise Unavailable(f"the relay went on while batch {reserved} was to be repaired: run this again")
        await rawevents.carry(
            db, warehouse,
            rawevents.SELECT.format(batch="$4", relayed_at="now()")
            + "WHERE id = ANY($1) AND created_at >= $2 AND created_at < $3 ORDER BY xid, seq",
            ids, *bounds, reserved, rows=len(ids), token=f"repair:{reserved}:{ids[0]}",
        )  # fmt: skip


async def _reserve(db: Connection) -> int:
    deadline = asyncio.get_running_loop().time() + PENDING_WAIT_S
    while (batch := await db.fetchval(queries.reserve, CURSOR)) is None:
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable("the relay has had a batch in flight for half a minute: is the warehouse well?")
        await asyncio.sleep(0.01)
    return int(batch)
