"""Routing's jobs: a doorbell after every change that may matter, and a clock that makes lost rings good."""

import time

import structlog

from hub_api.chat.agents.presence import notice_lost, return_stranded
from hub_api.chat.desk.later import send_due
from hub_api.chat.desk.put_off import wake_due
from hub_api.chat.routing import hook
from hub_api.chat.routing.claim import MOST_AT_ONCE, queries, serve_line
from hub_api.chat.routing.overflow import escalate, overflow
from hub_api.chat.routing.tell import tell_places
from hub_api.chat.transfer import transfer
from hub_api.platform.metrics import queue_lacking, queue_oldest_seconds, queue_waiting
from hub_api.platform.pgtypes import Row
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

# A job hands the worker back after this long and rings itself again: other queues wait behind it.
WORK_S = 2.0
BATCH = 100


@job("bot", timeout_s=60)
async def route(services: Services) -> None:
    """Give out every line as far as agents are free, then tell who still waits."""
    stop_at = time.monotonic() + WORK_S
    await adopt(services)
    more = False
    for queue in await services.db.fetch(queries.waiting_queues):
        more |= await _serve(services, queue, stop_at)
    await tell_places(services)
    if more:
        await services.bells.ring([(route, ())])


@job("bot", timeout_s=60)
async def watch(services: Services) -> None:
    """Notice who is gone, return, wake, send and move on what is due; then give out what there is: the sweep of lost rings."""
    await notice_lost(services)
    await return_stranded(services)
    await wake_due(services)
    await send_due(services)
    await overflow(services)
    await escalate(services)
    await route.function(services)


@job("maintenance", timeout_s=30)
async def measure(services: Services) -> None:
    """Set the gauges of the lines."""
    for row in await services.db.fetch(queries.lines):
        queue_waiting.labels(row["key"]).set(row["waiting"])
        queue_oldest_seconds.labels(row["key"]).set(row["oldest_s"])
        queue_lacking.labels(row["key"]).set(row["lacking"])


async def adopt(services: Services) -> None:
    """Conversations that wait in no queue go to the default one, or to the oldest there is: nobody else would look at them."""
    found = await services.db.fetch(queries.without_queue, BATCH)
    if not found:
        return
    key = await services.db.fetchval(queries.default_queue)
    if key is None:
        log.warning("no_queue", waiting=len(found), remedy="make a queue: POST /api/v1/queues")
        return
    for row in found:
        async with services.transaction() as tx:
            if await tx.db.fetchval(queries.lock_without_queue, row["id"]):
                await transfer(tx, row["id"], key, reason="default_queue")


async def _serve(services: Services, queue: Row, stop_at: float) -> bool:
    """Serve one line until it or time is over; whether time was."""
    most = MOST_AT_ONCE if queue["hook_url"] is None else hook.MOST_CALLS
    more = True
    while more:
        if time.monotonic() > stop_at:
            return True
        preferred = await hook.ask(services, queue)
        given, more = await serve_line(services, queue, preferred, most=most)
        if given:
            log.info("conversations_assigned", queue=queue["key"], count=given)
    return False
