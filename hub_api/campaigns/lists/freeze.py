"""The frozen list of a run: who was meant, who is left out and why, and when each one's turn comes (design §4.7).

Written in portions and `frozen` only when count and hash are made from what is stored; a freeze that dies is begun again by
whoever comes a minute later, and nothing is sent by one that is not frozen.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import structlog

from hub_api.campaigns.links.targets import columns_in
from hub_api.campaigns.lists.members import Member, open_source, queries
from hub_api.campaigns.ports import Channel
from hub_api.campaigns.suppressions.match import match_new
from hub_api.campaigns.timing import USUAL_HOURS, When, hours_at, turn_at
from hub_api.campaigns.zones import STATES
from hub_api.chat.hours import Hours
from hub_api.errors import HubError
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from models_ml.experiments.assignment import in_holdout

log = structlog.get_logger(__name__)

HOLDOUT_SALT = "holdout"  # one for all campaigns: those it holds out get nothing from any of them


class LeaseLost(HubError):
    """Another process took the freeze over: this one was silent for too long."""

    code = "freeze_taken_over"


def when_of(campaign: Row | Mapping[str, Any], zone: str, now: datetime) -> When:
    """The times of a campaign, as `timing` reads them."""
    schedule = campaign["schedule"]
    start, until, clock = schedule.get("start_at"), schedule.get("until"), schedule.get("local_time")
    return When(
        start=max(now, datetime.fromisoformat(start)) if start else now,
        hours=schedule.get("hours") or USUAL_HOURS[campaign["lane"]],
        zone=zone,
        holidays=schedule.get("holidays", True),
        until=datetime.fromisoformat(until) if until else None,
        local_time=time.fromisoformat(clock) if clock else None,
        best_hour=schedule.get("best_hour", False),
    )


def cap_of(campaign: Row | Mapping[str, Any]) -> tuple[int, int]:
    """Messages and days of the frequency cap; 0 messages: none."""
    cap = campaign["pacing"].get("cap")
    return (cap["messages"], cap["days"]) if cap else (0, 1)


async def freeze(services: Services, channel: Channel, run_id: UUID) -> int | None:
    """Freeze the list of a run; its members. None when it is frozen already or another process is at it.

    A failure that no repetition mends leaves the run `failed` with its reason. Raises what may be repeated; the run tells what it
    waits for.
    """
    lease = datetime.now(UTC)
    run = await services.db.fetchrow(queries.find_run, run_id)
    if run is None or not await services.db.fetchval(queries.take_lease, run_id, lease):
        return None
    try:
        return await _freeze(services, channel, run, lease)
    except LeaseLost:
        return None
    except HubError as error:
        if error.retryable:
            await services.db.execute(queries.freeze_waits, run_id, error.code)
            raise
        log.warning("campaign_not_frozen", run_id=str(run_id), reason=error.code)
        await services.db.execute(queries.fail_run, run_id, f"{error.code}: {error.message}"[:500])
        return None


async def _freeze(services: Services, channel: Channel, run: Row, lease: datetime) -> int:
    await services.db.execute(queries.drop_recipients, run["campaign_id"], run["id"])
    await match_new(services)  # who came since the clock's last look, with a number that is on a list
    variables = await services.db.fetchval(_USED, run["campaign_id"])
    source = await open_source(services, channel, run, features_of(variables or []))
    await services.db.execute(queries.describe_run, run["id"], source.definition, source.as_of, source.version)
    turns = table_of_turns(when_of(run, services.settings.timezone, datetime.now(UTC)))
    holdout = float(run["experiment"].get("holdout") or 0)
    read = 0
    async for members in source.members:
        read += len(members)
        await _add(services, run, members, turns, holdout)
        lease = await _renew(services, run["id"], lease, read)
    done = await services.db.fetchrow(queries.freeze_run, run["campaign_id"], run["id"], lease)
    if done is None:
        raise LeaseLost("another process freezes this run")
    log.info("campaign_frozen", run_id=str(run["id"]), members=done["members"], excluded=done["excluded"])
    return int(done["members"])


_USED = "SELECT jsonb_agg(variables) FROM campaign_variants WHERE campaign_id = $1"


def features_of(variables: Sequence[Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Columns of the warehouse that the variants, and where their links lead, speak of."""
    used = [one for given in variables for one in given.values()]
    sources = {one["source"] for one in used} | {column for one in used for column in columns_in(one.get("url") or "")}
    return sorted(source.removeprefix("feature.") for source in sources if source.startswith("feature."))


async def _renew(services: Services, run_id: UUID, lease: datetime, read: int) -> datetime:
    now = datetime.now(UTC)
    if not await services.db.fetchval(queries.progress, run_id, lease, now, read):
        raise LeaseLost("another process freezes this run")
    return now


Turns = tuple[list[str], list[int], list[datetime | None]]


def table_of_turns(when: When) -> Turns:
    """The first moment that suits, by state ('' where it is not known) and habit (-1 where there is none)."""
    habits = range(-1, 24) if when.best_hour else range(-1, 0)
    keys = [(state, habit) for state in ("", *sorted(STATES)) for habit in habits]
    times = [turn_at(when, state or None, None if habit < 0 else habit, when.start) for state, habit in keys]
    return [state for state, _ in keys], [habit for _, habit in keys], times


async def _add(services: Services, run: Row, members: Sequence[Member], turns: Turns, holdout: float) -> None:
    held = ["holdout" if holdout and in_holdout(HOLDOUT_SALT, m.customer_id, holdout) else None for m in members]
    await services.db.fetchval(
        queries.add_recipients,
        run["campaign_id"],
        run["id"],
        run["lane"],
        *cap_of(run),
        [one.customer_id for one in members],
        [one.habit for one in members],
        [one.variables for one in members],
        held,
        *turns,
    )


def hours_of_campaign(when: When, state: str | None) -> Hours:
    """The hours of a campaign at a recipient's place."""
    return hours_at(when.hours, when.zone, when.holidays, state)
