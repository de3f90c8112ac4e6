"""Failover: templates that wait at a number which cannot send move to others of its account, and back when it heals.

Free-form replies stay: their window belongs to the customer and that number. Chunks are small transactions under the
customers' locks, which a claim takes too: a message is moved or claimed, never both, and a customer's waiting templates
go together, so that their order stays.
"""

import time
from datetime import timedelta
from uuid import UUID

import structlog

from hub_api.platform import sqlfile
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.whatsapp.pool.spread import Wish, capacities, spread

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "move.sql")

# A shorter pause is waited for: Meta's maintenance takes a minute.
SHORT_PAUSE = timedelta(minutes=5)
# A number that fails again at once would have its queue thrown to and fro.
HEALTHY_FOR = timedelta(seconds=60)
CHUNK = 500
WORK_S = 10.0


async def rebalance(services: Services, *, healthy_for: timedelta = HEALTHY_FOR) -> int:
    """Move what waits at stopped numbers, then bring back what healed ones had; how many messages moved.

    Whatever is left when time is up, or locked just now, is the next run's.
    """
    stop_at = time.monotonic() + WORK_S
    moved = 0
    for row in await services.db.fetch(queries.stopped, SHORT_PAUSE):
        moved += await _move_away(services, row["id"], row["account_id"], stop_at)
    for row in await services.db.fetch(queries.healed, healthy_for):
        moved += await _move_back(services, row["id"], stop_at)
    return moved


async def _move_away(services: Services, number_id: UUID, account_id: UUID, stop_at: float) -> int:
    total = 0
    while time.monotonic() < stop_at:
        async with services.transaction() as tx:
            customers = [row["customer_id"] for row in await tx.db.fetch(queries.waiting_customers, number_id, CHUNK)]
            if not customers:
                break
            able = await capacities(tx, [account_id], without=number_id)
            able = [capacity for capacity in able if not capacity.held] or able
            chosen = spread([Wish("utility") for _ in customers], able)
            pairs = [(customer, number) for customer, number in zip(customers, chosen, strict=True) if number]
            if not pairs:
                break  # no other number can send: it waits here
            rows = await tx.db.fetch(queries.move, number_id, [c for c, _ in pairs], [n for _, n in pairs])
            for shard in {row["shard"] for row in rows}:
                tx.ring(REGISTRY["whatsapp.send.jobs.drain_outbox"], shard)
        total += len(rows)
        if not rows:
            break
    if total:
        log.warning("queue_moved", number=str(number_id), messages=total)
    return total


async def _move_back(services: Services, number_id: UUID, stop_at: float) -> int:
    total = 0
    while time.monotonic() < stop_at:
        async with services.transaction() as tx:
            customers = [row["customer_id"] for row in await tx.db.fetch(queries.moved_customers, number_id, CHUNK)]
            if not customers:
                break
            rows = await tx.db.fetch(queries.move_back, number_id, customers)
            for shard in {row["shard"] for row in rows}:
                tx.ring(REGISTRY["whatsapp.send.jobs.drain_outbox"], shard)
        total += len(rows)
    if total:
        log.info("queue_moved_back", number=str(number_id), messages=total)
    return total
