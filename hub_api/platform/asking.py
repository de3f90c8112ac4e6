"""Questions to the warehouse that a person waits for: one client of the process, a limit on each, errors with a meaning."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_api.errors import HubError, Unavailable
from hub_api.platform.clickhouse import Settings, connect_async
from hub_api.platform.services import Services

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient

# The server ends a question at these limits, whoever asked it and whether he still waits.
ASK: Settings = {
    "max_execution_time": 10,
    "timeout_overflow_mode": "throw",
    "max_memory_usage": 1_500_000_000,
    "max_result_rows": 1_000_000,
    "result_overflow_mode": "throw",
}
WAIT_S = 20  # a little more than the server's own limit, which answers with a reason
# TOO_MANY_ROWS, TIMEOUT_EXCEEDED, TOO_SLOW, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
_COSTLY = frozenset({158, 159, 160, 241, 307, 396})


class TooCostly(HubError):
    """The question would take longer, or more memory, than one question may."""

    status, code = 422, "query_too_costly"


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows with what it cost to find them, as the server counted it."""

    rows: Sequence[Sequence[Any]]
    read_rows: int
    read_bytes: int
    seconds: float


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator["AsyncClient"]:
    client = await connect_async(services.settings.clickhouse_url, ASK, timeout_s=WAIT_S)
    try:
        yield client
    finally:
        await client.close()


async def ask(
    services: Services, sql: str, parameters: Mapping[str, Any] | None = None, *, settings: Settings | None = None
) -> Answer:
    """The answer to a query whose values are bound by `{name:Type}`; `settings` go over ASK.

    Raises TooCostly when a limit is reached, Unavailable when the warehouse does not answer, and the client's own error
    for a query that is wrong: that is a fault of ours.
    """
    from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

    began = asyncio.get_running_loop().time()
    try:
        client = await services.shared(_open)
        found = await client.query(sql, parameters=dict(parameters or {}), settings=dict(settings or {}))
    except OperationalError as error:
        raise Unavailable("the warehouse does not answer: try again in a moment") from error
    except DatabaseError as error:
        if error.code in _COSTLY:
            raise TooCostly(
                "this question takes longer or more memory than one may: ask for a shorter window or fewer conditions"
            ) from error
        raise
    except (OSError, TimeoutError) as error:
        raise Unavailable("the warehouse does not answer: try again in a moment") from error
    summary = found.summary or {}
    return Answer(
        found.result_rows,
        int(summary.get("read_rows", 0)),
        int(summary.get("read_bytes", 0)),
        asyncio.get_running_loop().time() - began,
    )
