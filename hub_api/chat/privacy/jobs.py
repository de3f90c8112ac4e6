"""Jobs of privacy: erasures that are due, and records whose time at law is over."""

from datetime import UTC, datetime

import structlog

from hub_api.chat.privacy import retention
from hub_api.chat.privacy.erase import work_on
from hub_api.chat.privacy.rows import queries
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

CHUNK = 500


@job("maintenance", timeout_s=600)
async def erase_due(services: Services) -> None:
    """Work on each erasure that is due; one that fails is tried again later and stops no other."""
    for row in await services.db.fetch(queries.due):
        try:
            await work_on(services, row["id"])
        except Exception as error:  # whatever store is away, the next person's erasure must not wait for it
            log.warning("erasure_interrupted", erasure=str(row["id"]), error=type(error).__name__)


@job("maintenance", timeout_s=1800)
async def retain(services: Services) -> None:
    """End what is past its time by the rules of retention."""
    await retention.apply(services)


@job("maintenance", timeout_s=60)
async def expire_kept(services: Services) -> None:
    """Delete records that the law keeps no longer, chunk by chunk."""
    while (await services.db.execute(queries.expire_kept, datetime.now(UTC), CHUNK)) == f"DELETE {CHUNK}":
        pass
