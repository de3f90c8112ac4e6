"""Adopting a cluster: what the relay does when PostgreSQL and the warehouse no longer speak of the same history.

After a restore into another cluster transaction ids begin again, so neither the cursor nor the events' stamps mean
anything there; after a point-in-time restore they repeat; after a loss in the warehouse batches are missing. In each
case the warehouse is asked, event by event, what it has. What it lacks is stamped anew, in the old order, as if it had
just happened, and everything else is settled for good (`floor_seq`). A run that dies half-way is repeated harmlessly.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from hub_api.platform import rawevents, sqlfile
from hub_api.platform.pgtypes import Connection, Row

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

CHUNK_ROWS = 50_000
IDS_A_QUERY = 5_000


async def adopt_if_needed(db: Connection, warehouse: "AsyncClient", name: str) -> int:
    """Make the cursor `name` fit this cluster and this warehouse, creating it when it is the first; the caller is the
    one relay. Returns how many events had to be stamped anew."""
    cluster = await db.fetchrow(queries.cluster)
    assert cluster is not None  # noqa: S101 - a function that always has a row
    newest = await rawevents.newest_batch(warehouse)
    await db.execute(queries.ensure_cursor, name, cluster["system_identifier"], cluster["timeline"], newest)
    cursor = await db.fetchrow(queries.cursor, name)
    assert cursor is not None  # noqa: S101 - just ensured
    reason = _reason(cursor, cluster, newest)
    if reason is None:
        return 0
    log.warning("relay_adopts", reason=reason)
    restamped = await _adopt(db, warehouse, name, cluster)
    log.warning("relay_adopted", events_stamped_anew=restamped)
    return restamped


def _reason(cursor: Row, cluster: Row, newest_batch: int) -> str | None:
    if cursor["system_identifier"] != cluster["system_identifier"]:
        return "the database was restored into another cluster"
    if cursor["timeline"] != cluster["timeline"]:
        return "the cluster was restored to a point in time, or a standby was promoted"
    confirmed = cursor["batch"] - (cursor["pending_xid"] is not None)
    if newest_batch < confirmed and cursor["relayed_count"]:
        return f"the warehouse ends at batch {newest_batch} and had confirmed {confirmed}"
    return None


async def _adopt(db: Connection, warehouse: "AsyncClient", name: str, cluster: Row) -> int:
    async with db.transaction():
        await db.execute(queries.lock_events)
        horizon = await db.fetchrow(queries.horizon)
    assert horizon is not None  # noqa: S101 - a SELECT without FROM
    restamped, seq = 0, 0
    while rows := await db.fetch(queries.events_after, seq, horizon["floor_seq"], CHUNK_ROWS):
        lacking = await _lacking(warehouse, rows, seq)
        if lacking:
            restamped += await db.fetchval(
                queries.restamp, [row["seq"] for row in lacking], [row["created_at"] for row in lacking]
            )
        seq = rows[-1]["seq"]
    newest = await rawevents.newest_batch(warehouse)
    await db.execute(
        queries.adopt, name, cluster["system_identifier"], cluster["timeline"], horizon["xid"], horizon["floor_seq"], newest
    )  # fmt: skip
    return restamped


async def _lacking(warehouse: "AsyncClient", rows: Sequence[Row], after_seq: int) -> list[Row]:
    """Those of `rows` that the warehouse does not have: first by their numbers, then, for the few left, by id alone,
    since an earlier adoption may have given them other numbers."""
    answer = await warehouse.query(
        f"SELECT id FROM {rawevents.TABLE} WHERE seq > {{after:UInt64}} AND seq <= {{to:UInt64}}",  # noqa: S608 - our own constant
        parameters={"after": after_seq, "to": rows[-1]["seq"]},
    )
    known = {row[0] for row in answer.result_rows}
    candidates = [row for row in rows if row["id"] not in known]
    lacking = []
    for start in range(0, len(candidates), IDS_A_QUERY):
        chunk = candidates[start : start + IDS_A_QUERY]
        present = await _present(warehouse, [row["id"] for row in chunk])
        lacking += [row for row in chunk if row["id"] not in present]
    return lacking


async def _present(warehouse: "AsyncClient", ids: Sequence[UUID]) -> set[UUID]:
    listed = ", ".join(f"'{event_id}'" for event_id in ids)
    answer = await warehouse.query(
        f"SELECT id FROM {rawevents.TABLE} WHERE id IN ({listed})",  # noqa: S608 - our constant, UUIDs
        settings={"max_query_size": 1_000_000},
    )
    return {row[0] for row in answer.result_rows}
