"""Customers whose churn risk crossed a level: each scored day against the one before, none left out however late one looks.

A mark of each campaign says how far it has read. The newest day is read again at each look, since it may be scored again; what
set the campaign off already is a key that is there.
"""

from datetime import UTC, date, datetime
from itertools import pairwise
from uuid import UUID

import structlog

from hub_api.campaigns.sending.turn import queries as at_work
from hub_api.errors import Unavailable
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.warehouse import ask

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "occur.sql")
questions = sqlfile.load(__package__, "crossings.clickhouse.sql")

MOST_AT_ONCE = 50_000  # of one run, whatever sets it off; the rest are the next one's
FIRST = UUID(int=0)  # before every customer


async def begin(services: Services, campaign: Row) -> None:
    """Begin runs for crossings since the campaign's mark, in portions that are kept one by one: who dies goes on from the last.

    The first look begins with the newest day scored before the campaign started. Raises nothing when the warehouse is away: the
    next look finds as much.
    """
    try:
        days = [row[0] for row in (await ask(services, questions.days)).rows]
        mark = await services.db.fetchrow(queries.score_mark, campaign["id"])
        if mark is None:
            started = campaign["started_at"].astimezone(services.settings.zone).date()
            since, reached = max((day for day in days if day < started), default=date.min), FIRST
        else:
            since, reached = mark["day"], mark["after"] or FIRST
        for before, day in pairwise(days):
            if day >= since:
                after = reached if day == since else FIRST
                if not await _read_day(services, campaign, before, day, after):
                    return
    except Unavailable as error:
        log.warning(
            "campaign_scores_away",
            campaign_id=str(campaign["id"]),
            reason=error.message,
            remedy="the next look goes on",
        )


async def _read_day(services: Services, campaign: Row, before: date, day: date, after: UUID) -> bool:
    """The crossings of a day from a customer on. False: the campaign does not run any more."""
    level = campaign["schedule"]["trigger"]["level"]
    while True:
        asked = {"day": day, "before": before, "level": level, "after": after, "limit": MOST_AT_ONCE}
        found: list[UUID] = [row[0] for row in (await ask(services, questions.crossed, asked)).rows]
        over = len(found) < MOST_AT_ONCE
        run_id = uuid7()
        async with services.transaction() as tx:
            if await tx.db.fetchrow(at_work.lock_working, campaign["id"]) is None:
                return False
            # The key is the month, so that who goes to and fro is written to once in it.
            if await tx.db.fetchval(queries.crossed, campaign["id"], run_id, f"churn:{day:%Y-%m}", found):
                await tx.db.execute(at_work.add_run, run_id, campaign["id"], datetime.now(UTC).isoformat())
            await tx.db.execute(queries.set_score_mark, campaign["id"], day, None if over else found[-1])
        if over:
            return True
        after = found[-1]
