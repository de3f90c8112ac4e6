"""What a process works with: opened once, passed down, never imported from a global."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from redis.asyncio import Redis

from hub_api.platform.metrics import database_connections
from hub_api.platform.pgtypes import Pool
from hub_api.platform.postgres import FanOut, Transaction, create_pool, transaction
from hub_api.platform.queue import Bells
from hub_api.platform.redis import connect, connect_sync
from hub_api.settings import Settings

if TYPE_CHECKING:
    from hub_api.platform.otel import Spans

T = TypeVar("T")

COUNT_CONNECTIONS_S = 1.0
_open_pools: set[Pool] = set()


@dataclass
class _Extras:
    """What domains opened in this process beyond the pools, by the function that opened it."""

    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    opened: dict[Any, Any] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Services:
    """The resources of one process. `fan_out` is `hub_api.flow`: which event rings which jobs."""

    settings: Settings
    db: Pool
    redis: Redis
    bells: Bells
    fan_out: FanOut
    _extras: _Extras = field(default_factory=_Extras, repr=False, compare=False)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction whose events and rings leave with its commit."""
        return transaction(self.db, self.fan_out, self.bells.ring)

    async def shared(self, opener: "Callable[[Services], AbstractAsyncContextManager[T]]") -> T:
        """What `opener` opens, once per process: a client that one domain alone knows. Closed before the pools are.

        An opener must not ask for another one's: the two would wait for each other.
        """
        async with self._extras.lock:
            if opener not in self._extras.opened:
                self._extras.opened[opener] = await self._extras.stack.enter_async_context(opener(self))
            return self._extras.opened[opener]  # type: ignore[no-any-return]


@asynccontextmanager
async def open_services(settings: Settings, fan_out: FanOut, name: str) -> AsyncIterator[Services]:
    """Open the pools of a process called `name`; closes them in reverse. Raises the driver's error when PostgreSQL is away."""
    spans = begin_traces(settings, name)
    redis, sync_redis = (
        connect(settings.redis_url.get_secret_value()),
        connect_sync(settings.redis_url.get_secret_value()),
    )
    try:
        db = await create_pool(
            settings.database_url.get_secret_value(),
            size=settings.database_pool_size,
            name=name,
            on_query=spans.query if spans else None,
        )
        _open_pools.add(db)
        counting = asyncio.create_task(_count_connections(), name="count connections")
        try:
            services = Services(settings, db, redis, Bells(redis, sync_redis), fan_out)
            async with services._extras.stack:
                yield services
        finally:
            counting.cancel()
            _open_pools.discard(db)
            await db.close()
    finally:
        await redis.aclose()
        sync_redis.close()


def begin_traces(settings: Settings, name: str) -> "Spans | None":
    """Send the spans of a process to HUB_OTLP_URL, where it is set; else nothing of OpenTelemetry is loaded."""
    if settings.otlp_url is None:
        return None
    from hub_api.platform import otel

    return otel.begin(settings, name.removeprefix("hub-"))


def count_connections() -> None:
    """Set the gauge of this process's PostgreSQL connections in use."""
    database_connections.set(sum(pool.get_size() - pool.get_idle_size() for pool in _open_pools))


async def _count_connections() -> None:
    """A process that nobody asks for its metrics (a worker, the other API process) counts its connections all the same."""
    while True:
        count_connections()
        await asyncio.sleep(COUNT_CONNECTIONS_S)
