"""What a process works with: opened once, passed down, never imported from a global."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from hub_api.platform.pgtypes import Pool
from hub_api.platform.postgres import FanOut, Transaction, create_pool, transaction
from hub_api.platform.queue import Bells
from hub_api.platform.redis import connect, connect_sync
from hub_api.settings import Settings


@dataclass(frozen=True)
class Services:
    """The resources of one process. `fan_out` is `hub_api.flow`: which event rings which jobs."""

    settings: Settings
    db: Pool
    redis: Redis
    bells: Bells
    fan_out: FanOut

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction whose events and rings leave with its commit."""
        return transaction(self.db, self.fan_out, self.bells.ring)


@asynccontextmanager
async def open_services(settings: Settings, fan_out: FanOut, name: str) -> AsyncIterator[Services]:
    """Open the pools of a process called `name`; closes them in reverse. Raises the driver's error when PostgreSQL is away."""
    redis, sync_redis = (
        connect(settings.redis_url.get_secret_value()),
        connect_sync(settings.redis_url.get_secret_value()),
    )
    try:
        db = await create_pool(settings.database_url.get_secret_value(), size=settings.database_pool_size, name=name)
        try:
            yield Services(settings, db, redis, Bells(redis, sync_redis), fan_out)
        finally:
            await db.close()
    finally:
        await redis.aclose()
        sync_redis.close()
