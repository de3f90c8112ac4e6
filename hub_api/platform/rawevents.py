"""How rows of PostgreSQL's `events` travel to `raw.events`: COPY text out, the same bytes in.

PostgreSQL's COPY text format and ClickHouse's TabSeparated are one format, so no row passes through Python.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
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
CHUNK_BYTES = 1 << 20
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


async def carry(db: Connection, warehouse: "AsyncClient", query: str, *args: Any, rows: int, token: str) -> None:
    """Stream the rows of a query into raw.events as one insert; returns when it is durable. The same token a second
    time writes nothing.

    Raises WrongCount unless the query gave `rows` rows, before the insert is complete, so that nothing of it is kept.
    After an error of a driver nothing, or everything, was written, and only the token tells.
    """
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=4)
    reading = asyncio.create_task(_copy_out(db, query, args, rows, chunks))

    async def body() -> AsyncIterator[bytes]:
        while (chunk := await chunks.get()) is not None:
            yield chunk
        await reading  # its error breaks the request off

    try:
        await warehouse.raw_insert(
            TABLE,
            column_names=COLUMNS,
            insert_block=body(),
            fmt="TabSeparated",
            settings={**INSERT, **_ONE_BLOCK, "insert_deduplication_token": token},
        )
    except Exception:
        if reading.done() and (cause := reading.exception()) is not None:
            raise cause from None  # the client only knows that its body broke off
        raise
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _copy_out(
    db: Connection, query: str, args: Sequence[Any], rows: int, chunks: "asyncio.Queue[bytes | None]"
) -> None:
    buffer = bytearray()

    async def collect(chunk: bytes) -> None:
        buffer.extend(chunk)
        if len(buffer) >= CHUNK_BYTES:
            await chunks.put(bytes(buffer))
            buffer.clear()

    try:
        status = await db.copy_from_query(query, *args, output=collect)
        if (found := int(status.removeprefix("COPY "))) != rows:
            raise WrongCount(f"{rows} events were to be sent and PostgreSQL gave {found}")
        await chunks.put(bytes(buffer))
    finally:
        await chunks.put(None)


async def newest_batch(warehouse: "AsyncClient") -> int:
    """Number of the newest batch in the warehouse, 0 when it is empty."""
    answer = await warehouse.query(f"SELECT max(batch) FROM {TABLE}")  # noqa: S608 - our own constant
    return int(answer.result_rows[0][0])
