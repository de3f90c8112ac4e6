"""When a campaign begins an occurrence: at its time, by its rhythm, or because something happened to customers."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hub_api.campaigns.plans import keep, states
from hub_api.campaigns.sending import crossings
from hub_api.campaigns.sending.rhythm import next_after
from hub_api.campaigns.sending.turn import queries as at_work
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "occur.sql")


async def begin_due(services: Services) -> int:
    """Start scheduled campaigns whose time has come; how many."""
    begun = 0
    for row in await services.db.fetch(queries.due_starts):
        async with services.transaction() as tx:
            campaign = await tx.db.fetchrow(keep.queries.lock_campaign, row["id"])
            if campaign is None or campaign["state"] != "scheduled":
                continue
            await states.move(tx, campaign, "running")
            if campaign["kind"] == "recurring":
                await tx.db.execute(queries.set_next, row["id"], None)  # the rhythm's first moment from now on
            begun += 1
    return begun


async def occur(services: Services, campaign_id: UUID) -> None:
    """Begin the run that a running campaign is due to have, each once; one that comes again is completed when its end has come
    and its last run is over."""
    async with services.transaction() as tx:
        campaign = await tx.db.fetchrow(at_work.lock_working, campaign_id)
        if campaign is None:
            return
        if campaign["kind"] != "once" and _has_ended(campaign):
            if not await tx.db.fetch(at_work.runs_at_work, campaign_id):
                await states.move(tx, campaign, "completed")
            return
        match campaign["kind"]:
            case "once":
                await tx.db.execute(at_work.add_run, uuid7(), campaign_id, "once")
            case "recurring":
                await _by_rhythm(tx, services, campaign)
            case "triggered" if campaign["schedule"]["trigger"]["event"] != "churn_risk":
                await _by_business(tx, campaign, services.settings.zone)
    if campaign["kind"] == "triggered" and campaign["schedule"]["trigger"]["event"] == "churn_risk":
        await crossings.begin(services, campaign)


def _has_ended(campaign: Row) -> bool:
    until = campaign["schedule"].get("until")
    return until is not None and datetime.fromisoformat(until) <= datetime.now(UTC)


async def _by_rhythm(tx: Transaction, services: Services, campaign: Row) -> None:
    now, rhythm = datetime.now(UTC), campaign["schedule"]["rhythm"]
    due: datetime | None = campaign["next_at"]
    if due is None or due > now:
        if due is None:
            await tx.db.execute(queries.set_next, campaign["id"], next_after(rhythm, now, services.settings.zone))
        return
    # Who slept over several times begins the last one only.
    await tx.db.execute(at_work.add_run, uuid7(), campaign["id"], due.isoformat())
    await tx.db.execute(queries.set_next, campaign["id"], next_after(rhythm, now, services.settings.zone))


async def _by_business(tx: Transaction, campaign: Row, zone: ZoneInfo) -> None:
    trigger = campaign["schedule"]["trigger"]
    run_id = uuid7()
    what = (campaign["id"], run_id, campaign["started_at"], trigger.get("region_code"), crossings.MOST_AT_ONCE)
    if trigger["event"] == "invoice_issued":
        happened = await tx.db.fetchval(queries.invoices, *what, str(zone))
    else:
        happened = await tx.db.fetchval(queries.outages, *what)
    if happened:
        await tx.db.execute(at_work.add_run, run_id, campaign["id"], datetime.now(UTC).isoformat())
