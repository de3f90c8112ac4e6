"""Jobs of privacy: erasures that are due, and records whose time at law is over."""

from datetime import UTC, datetime

import structlog

from hub_api.chat.privacy import retention
from hub_api.chat.privacy.erase import work_on_all
from hub_api.chat.privacy.rows import queries
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

CHUNK = 500
TOGETHER = 3
TURN, TURN_S = "erase_due", 1800  # in Redis: forgotten, two work beside each other, which the claims make harmless


@job("maintenance", timeout_s=TURN_S)
async def erase_due(services: Services) -> None:
    """Work on the erasures that are due, all together: the stores are gone through once. What fails is tried again later;
    one that was not done in a few attempts is worked on alone, so that it stops no other.

    One worker at a time: a pass may take longer than the clock's minute, and the others have customers to answer.
    """
    if not await services.redis.set(TURN, b"1", nx=True, ex=TURN_S):
        return
    try:
        await _erase_due(services)
    finally:
        await services.redis.delete(TURN)


async def _erase_due(services: Services) -> None:
    rows = await services.db.fetch(queries.due)
    together = [row["id"] for row in rows if row["attempts"] < TOGETHER]
    for ids in ([together] if together else []) + [[row["id"]] for row in rows if row["attempts"] >= TOGETHER]:
        try:
            await work_on_all(services, ids)
        except Exception as error:  # whatever store is away, the next person's erasure must not wait for it
            log.warning("erasures_interrupted", erasures=[str(one) for one in ids], error=type(error).__name__)


@job("maintenance", timeout_s=1800)
async def retain(services: Services) -> None:
    """End what is past its time by the rules of retention."""
    await retention.apply(services)


@job("maintenance", timeout_s=60)
async def expire_kept(services: Services) -> None:
    """Delete records that the law keeps no longer, chunk by chunk."""
    while (await services.db.execute(queries.expire_kept, datetime.now(UTC), CHUNK)) == f"DELETE {CHUNK}":
        pass
