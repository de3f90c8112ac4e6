"""Questions to the warehouse from routes and jobs: one client a process, a limit on every statement, errors that say what to do."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import aiohttp

from hub_api.errors import HubError, Unavailable
from hub_api.platform.clickhouse import Settings, connect_async
from hub_api.platform.services import Services
from hub_api.settings import Settings as HubSettings

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient

# Somebody looks at a screen and waits.
ASK: Settings = {
    "max_execution_time": 10,
    "max_memory_usage": 1_500_000_000,
    "max_result_rows": 200_000,
    "result_overflow_mode": "throw",
}
# A file is written while it is read: long, and as many rows as there are.
EXPORT: Settings = {"max_execution_time": 600, "max_result_rows": 0}
CONNECT_TIMEOUT_S = 15
GRACE_S = 10  # after its own limit the server answers with a reason

# TOO_MANY_ROWS, TIMEOUT_EXCEEDED, TOO_SLOW, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
_TOO_SLOW = frozenset((158, 159, 160, 241, 307, 396))
_NOT_THERE = frozenset((60, 81))  # UNKNOWN_TABLE, UNKNOWN_DATABASE


class TooExpensive(HubError):
    """The question needs more time or memory than one may take; a narrower one can be answered."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "too_expensive"


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows with what it cost to find them, as the server counted it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    read_rows: int
    read_bytes: int
    seconds: float


class Reader:
    """Asks the warehouse; connects when it is first asked, so that a hub runs without one."""

    def __init__(self, settings: HubSettings) -> None:
        self._url = settings.clickhouse_url
        self._client: AsyncClient | None = None
        self._lock = asyncio.Lock()

    async def answer(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Settings | None = None
    ) -> Answer:
        """The rows of a statement whose values are bound by `{name:Type}`; `settings` go over ASK. Times are aware, in UTC.

        Raises Unavailable when the warehouse is away or has no tables yet, TooExpensive beyond the limits; the client's own
        error for a statement that is wrong, since that is a fault of the hub.
        """
        began, limits = asyncio.get_running_loop().time(), {**ASK, **(settings or {})}
        client = await self._connected()
        with _told():
            async with asyncio.timeout(int(limits["max_execution_time"]) + GRACE_S):
                found = await client.query(sql, dict(parameters or {}), settings=limits, tz_mode="aware")
        summary = found.summary or {}
        return Answer(
            found.column_names,
            found.result_rows,
            int(summary.get("read_rows", 0)),
            int(summary.get("read_bytes", 0)),
            asyncio.get_running_loop().time() - began,
        )

    async def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Settings | None = None
    ) -> list[dict[str, Any]]:
        """The rows of `answer` by the names of their columns. Raises as `answer`."""
        found = await self.answer(sql, parameters, settings)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    async def stream(self, sql: str, parameters: Mapping[str, Any], fmt: str) -> AsyncIterator[bytes]:
        """What the warehouse writes in one of its formats (Parquet), piece by piece. Raises as `rows`, before the first piece."""
        client = await self._connected()
        with _told():
            source = await client.raw_stream(sql, dict(parameters), settings=dict(EXPORT), fmt=fmt)
        async with source as pieces:
            async for piece in pieces:
                yield bytes(piece)

    async def row_stream(self, sql: str, parameters: Mapping[str, Any]) -> AsyncIterator[tuple[Any, ...]]:
        """The rows of a SELECT, block by block. Raises as `rows`."""
        client = await self._connected()
        with _told():
            source = await client.query_row_block_stream(sql, dict(parameters), settings=dict(EXPORT), tz_mode="aware")
            async with source as blocks:
                async for block in blocks:
                    for row in block:
                        yield tuple(row)

    async def close(self) -> None:
        """Close the connection if there is one."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _connected(self) -> "AsyncClient":
        async with self._lock:
            if self._client is None:
                with _told():
                    async with asyncio.timeout(CONNECT_TIMEOUT_S):
                        self._client = await connect_async(self._url, ASK)
            return self._client


@asynccontextmanager
async def open_reader(services: Services) -> AsyncIterator[Reader]:
    """The process's reader: `await services.shared(open_reader)`."""
    reader = Reader(services.settings)
    try:
        yield reader
    finally:
        await reader.close()


async def ask(
    services: Services, sql: str, parameters: Mapping[str, Any] | None = None, *, settings: Settings | None = None
) -> Answer:
    """`Reader.answer` of the process's reader."""
    return await (await services.shared(open_reader)).answer(sql, parameters, settings)


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the client as ours; a statement that is wrong stays what it is, since that is a fault of the hub."""
    from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

    try:
        yield
    except ClickHouseError as error:
        code = getattr(error, "code", None)
        if code in _TOO_SLOW:
            raise TooExpensive(
                "this needs more time or memory than a question may take: ask for a shorter period or fewer conditions"
            ) from None
        if code in _NOT_THERE:
            raise Unavailable("the warehouse lacks tables of this version: run `hub migrate`") from None
        if code is None and isinstance(error, OperationalError):
            raise _away() from None
        raise
    except (aiohttp.ClientError, OSError, TimeoutError):
        raise _away() from None


def _away() -> Unavailable:
    return Unavailable("the warehouse does not answer: look at `hub status` and HUB_CLICKHOUSE_URL")
