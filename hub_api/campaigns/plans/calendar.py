"""Campaigns by day: what ran, what runs, what is to come; with the holidays and hours that sending keeps to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hub_api.auth.principal import Principal
from hub_api.campaigns.plans.keep import queries
from hub_api.campaigns.sending.rhythm import next_after
from hub_api.campaigns.zones import STATES
from hub_api.errors import Invalid
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

MOST_DAYS = 62
# A daily rhythm over two months, and no rhythm more often.
MOST_OCCURRENCES = MOST_DAYS + 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A campaign at a time. `planned`: it has not begun; `ends_at` None: open, or not known."""

    campaign_id: UUID
    name: str
    kind: str
    lane: str
    state: str
    begins_at: datetime
    ends_at: datetime | None
    planned: bool
    members: int | None


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day off, in all of Brazil (`states` empty) or in some states (UF)."""

    day: date
    name: str
    states: tuple[str, ...]


def holidays_between(first: date, last: date) -> list[Holiday]:
    """Holidays from `first` to `last`, as sending knows them (the `holidays` library): of the country, then of states."""
    found = [one for year in range(first.year, last.year + 1) for one in _holidays_of(year)]
    return [one for one in found if first <= one.day <= last]


@lru_cache(maxsize=8)
def _holidays_of(year: int) -> tuple[Holiday, ...]:
    import holidays

    national = holidays.country_holidays("BR", language="pt_BR", years=year)
    by_state: dict[tuple[date, str], list[str]] = {}
    for state in sorted(STATES):
        for day, name in holidays.country_holidays("BR", subdiv=state, language="pt_BR", years=year).items():
            if day not in national:
                by_state.setdefault((day, name), []).append(state)
    everywhere = [Holiday(day, name, ()) for day, name in national.items()]
    somewhere = [Holiday(day, name, tuple(states)) for (day, name), states in by_state.items()]
    return tuple(sorted([*everywhere, *somewhere], key=lambda one: (one.day, bool(one.states), one.name)))


async def entries(services: Services, who: Principal, first: date, last: date) -> list[Entry]:
    """What the caller sees of campaigns on the business days from `first` to `last`, by begin. Raises Invalid for a span that
    runs backwards or is longer than MOST_DAYS."""
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        message = f"must be at most {MOST_DAYS} days, and not run backwards"
        raise Invalid("no such span of days", errors=[{"field": "query.last", "message": message}])
    zone = services.settings.zone
    since, until = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    scope = who.scope[0], who.user_id and str(who.user_id)
    runs = await services.db.fetch(queries.calendar_runs, *scope, since, until)
    plans = await services.db.fetch(queries.calendar_plans, *scope)
    found = [_ran(row) for row in runs]
    now = datetime.now(UTC)
    for row in plans:
        found.extend(_entry(row, at) for at in planned(row, since, until, now, zone))
    return sorted(found, key=lambda one: (one.begins_at, one.name))


def _ran(row: Row) -> Entry:
    return Entry(
        row["id"], row["name"], row["kind"], row["lane"], row["state"], row["begins_at"], row["ends_at"], False, row["members"]
    )  # fmt: skip


def _entry(row: Row, at: datetime) -> Entry:
    return Entry(row["id"], row["name"], row["kind"], row["lane"], row["state"], at, None, True, None)


def planned(
    campaign: Row | Mapping[str, Any], since: datetime, until: datetime, now: datetime, zone: ZoneInfo
) -> Iterator[datetime]:
    """The moments in [since, until) at which a campaign is to begin, none of them past.

    A recurring one goes by its rhythm, from its start to its end; of one without a time of its own nothing is known.
    """
    schedule = campaign["schedule"]
    start, end = (datetime.fromisoformat(schedule[key]) if schedule.get(key) else None for key in ("start_at", "until"))
    if campaign["kind"] != "recurring":
        at = campaign["next_at"] if campaign["state"] == "scheduled" else start
        waits = campaign["state"] in ("draft", "in_review", "approved", "scheduled")
        if at is not None and waits and max(since, now) <= at < until:
            yield at
        return
    limit = min(until, end) if end else until
    at = max(since, now, start or since) - timedelta(seconds=1)
    for _ in range(MOST_OCCURRENCES):
        at = next_after(schedule["rhythm"], at, zone)
        if at >= limit:
            return
        yield at
