"""Jobs of segments."""

import structlog

from hub_api.analytics.segments import freeze
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)


@job("maintenance", timeout_s=60)
async def end_dead_freezes(services: Services) -> None:
    """Give up frozen lists whose process died: the same Idempotency-Key then makes them anew."""
    if ended := await freeze.end_dead(services):
        log.warning("segment_lists_given_up", count=ended)
