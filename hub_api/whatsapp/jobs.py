"""The jobs of the channel's inbound side: cut stored webhooks into items, handle the items of a lane."""

import time

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.handle import drain
from hub_api.whatsapp.splitter import split_batch

# A job hands the worker back after this long and rings itself again: other queues wait behind it.
WORK_S = 2.0


@job("inbound", timeout_s=60)
async def split_inbox(services: Services) -> None:
    """Split stored webhooks until none is left or time is up, ringing the lanes that got items after each commit."""
    stop_at = time.monotonic() + WORK_S
    while time.monotonic() < stop_at:
        async with services.transaction() as tx:
            done, lanes = await split_batch(tx.db, services.settings.inbox_lanes)
            for lane in sorted(lanes):
                tx.ring(handle_lane, lane)
        if not done:
            return
    await services.bells.ring([(split_inbox, ())])


@job("inbound", timeout_s=60)
async def handle_lane(services: Services, lane: int) -> None:
    """Handle the items of a lane until none is left or time is up."""
    if await drain(services, lane, time.monotonic() + WORK_S):
        await services.bells.ring([(handle_lane, (lane,))])
