"""How rows of PostgreSQL's `events` travel to `raw.events`: COPY text out, the same bytes in.

PostgreSQL's COPY text format and ClickHouse's TabSeparated are one format, so no row passes through Python.
"""

from typing import TYPE_CHECKING, Any

from hub_api.errors import HubError
from hub_api.platform.clickhouse import INSERT, Settings
from hub_api.platform.pgtypes import Connection

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient

TABLE = "raw.events"
COLUMNS = (
    *("id", "type", "aggregate_type", "aggregate_id", "aggregate_version", "occurred_at", "recorded_at"),
    *("trace_id", "xid", "seq", "payload", "batch", "relayed_at"),
)
# In the order of COLUMNS; batch and relayed_at are the caller's. One time beyond ClickHouse's range would fail its batch
# for ever, so it is brought to the nearest edge.
SELECT = """
SELECT id, type, aggregate_type, aggregate_id, aggregate_version,
    greatest(least(occurred_at, '2299-12-31Z'), '1900-01-01Z') AT TIME ZONE 'UTC', created_at AT TIME ZONE 'UTC',
    coalesce(trace_id, ''), xid, seq, payload, {batch}::bigint, {relayed_at}::timestamptz AT TIME ZONE 'UTC'
FROM events
"""
# The whole batch is one block of one part: it becomes visible at once, and one token covers it.
_ONE_BLOCK: Settings = {
    "min_insert_block_size_rows": 10_000_000,
    "min_insert_block_size_bytes": 2_000_000_000,
    "max_insert_block_size": 10_000_000,
    "input_format_parallel_parsing": 0,
}


class WrongCount(HubError):
    """PostgreSQL gave another number of events than the bounds of the batch say: rows were deleted or detached."""

    code = "relay_wrong_count"


async def copy_out(db: Connection, query: str, *args: Any) -> tuple[bytearray, int]:
    """The rows of a query as COPY text, and how many they are."""
    body = bytearray()

    async def collect(chunk: bytes) -> None:
        body.extend(chunk)

    status = await db.copy_from_query(query, *args, output=collect)
    return body, int(status.removeprefix("COPY "))


async def insert(warehouse: "AsyncClient", body: bytes | bytearray, *, token: str) -> None:
    """Write COPY text into raw.events; returns when it is durable. The same token a second time writes nothing.

    Raises the client's errors: then nothing, or everything, was written, and only the token tells.
    """
    await warehouse.raw_insert(
        TABLE,
        column_names=COLUMNS,
        insert_block=bytes(body),
        fmt="TabSeparated",
        settings={**INSERT, **_ONE_BLOCK, "insert_deduplication_token": token},
    )


async def newest_batch(warehouse: "AsyncClient") -> int:
    """Number of the newest batch in the warehouse, 0 when it is empty."""
    answer = await warehouse.query(f"SELECT max(batch) FROM {TABLE}")  # noqa: S608 - our own constant
    return int(answer.result_rows[0][0])
