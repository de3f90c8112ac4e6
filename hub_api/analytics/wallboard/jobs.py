"""Jobs of the wallboard."""

import structlog

from hub_api.analytics.wallboard.count import count
from hub_api.chat.live import figures
from hub_api.errors import HubError
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)


@job("maintenance", timeout_s=60)
async def look(services: Services) -> None:
    """Count the wallboard's figures while somebody looks at one. Without a warehouse, or tables in it, there are none."""
    if not await figures.wanted(services):
        return
    try:
        await figures.keep(services, await count(services))
    except HubError as error:
        log.warning("figures_not_counted", error=error.code)
