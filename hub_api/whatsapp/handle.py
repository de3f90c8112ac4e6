"""The items of a lane, chunk by chunk, in order; one that cannot be handled is put aside and blocks nobody.

A chunk is one transaction. When it fails for a reason that may pass (a deadlock, a lost connection, a race for the same
customer), it is done again; when it fails for its contents, the next chunk is half as long, until the poisoned item
stands alone and becomes a dead letter. Then the chunks grow again.
"""

import asyncio
import random
import time
from collections import Counter

import asyncpg
import structlog

from hub_api.errors import HubError
from hub_api.platform import trace
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.metrics import items_handled
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp import crashes, deadletters
from hub_api.whatsapp.handle_batch import MissingMonth, handle_batch, queries
from hub_api.whatsapp.send.buckets import count_inbound

log = structlog.get_logger(__name__)

CHUNK = 200
_TRIES = 6


class _ChunkFailed(Exception):
    """These items (ids in order) could not be handled together, for what they hold."""

    def __init__(self, items: list[int]) -> None:
        super().__init__(len(items))
        self.items = items


async def drain(services: Services, lane: int, stop_at: float) -> bool:
    """Handle the lane until it is empty, or until `stop_at` (monotonic seconds): True, when work may be left.

    Returns False at once when another worker has the lane: it looks again after its last chunk, so nothing that was
    committed before this call is overlooked. Raises what may pass but did not in a few tries.
    """
    limit, tries = CHUNK, 0
    while time.monotonic() < stop_at:
        try:
            handled = await _handle_chunk(services, lane, limit)
        except MissingMonth as missing:
            await services.db.execute(queries.make_month, missing.month)
        except _ChunkFailed as failed:
            if len(failed.items) == 1 and failed.__cause__:
                await _put_aside(services, failed.items[0], failed.__cause__)
            limit = max(1, len(failed.items) // 2)
        except Exception as error:
            tries += 1
            if tries >= _TRIES:
                raise
            log.info("chunk_tried_again", lane=lane, error=type(error).__name__)
            await asyncio.sleep(random.uniform(0, 0.01 * 2**tries))
        else:
            if handled is None or (handled == 0 and not await services.db.fetchval(queries.has_items, lane)):
                return False
            limit, tries = min(CHUNK, limit * 2), 0
    return True


async def _handle_chunk(services: Services, lane: int, limit: int) -> int | None:
    """How many items were handled; None when another worker has the lane."""
    items: list[Row] = []
    began_ns = trace.now_ns()
    try:
        async with services.transaction() as tx:
            if not await tx.db.fetchval(queries.try_lock_lane, lane):
                return None
            if await crashes.suspect(tx, services, lane):
                return 0
            items = sorted(await tx.db.fetch(queries.take_items, lane, limit), key=lambda item: item["id"])
            if items and items[0]["attempts"] >= crashes.DEADLY:
                await deadletters.bury(tx, [(items[0], "handle", "worker_died", "its worker died each time")])
            elif items:
                async with crashes.in_hand(services, lane, items):
                    await handle_batch(tx, services.settings, items)
    except Exception as error:
        if not items or _says_nothing_of_items(error):
            raise
        raise _ChunkFailed([item["id"] for item in items]) from error
    for kind, count in Counter(item["kind"] for item in items).items():
        items_handled.labels(kind).inc(count)
    for item in items:
        trace.past(f"handle {item['kind']}", item["webhook_id"].hex, began_ns, lane=lane, handled_together=len(items))
    await count_inbound(
        services.redis, Counter(i["phone_number_id"] for i in items if i["kind"] == "message" and i["phone_number_id"])
    )
    return len(items)


def _says_nothing_of_items(error: Exception) -> bool:
    """What may pass, and what is wrong with us: a missing month, a query that does not fit the schema."""
    if isinstance(error, HubError):
        return error.retryable
    return isinstance(error, (*RETRYABLE, MissingMonth, asyncpg.SyntaxOrAccessError))


async def _put_aside(services: Services, item_id: int, error: BaseException) -> None:
    reason, detail = deadletters.reason_of(error)
    async with services.transaction() as tx:
        rows = await tx.db.fetch(queries.take_item, item_id)
        await deadletters.bury(tx, [(row, "handle", reason, detail) for row in rows])
    log.warning("item_put_aside", item=item_id, reason=reason)
