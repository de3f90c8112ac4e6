"""When a report leaves, and of which days it tells: pure calendar."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Every = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every day, every week on `weekday` (ISO, 1 is Monday) or every month on `month_day`, at `hour` of the zone."""

    every: Every
    hour: int
    weekday: int | None = None
    month_day: int | None = None

    def falls_on(self, day: date) -> bool:
        """A report leaves on this day."""
        return self.weekday in (None, day.isoweekday()) and self.month_day in (None, day.day)


def next_due(rhythm: Rhythm, after: datetime, zone: ZoneInfo) -> datetime:
    """The first time after `after` that the rhythm names, in UTC. An hour that summer time leaves out is the one after it."""
    day = after.astimezone(zone).date()
    while True:
        if rhythm.falls_on(day):
            due = datetime.combine(day, time(rhythm.hour), zone).astimezone(UTC)
            if due > after:
                return due
        day += timedelta(days=1)


def period_of(every: Every, due: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """First and last day of what a report due then tells: yesterday, the seven days or the calendar month before."""
    today = due.astimezone(zone).date()
    if every == "day":
        return today - timedelta(days=1), today - timedelta(days=1)
    if every == "week":
        return today - timedelta(days=7), today - timedelta(days=1)
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def before(first: date, last: date) -> tuple[date, date]:
    """As many days right before a period, to compare it with."""
    return first - (last - first) - timedelta(days=1), first - timedelta(days=1)
