"""The jobs of the channel's inbound side: cut stored webhooks into items, handle the items of a lane."""

import time
from collections.abc import Collection

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.handle import drain
from hub_api.whatsapp.splitter import split_batch

# A job hands the worker back after this long and rings itself again: other queues wait behind it.
WORK_S = 2.0
# So many webhooks are handled by whoever split them: rq's bookkeeping of a job for each of their lanes costs more than they do.
FEW = 50


@job("inbound", timeout_s=60)
async def split_inbox(services: Services) -> None:
    """Split stored webhooks until none is left or time is up. The items of a few are handled at once; of many, the lanes that
    got items are rung after each commit, so that other workers help."""
    stop_at = time.monotonic() + WORK_S
    while time.monotonic() < stop_at:
        async with services.transaction() as tx:
            done, lanes = await split_batch(tx.db, services.settings.inbox_lanes)
            if done > FEW:
                for lane in sorted(lanes):
                    tx.ring(handle_lane, lane)
        if not done:
            return
        if done <= FEW:  # once: where they keep coming, the other queues have their turn in between
            await _handle(services, lanes, stop_at)
            break
    await services.bells.ring([(split_inbox, ())])


async def _handle(services: Services, lanes: Collection[int], stop_at: float) -> None:
    """Handle these lanes in turn, so that a deadly item takes no other lane's with it. One that fails stops no other; what is left
    when time is up is rung. Raises what the first one raised."""
    failed: Exception | None = None
    for lane in sorted(lanes):
        try:
            if await drain(services, lane, stop_at):
                await services.bells.ring([(handle_lane, (lane,))])
        except Exception as error:
            failed = failed or error
    if failed:
        raise failed


@job("inbound", timeout_s=60)
async def handle_lane(services: Services, lane: int) -> None:
    """Handle the items of a lane until none is left or time is up."""
    if await drain(services, lane, time.monotonic() + WORK_S):
        await services.bells.ring([(handle_lane, (lane,))])
