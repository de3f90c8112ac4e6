"""When a recurring campaign begins again, by the business clock: pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def next_after(rhythm: Mapping[str, Any], after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after `after` (aware) at which a rhythm (schemas.Rhythm as JSON) begins, in UTC."""
    day = after.astimezone(zone).date()
    for offset in range(64):
        candidate = day + timedelta(days=offset)
        fits = {
            "day": True,
            "week": candidate.isoweekday() == (rhythm.get("weekday") or 1),
            "month": candidate.day == (rhythm.get("month_day") or 1),
        }[rhythm["every"]]
        at = datetime.combine(candidate, time(rhythm["hour"]), zone).astimezone(UTC)
        if fits and at > after:
            return at
    raise ValueError(f"no such rhythm: {dict(rhythm)}")
