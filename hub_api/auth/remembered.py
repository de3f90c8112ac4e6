"""What a session or an API key may do, kept in Redis for seconds so that a request need not ask PostgreSQL.

Whoever changes what is kept calls `forget_after`: with the commit a mark replaces the entry and outlives every request
that read PostgreSQL before it, so that none of them can bring the old state back. A change therefore holds with its
commit; only if Redis is away from the one who changes, and not from the one who asks, the entry's life bounds it.
"""

from collections.abc import Sequence

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction

log = structlog.get_logger(__name__)

KEPT_MS = 10_000
FORGOTTEN_MS = 60_000
FORGOTTEN = b"-"


async def keep(redis: Redis, entry: str, row: Row, *, for_ms: int = KEPT_MS) -> None:
    """Keep a row for `for_ms`, unless the entry is there or was forgotten a moment ago."""
    try:
        await redis.set(entry, orjson.dumps(dict(row), default=str), nx=True, px=for_ms)
    except RedisError as error:
        log.warning("entry_not_kept", error=type(error).__name__)


def forget_after(redis: Redis, tx: Transaction, entries: Sequence[str]) -> None:
    """With the commit of `tx` the entries are read afresh."""
    if entries:
        tx.after_commit(lambda: _forget(redis, entries))


async def _forget(redis: Redis, entries: Sequence[str]) -> None:
    try:
        async with redis.pipeline(transaction=False) as pipeline:
            for entry in entries:
                pipeline.set(entry, FORGOTTEN, px=FORGOTTEN_MS)
            await pipeline.execute()
    except RedisError as error:
        log.warning("entries_not_forgotten", entries=len(entries), error=type(error).__name__)
