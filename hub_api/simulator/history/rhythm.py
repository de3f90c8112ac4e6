"""When customers write: by hour, weekday, holiday and trend, in Brazilian local time."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import holidays

from hub_api.simulator.history.effects import Effects

# Share of a day's contacts by local hour: two humps, late morning and early evening, almost none at night.
HOURS = (4, 2, 1, 1, 1, 3, 8, 20, 44, 62, 70, 66, 52, 54, 60, 62, 60, 62, 66, 64, 54, 40, 24, 10)
# Weekdays against a Wednesday, Monday from the effects.
WEEKDAYS = (None, 1.08, 1.0, 0.98, 1.02, 0.68, 0.42)
HOLIDAY = 0.45


class Rhythm:
    """Rates and moments of contact in a business zone."""

    def __init__(self, zone: ZoneInfo, first_day: date, effects: Effects) -> None:
        self._zone, self.first_day, self._effects = zone, first_day, effects
        self._holidays = holidays.country_holidays("BR")

    def level(self, day: date) -> float:
        """Volume of a day against a normal Wednesday at the start."""
        weekday = WEEKDAYS[day.weekday()] or self._effects.monday_factor
        growth: float = (1 + self._effects.weekly_growth) ** ((day - self.first_day).days / 7)
        return weekday * growth * (HOLIDAY if day in self._holidays else 1.0)

    def moment(self, rng: Random, day: date) -> datetime:
        """A moment of contact on the local `day`, in UTC."""
        hour = rng.choices(range(24), weights=HOURS)[0]
        local = datetime(day.year, day.month, day.day, hour, tzinfo=self._zone)
        return local.astimezone(UTC) + timedelta(seconds=rng.uniform(0, 3600))

    def load(self, moment: datetime) -> float:
        """How busy agents are, 0 to about 1.4: volume of the hour against the busiest normal hour."""
        local = moment.astimezone(self._zone)
        return HOURS[local.hour] / max(HOURS) * self.level(local.date())
