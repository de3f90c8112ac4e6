"""PostgreSQL: the pool of a process and the transaction that carries events and rings with it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from asyncpg.connection import LoggedQuery

from hub_api.platform import trace
from hub_api.platform.eventlog import Event, insert_events
from hub_api.platform.pgtypes import Connection, Pool
from hub_api.platform.queue import Job, Ring

QueryLogger = Callable[[LoggedQuery], None]
FanOut = Callable[[Iterable[Event]], Iterable[Ring]]

# What a forgotten transaction may hold: the relay's horizon (pg_snapshot_xmin) waits for the oldest one.
IDLE_IN_TRANSACTION_MS = 30_000


async def create_pool(
    url: str, *, size: int, name: str, statement_timeout_ms: int = 0, on_query: QueryLogger | None = None
) -> Pool:
    """A pool of up to `size` connections; jsonb travels as Python values, times as UTC. `name` shows in pg_stat_activity.
    `on_query` is told of each statement once it is done."""

    async def init(connection: Connection) -> None:
        await prepare_connection(connection)
        if on_query is not None:
            connection.add_query_logger(on_query)

    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=init,
        reset=_as_it_is,
        server_settings={
            "application_name": name,
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
            "statement_timeout": str(statement_timeout_ms),
        },
    )


async def _as_it_is(connection: Connection) -> None:
    """Give a connection back as it is: asyncpg's four statements of cleaning would double the cost of a small query.

    Nothing of ours leaves a trace in a session: no SET but LOCAL ones, no advisory lock but a transaction's, no LISTEN (a
    test reads the statements). An open transaction is rolled back before this is called.
    """


async def prepare_connection(connection: Connection) -> None:
    """Teach a connection jsonb in its binary form, which COPY needs too."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS),
        decoder=lambda data: orjson.loads(data[1:]),
    )


class Transaction:
    """An open transaction with what has to follow from it: events written just before the commit, rings after it."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self._events: list[Event] = []
        self._traces: list[str | None] = []
        self._rings: list[Ring] = []
        self._afterwards: list[Callable[[], Awaitable[None]]] = []

    def emit(self, *events: Event, trace_id: str | None = None) -> None:
        """Record domain events; they are committed with the change or not at all. They belong to `trace_id`, else to the
        trace in hand."""
        self._events.extend(events)
        self._traces.extend([trace_id or trace.current()] * len(events))

    def ring(self, job: Job, *args: int | str) -> None:
        """Ring a job's doorbell once this transaction has committed; never before, never if it rolls back."""
        self._rings.append((job, args))

    def after_commit(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do something once this transaction has committed, never if it rolls back. `act` must not raise: all is done."""
        self._afterwards.append(act)

    async def settle(self) -> None:
        """Do what waited for the commit."""
        for act in self._afterwards:
            await act()

    async def flush(self, fan_out: FanOut) -> list[Ring]:
        """Write the events and return every ring that is due after the commit, each once."""
        await insert_events(self.db, self._events, self._traces)
        return list(dict.fromkeys([*self._rings, *fan_out(self._events)]))


@asynccontextmanager
async def transaction(
    pool: Pool, fan_out: FanOut, ring: Callable[[Iterable[Ring]], Awaitable[Any]]
) -> AsyncIterator[Transaction]:
    """One database transaction: commits when the block ends, rolls everything back when it raises."""
    async with pool.acquire() as db, db.transaction():
        tx = Transaction(db)
        yield tx
        rings = await tx.flush(fan_out)
    await tx.settle()
    await ring(rings)
