"""Turns into the outbox while there is room for them: runway, day, budget and rules; and why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from hub_api.campaigns.plans import keep, states
from hub_api.campaigns.ports import Channel
from hub_api.campaigns.sending import decide
from hub_api.campaigns.sending.turn import PORTION, queries, take_turns
from hub_api.campaigns.timing import Pacing, Standing, admit, affordable
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

# A worker has other work too: a round ends after so long, and the next ring goes on.
ROUND_S = 5.0


@dataclass(frozen=True, slots=True)
class Filled:
    """Whether more could be put into the outbox at once, and why not although somebody waits (`waits_for`, where it is `known`)."""

    more: bool = False
    waits_for: str | None = None
    known: bool = True


async def fill(services: Services, channel: Channel, campaign_id: UUID, run: Row, runs: Sequence[Row]) -> Filled:
    """Put turns of a run into the outbox while there is room. `runs`: all of the campaign's, which share its runway."""
    end = datetime.now(UTC) + timedelta(seconds=ROUND_S)
    while datetime.now(UTC) < end:
        campaign = await services.db.fetchrow(keep.queries.find_campaign, campaign_id)
        present = {one["id"]: one for one in await services.db.fetch(queries.runs_at_work, campaign_id)}
        if campaign is None or campaign["state"] != "running" or run["id"] not in present:
            return Filled()
        now_run = present[run["id"]]
        room, why_none = await _room(services, channel, campaign, now_run, runs)
        if room <= 0:
            return Filled(waits_for=why_none)
        portion = await take_turns(services, channel, campaign_id, now_run, min(room, PORTION))
        if portion is None:
            return Filled(known=False)
        if portion.unsendable is not None:
            await decide.stop_unsendable(services, channel, campaign, now_run, portion.unsendable)
        elif portion.blocked is not None:
            log.warning("campaign_waits", campaign_id=str(campaign_id), reason=portion.blocked)
        if portion.unsendable or portion.blocked or not portion.looked_at:
            return Filled(waits_for=portion.blocked)
    return Filled(more=True)


async def _room(
    services: Services, channel: Channel, campaign: Row, run: Row, runs: Sequence[Row]
) -> tuple[int, str | None]:
    """How many turns there is room for, and what there is none for: a full outbox is no reason, since it empties by itself."""
    pacing = await pacing_of(services, channel, campaign)
    today = datetime.now(services.settings.zone).date()
    waiting = await services.db.fetchval(queries.in_outbox, [one["id"] for one in runs])
    placed_today = campaign["placed_today"] if campaign["placed_day"] == today else 0
    room = admit(pacing, Standing(waiting, placed_today, campaign["placed"]))
    if room <= 0:
        if affordable(pacing, campaign["placed"]) <= 0:
            await _out_of_budget(services, campaign, run, pacing)
        spent = pacing.per_day is not None and placed_today >= pacing.per_day
        return 0, "per_day" if spent else None
    allowed = await decide.room_by_rules(services, campaign, run)
    return (room, None) if allowed is None else (min(room, allowed.turns), allowed.rule)


async def pacing_of(services: Services, channel: Channel, campaign: Row) -> Pacing:
    """The bounds of a campaign now, with the price of a message where there is a budget."""
    price = await channel.price(services, campaign["lane"]) if campaign["budget_micros"] is not None else None
    fits = price is not None and price[1] == campaign["budget_currency"].strip()
    return Pacing(
        per_day=campaign["pacing"].get("per_day"),
        runway=campaign["pacing"].get("runway", 500),
        budget_micros=campaign["budget_micros"],
        price_micros=price[0] if price is not None and fits else None,
    )


async def _out_of_budget(services: Services, campaign: Row, run: Row, pacing: Pacing) -> None:
    """Nobody more can be paid: it stands still until the budget is raised, if somebody still waits."""
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.lock_working, campaign["id"])
        if row is None or not await tx.db.fetch(queries.due, run["id"], datetime.max.replace(tzinfo=UTC), 1):
            return
        evidence = {"budget_micros": pacing.budget_micros, "price_micros": pacing.price_micros, "placed": row["placed"]}
        await states.decide(tx, campaign["id"], run["id"], "budget", "stop", evidence)
        await states.move(tx, row, "paused", reason="budget" if pacing.price_micros is not None else "no_price")
