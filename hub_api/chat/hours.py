"""Hours of service: open or not, when next, and counting in business time. Brazilian holidays come from the `holidays` library.

The same rule as `gold.business_calendar` of the warehouse: hours by weekday on the clock of the zone, holidays closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hub_api.settings import Calendar, weekly_hours

# Farther than any holiday season: who is closed for so long has no hours at all.
LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening and closing by ISO weekday in `zone`; `closed` holds holidays (anything with `in`)."""

    weekly: dict[int, tuple[time, time]]
    zone: ZoneInfo
    closed: Any = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Whether `at` (aware) lies in the hours; the closing minute does not."""
        return any(opens <= at < closes for opens, closes in self._spans(at, days=1))

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself while open, else the next opening; None without any within a year."""
        for opens, closes in self._spans(at):
            if at < closes:
                return max(at, opens)
        return None

    def after(self, at: datetime, seconds: float) -> datetime | None:
        """The moment at which `seconds` of business time have passed since `at`; None when there is not that much in a year."""
        left = timedelta(seconds=seconds)
        for opens, closes in self._spans(at):
            begins = max(at, opens)
            if begins >= closes:
                continue
            if begins + left <= closes:
                return begins + left
            left -= closes - begins
        return None

    def between(self, since: datetime, until: datetime) -> float:
        """Seconds of business time from `since` to `until`; 0 when they run backwards."""
        total, days = 0.0, (until.astimezone(self.zone).date() - since.astimezone(self.zone).date()).days + 1
        for opens, closes in self._spans(since, days=max(days, 0)):
            total += max((min(closes, until) - max(opens, since)).total_seconds(), 0.0)
        return total

    def _spans(self, at: datetime, days: int = LOOK_AHEAD_DAYS) -> Iterator[tuple[datetime, datetime]]:
        """The open spans of `at`'s local day and those after it, `days` in all."""
        first = at.astimezone(self.zone).date()
        for offset in range(days):
            day = first + timedelta(days=offset)
            times = self.weekly.get(day.isoweekday())
            if times and day not in self.closed:
                opens, closes = (datetime.combine(day, one, tzinfo=self.zone) for one in times)
                # In UTC: arithmetic on one zone's clock would be off by an hour across a change of summer time.
                yield opens.astimezone(_UTC), closes.astimezone(_UTC)


_UTC = ZoneInfo("UTC")


class _Holidays:
    """Holidays by day, computed by year as they are asked for."""

    def __init__(self, state: str | None) -> None:
        import holidays

        self._days = holidays.country_holidays("BR", subdiv=state, language="pt_BR")

    def __contains__(self, day: date) -> bool:
        return day in self._days


@lru_cache(maxsize=32)
def holidays_of(state: str | None) -> _Holidays:
    """National holidays of Brazil and those of the federative unit, as something to ask with `in`."""
    return _Holidays(state)


@lru_cache(maxsize=256)
def _hours(text: str, zone: str, state: str | None, holidays_closed: bool) -> Hours:
    return Hours(weekly_hours(text), ZoneInfo(zone), holidays_of(state) if holidays_closed else frozenset())


def hours_of(calendar: Calendar, text: str | None = None, *, holidays_closed: bool = True) -> Hours:
    """The hours of a text as in HUB_BUSINESS_HOURS (None: that setting's). Raises ValueError for one that is unreadable."""
    return _hours(text or calendar.business_hours, calendar.timezone, calendar.holiday_state, holidays_closed)
