"""When a recipient may be written to, how many may go now, and when it will all be over: pure, no clock and no database.

Hours, holidays and the hour of habit are those of the recipient's place. Sending and forecast use the same functions, so that what
is promised is what is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from hub_api.campaigns.zones import STATES, zone_of
from hub_api.chat.hours import Hours, holidays_of
from hub_api.settings import weekly_hours

# Outside of them advertising disturbs; a notice of the service has more of the day. Both by the recipient's clock.
USUAL_HOURS = {"marketing": "1-5 09:00-20:00, 6 09:00-14:00", "utility": "1-7 08:00-21:00"}
# What is put into the outbox shortly before the end of the hours might leave after it.
MARGIN = timedelta(minutes=5)
HORIZON = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class When:
    """The times of a campaign. `start` and `until` aware; `local_time`: by each recipient's clock, from the first day on;
    `best_hour`: each at the hour at which he reads."""

    start: datetime
    hours: str
    zone: str
    holidays: bool = True
    until: datetime | None = None
    local_time: time | None = None
    best_hour: bool = False


@lru_cache(maxsize=4096)
def hours_at(hours: str, zone: str, holidays: bool, state: str | None) -> Hours:
    """The hours in which somebody of `state` may be written to."""
    closed: Any = holidays_of(state if state in STATES else None) if holidays else frozenset()
    return Hours(weekly_hours(hours), zone_of(state, zone), closed)


def may_go(when: When, state: str | None, at: datetime) -> bool:
    """Whether a message to somebody of `state` may be put into the outbox at `at`."""
    hours = hours_at(when.hours, when.zone, when.holidays, state)
    return (when.until is None or at < when.until) and hours.is_open(at) and hours.is_open(at + MARGIN)


def turn_at(when: When, state: str | None, habit: int | None, earliest: datetime) -> datetime | None:
    """The first moment from `earliest` on that suits; None when there is none before `until`.

    `habit`: the hour (0 to 23, UTC) at which the recipient reads; where it lies outside the hours, the hours win.
    """
    hours = hours_at(when.hours, when.zone, when.holidays, state)
    at: datetime | None = max(earliest, when.start)
    if when.local_time is not None:
        at = _at_clock(at, when.local_time, hours.zone) if at else None
    elif when.best_hour and habit is not None:
        at = _at_habit(hours, at, habit) if at else None
    at = hours.next_opening(at) if at else None
    if at is not None and not hours.is_open(at + MARGIN):
        at = hours.next_opening(at + MARGIN)
    return at if at is not None and (when.until is None or at < when.until) else None


def _at_clock(at: datetime, clock: time, zone: ZoneInfo) -> datetime:
    """The first moment from `at` on at which the clock of `zone` shows `clock`, or `at` when that is past on the first day by
    less than an hour: a start at 9:00 is no reason to wait for tomorrow at 9:03."""
    day = at.astimezone(zone).date()
    today = datetime.combine(day, clock, zone).astimezone(UTC)
    if at <= today:
        return today
    if at - today < timedelta(hours=1):
        return at
    return datetime.combine(day + timedelta(days=1), clock, zone).astimezone(UTC)


def _at_habit(hours: Hours, at: datetime, habit: int) -> datetime:
    """The next time of the habit within the hours, of the coming week; without any, `at`."""
    first = at.astimezone(UTC).replace(hour=habit, minute=0, second=0, microsecond=0)
    for days in range(8):
        moment = max(first + timedelta(days=days), at)
        if moment < first + timedelta(days=days, hours=1) and hours.is_open(moment):
            return moment
    return at


@dataclass(frozen=True, slots=True)
class Pacing:
    """Bounds of a campaign: messages a day (None: none), how many may lie in the outbox, budget and price in millionths."""

    per_day: int | None = None
    runway: int = 500
    budget_micros: int | None = None
    price_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a campaign stands: in the outbox now, put there today, and put there in all (but for what failed)."""

    in_outbox: int
    placed_today: int
    placed: int


def admit(pacing: Pacing, standing: Standing) -> int:
    """How many messages may be put into the outbox now."""
    room = pacing.runway - standing.in_outbox
    if pacing.per_day is not None:
        room = min(room, pacing.per_day - standing.placed_today)
    return max(0, min(room, affordable(pacing, standing.placed)))


def affordable(pacing: Pacing, placed: int) -> int:
    """How many more messages the budget pays; what has no price is not sent against a budget."""
    if pacing.budget_micros is None:
        return 1 << 31
    if pacing.price_micros is None:
        return 0
    if pacing.price_micros == 0:
        return 1 << 31
    return max(0, pacing.budget_micros // pacing.price_micros - placed)


@dataclass(frozen=True, slots=True)
class Step:
    """Messages that leave evenly from `begin` to `end`, to whom by state."""

    begin: datetime
    end: datetime
    states: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many messages it has."""
        return sum(self.states.values())


@dataclass(slots=True)
class _Course:
    """A forecast under way."""

    left: dict[str, int]
    spans: dict[str, Sequence[tuple[datetime, datetime]]]
    steps: list[Step] = field(default_factory=list)


def forecast(
    when: When,
    people: Mapping[str, int],
    *,
    now: datetime,
    rate: float,
    pacing: Pacing = Pacing(),
    quota_left: int | None = None,
    quota_a_day: int | None = None,
    days: int = 90,
) -> tuple[list[Step], int]:
    """How `people` (by state, '' where it is not known) will be written to from `now` on, and how many will not be.

    `rate`: messages a second of the numbers. `quota_a_day` users in any 24 hours, of whom `quota_left` are free now; what is
    used up now is taken to come back in 24 hours.
    """
    begin = max(now, when.start)
    course = _Course({state: count for state, count in people.items() if count > 0}, {})
    for state in course.left:
        hours = hours_at(when.hours, when.zone, when.holidays, state or None)
        course.spans[state] = _spans(hours, when, begin, days)
    used_before = 0 if quota_a_day is None or quota_left is None else max(0, quota_a_day - quota_left)
    total, at, zone = sum(course.left.values()), begin, ZoneInfo(when.zone)
    end = begin + timedelta(days=days)
    while rate > 0 and any(course.left.values()) and at < end:
        active = [s for s in course.left if course.left[s] and _open(course.spans[s], at)]
        change = _next_change(course, at)
        if not active:
            if change is None:
                break
            at = change
            continue
        today = at.astimezone(zone).date()
        midnight = datetime.combine(today + timedelta(days=1), time(), zone).astimezone(UTC)
        room, again = _room(course, at, now, used_before, quota_a_day, midnight, pacing, today, zone)
        if room <= 0:
            if again is None:
                break
            at = again
            continue
        wanted = min(sum(course.left[s] for s in active), room)
        until = min(at + timedelta(seconds=wanted / rate), change or end, midnight)
        count = min(wanted, ceil((until - at).total_seconds() * rate))
        if count <= 0 or until <= at:
            at = max(until, at + timedelta(seconds=1))
            continue
        course.steps.append(Step(at, until, _take(course, active, count)))
        at = until
    return course.steps, total - sum(step.count for step in course.steps)


def _spans(hours: Hours, when: When, begin: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """The open spans, shorter by the margin at their end, and cut at `until`."""
    found, at = [], begin
    last = begin + timedelta(days=days)
    while (opens := hours.next_opening(at)) is not None and opens < last:
        closes = _closing(hours, opens)
        stop = min(closes - MARGIN, when.until or closes)
        if stop > opens:
            found.append((opens, stop))
        at = closes + timedelta(seconds=1)
    return found


def _closing(hours: Hours, opens: datetime) -> datetime:
    """When the span that holds `opens` ends."""
    day = opens.astimezone(hours.zone).date()
    _, closes = hours.weekly[day.isoweekday()]
    return datetime.combine(day, closes, hours.zone).astimezone(UTC)


def _open(spans: Sequence[tuple[datetime, datetime]], at: datetime) -> bool:
    return any(begin <= at < end for begin, end in spans)


def _next_change(course: _Course, at: datetime) -> datetime | None:
    moments = [one for s, n in course.left.items() if n for span in course.spans[s] for one in span if one > at]
    return min(moments, default=None)


def _room(
    course: _Course,
    at: datetime,
    now: datetime,
    used_before: int,
    quota_a_day: int | None,
    midnight: datetime,
    pacing: Pacing,
    today: date,
    zone: ZoneInfo,
) -> tuple[int, datetime | None]:
    """How many may go at `at`, and when to look again if none may (None: never)."""
    sent = sum(step.count for step in course.steps)
    room = affordable(pacing, sent)
    if room <= 0:
        return 0, None
    again: datetime | None = None
    if pacing.per_day is not None:
        room = min(
            room, pacing.per_day - sum(s.count for s in course.steps if s.begin.astimezone(zone).date() == today)
        )
        again = midnight
    if quota_a_day is not None and room > 0:
        day_ago = at - timedelta(days=1)
        used = sum(s.count for s in course.steps if s.end > day_ago)
        used += used_before if now > day_ago else 0
        room = min(room, quota_a_day - used)
        back = [s.end + timedelta(days=1) for s in course.steps if s.end > day_ago]
        again = min([*back, *([now + timedelta(days=1)] if now > day_ago else [])], default=None)
    return room, again


def _take(course: _Course, active: Sequence[str], count: int) -> dict[str, int]:
    taken = {}
    for state in active:
        share = min(course.left[state], count)
        if share:
            taken[state] = share
            course.left[state] -= share
            count -= share
    return taken
