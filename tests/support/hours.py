"""The clock for tests that run at any time: on Sundays, on holidays, and about midnight too."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Hours end at 23:59, so of each day the last minute is closed in whatever zone: they are open with `awake_zone`.
ALWAYS = {"business_hours": "1-7 00:00-23:59", "holidays_closed": False}


def closed_now(times: str = "09:00-18:00") -> str:
    """Hours on a weekday three days away only: closed now, whatever the zone."""
    return f"{(datetime.now(UTC) + timedelta(days=3)).isoweekday()} {times}"


def awake_zone() -> str:
    """A zone whose clock is not about midnight now."""
    usual = "America/Sao_Paulo"
    return "America/Rio_Branco" if datetime.now(ZoneInfo(usual)).hour in (23, 0) else usual


def let_the_day_last(seconds: float, zone: str = "America/Sao_Paulo") -> None:
    """Wait for midnight where it is nearer than `seconds`, so that what a test calls today stays it to the test's end."""
    now = datetime.now(ZoneInfo(zone))
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    left_s = midnight.timestamp() - now.timestamp()
    if left_s < seconds:
        time.sleep(left_s + 1)


def let_the_hour_last(seconds: float) -> None:
    """Wait for the next hour where it is nearer than `seconds`, so that what is counted by the hour stays in it."""
    left_s = 3600 - time.time() % 3600
    if left_s < seconds:
        time.sleep(left_s + 1)
