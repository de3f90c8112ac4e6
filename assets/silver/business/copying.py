"""Tables of PostgreSQL as they are now, copied whole: COPY text out, the same bytes in, swapped in at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from assets.warehouse import Warehouse
from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.clickhouse import BACKFILL, INSERT, connect_async
from hub_api.platform.pgtypes import Connection
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient

queries = sqlfile.load(__package__, "copies.sql")

CHUNK_BYTES = 1 << 20


class ShortCopy(HubError):
    """The warehouse has another number of rows than PostgreSQL gave; the table was left as it was."""

    code = "short_copy"


def copy_whole(warehouse: Warehouse, table: str, query: str | None = None) -> int:
    """Replace `silver.<table>` by what PostgreSQL has now (`query`, else that of the name in copies.sql); how many rows.

    The table aside becomes visible whole or not at all. Raises ShortCopy when a row was lost on the way.
    """
    target = f"silver.{table}"
    with warehouse.replaced_whole(target) as aside:
        rows = asyncio.run(
            _copy(warehouse.settings, query or getattr(queries, table), aside, warehouse.columns(target))
        )
        found = int(warehouse.rows(f"SELECT count() FROM {aside}")[0][0])  # noqa: S608 - our own table
        if found != rows:
            raise ShortCopy(f"PostgreSQL gave {rows} rows for {target} and {found} arrived")
    return rows


async def _copy(settings: Settings, query: str, aside: str, columns: list[str]) -> int:
    import asyncpg

    db = await asyncpg.connect(settings.database_url.get_secret_value(), server_settings={"timezone": "UTC"})
    warehouse = await connect_async(settings.clickhouse_url, BACKFILL, timeout_s=3600)
    try:
        return await _stream(db, warehouse, query, aside, columns)
    finally:
        await warehouse.close()
        await db.close()


async def _stream(db: Connection, warehouse: "AsyncClient", query: str, aside: str, columns: list[str]) -> int:
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=4)
    reading = asyncio.create_task(_copy_out(db, query, chunks))

    async def body() -> AsyncIterator[bytes]:
        while (chunk := await chunks.get()) is not None:
            yield chunk
        await reading  # its error breaks the request off

    try:
        await warehouse.raw_insert(
            aside, column_names=columns, insert_block=body(), fmt="TabSeparated", settings={**BACKFILL, **INSERT}
        )
        return await reading
    except Exception:
        if reading.done() and (cause := reading.exception()) is not None:
            raise cause from None  # the client only knows that its body broke off
        raise
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _copy_out(db: Connection, query: str, chunks: "asyncio.Queue[bytes | None]") -> int:
    buffer = bytearray()

    async def collect(chunk: bytes) -> None:
        buffer.extend(chunk)
        if len(buffer) >= CHUNK_BYTES:
            await chunks.put(bytes(buffer))
            buffer.clear()

    try:
        status = await db.copy_from_query(query, output=collect)
        await chunks.put(bytes(buffer))
        return int(status.removeprefix("COPY "))
    finally:
        await chunks.put(None)
