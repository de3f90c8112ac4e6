"""Jobs of campaigns, above the siblings they bring together. Each finds its work by marks in PostgreSQL: the clock's ring is enough."""

from uuid import UUID

import structlog
from redis.exceptions import RedisError

from hub_api.campaign_channel import WhatsApp
from hub_api.campaigns.lists import freeze as lists
from hub_api.campaigns.sending import occur, tick
from hub_api.campaigns.sending.turn import queries
from hub_api.platform.pgtypes import Row
from hub_api.platform.queue import Ring, job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
CHANNEL = WhatsApp()
TROUBLE = "the others go on; hub campaigns show ID tells where it stands, hub campaigns pause ID stops it"
# The scores change once a day; the business data whenever it comes.
ASK_SCORES_EVERY_S = 300


@job("maintenance", timeout_s=60)
async def watch(services: Services) -> None:
    """Begin what is due, hold what is paused, end what was cancelled, and ring for everything that runs.

    One campaign in trouble keeps no other from its turn. Raises what the first of them raised, once all were looked at.
    """
    await occur.begin_due(services)
    trouble: list[Exception] = []
    for row in await services.db.fetch(queries.at_work):
        try:
            await services.bells.ring(await _attend(services, row))
        except Exception as error:
            log.exception("campaign_in_trouble", campaign_id=str(row["id"]), state=row["state"], remedy=TROUBLE)
            trouble.append(error)
    for row in await services.db.fetch(queries.ending):
        await tick.end(services, row["id"])
    if trouble:
        raise trouble[0]


async def _attend(services: Services, row: Row) -> list[Ring]:
    """What a campaign at work needs now; the rings for the rest."""
    if row["state"] == "paused":
        await tick.hold(services, row["id"])
    if row["state"] != "running":
        return []
    await tick.let_go(services, row["id"])  # what a resume that died had not let go
    if row["kind"] != "triggered" or await _may_ask(services, row["id"]):
        await occur.occur(services, row["id"])
    runs = await services.db.fetch(queries.runs_at_work, row["id"])
    freezes: list[Ring] = [(freeze, (str(run["id"]),)) for run in runs if run["state"] == "freezing"]
    return [*freezes, (send, (str(row["id"]),))]


@job("maintenance", timeout_s=1800)
async def freeze(services: Services, run_id: str) -> None:
    """Freeze the list of a run, then ring for its sending."""
    if await lists.freeze(services, CHANNEL, UUID(run_id)) is not None:
        await services.bells.ring([(watch, ())])


@job("maintenance", timeout_s=60)
async def send(services: Services, campaign_id: str) -> None:
    """One round of a running campaign; it rings again when there is more to do at once."""
    if await tick.work(services, CHANNEL, UUID(campaign_id)):
        await services.bells.ring([(send, (campaign_id,))])


async def _may_ask(services: Services, campaign_id: UUID) -> bool:
    """Triggers by scores are asked for every few minutes, others at every tick."""
    if (await services.db.fetchval(_EVENT, campaign_id)) != "churn_risk":
        return True
    try:
        return bool(await services.redis.set(f"campaign-scores:{campaign_id}", b"1", nx=True, ex=ASK_SCORES_EVERY_S))
    except RedisError:
        return True


_EVENT = "SELECT schedule #>> '{trigger,event}' FROM campaigns WHERE id = $1"
