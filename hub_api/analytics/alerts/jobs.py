"""Jobs of alerts on key figures."""

from hub_api.analytics.alerts import watch
from hub_api.platform.queue import job
from hub_api.platform.services import Services


@job("maintenance", timeout_s=120)
async def look(services: Services) -> None:
    """Look at every figure that is watched."""
    await watch.look(services)
