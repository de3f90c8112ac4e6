"""Goals that nobody reports: answers to campaigns; and the nightly second look at what was laid to which message."""

from datetime import UTC, datetime, timedelta

import structlog

from hub_api.campaigns.goals.answers import record_answers
from hub_api.campaigns.goals.record import MAX_BATCH, attribute_again, queries
from hub_api.campaigns.goals.stays import record_stays
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=105)  # ninety days of a message, and what is told late


@job("maintenance", timeout_s=60)
async def hear(services: Services) -> None:
    """Record replies, taps, payments and cancellations of campaigns that want them; harmless to repeat."""
    await record_answers(services)


@job("maintenance", timeout_s=600)
async def stay(services: Services) -> None:
    """Record who is still a customer at the end of his window, for campaigns that want just that; harmless to repeat."""
    await record_stays(services)


@job("maintenance", timeout_s=600)
async def lay_again(services: Services) -> None:
    """Lay the goals of the last weeks anew: merged customers and late messages change what came before what."""
    await lay_all(services, datetime.now(UTC) - LOOK_BACK)


async def lay_all(services: Services, since: datetime) -> dict[str, int]:
    """Make the attribution of every goal since then anew; how many goals by reason."""
    counts: dict[str, int] = {}
    last = None
    while ids := [row["id"] for row in await services.db.fetch(queries.goals_since, since, last, MAX_BATCH)]:
        async with services.transaction() as tx:
            for reason, goals in (await attribute_again(tx, ids, services.settings.timezone)).items():
                counts[reason] = counts.get(reason, 0) + goals
        last = ids[-1]
    log.info("goals_laid", **counts)
    return counts
