"""The clock of promises."""

from hub_api.chat.sla import watch
from hub_api.platform.queue import job
from hub_api.platform.services import Services


@job("maintenance", timeout_s=60)
async def look(services: Services) -> None:
    """Follow everything that happened, then tell of what is due."""
    while await watch.follow_marks(services) == watch.BATCH:
        pass
    await watch.notice(services)
