"""Items that end their worker (a crash of a library, memory, an endless loop): suspected, tried alone, then put aside.

Whoever holds a lane leaves a mark in Redis of the items in hand and takes it away before the transaction ends. A mark
that the next holder finds is of a worker that died: its items are counted as tried. Losing marks costs only the count.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from redis.exceptions import RedisError

from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "handle.sql")

# The first death suspects a whole chunk, the others one item alone; a worker that is killed for another reason ends here too.
DEADLY = 4
_MARK_S = 3600


async def suspect(tx: Transaction, services: Services, lane: int) -> bool:
    """Count the attempt of a worker that died with items of `lane` in hand; whether one did: then commit before the
    next try, which may end in the same way. The caller holds the lane."""
    mark: Any = None
    with suppress(RedisError):
        mark = await services.redis.getdel(_key(lane))
    if mark is None:
        return False
    first, last = map(int, mark.split(b"-"))
    await tx.db.execute(queries.count_attempt, lane, first, last)
    log.warning("worker_died_with_items", lane=lane, first=first, last=last)
    return True


@asynccontextmanager
async def in_hand(services: Services, lane: int, items: Sequence[Row]) -> AsyncIterator[None]:
    """Mark `items` (not empty, in order) as in hand while the block runs, however it ends, unless the process does."""
    with suppress(RedisError):
        await services.redis.set(_key(lane), f"{items[0]['id']}-{items[-1]['id']}", ex=_MARK_S)
    try:
        yield
    finally:
        with suppress(RedisError):
            await services.redis.delete(_key(lane))


def _key(lane: int) -> str:
    return f"inhand:{lane}"
