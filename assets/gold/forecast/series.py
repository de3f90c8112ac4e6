"""Series of hours as models read them: local hours in order, without gaps, up to the end of a business day or of what is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from assets.warehouse import Warehouse, load_sql

MEMORY_DAYS = 120


@dataclass(frozen=True)
class Hours:
    """Hours until the end of a day with the contacts of each key: `moments` local, one count per moment."""

    moments: list[datetime]
    counts: Mapping[str, list[float]]


def read_contacts(warehouse: Warehouse, day: str, dimension: str, memory_days: int = MEMORY_DAYS) -> Hours:
    """Contacts per hour by `queue` or `state` up to the end of `day`; hours begin with the first contact of any key.

    Of a day that is not over the hours up to now count. Empty when nothing happened.
    """
    rows = warehouse.rows(load_sql(__package__, "contacts.sql"), [day], dimension=dimension, memory=memory_days)
    if not rows:
        return Hours([], {})
    zone = warehouse.settings.zone
    found: dict[str, dict[datetime, int]] = {}
    for _, key, hour, contacts in rows:
        found.setdefault(str(key), {})[_utc(hour)] = int(contacts)
    first = start_of(min(_utc(row[2]) for row in rows).astimezone(zone).date(), zone)
    end = min(start_of(date.fromisoformat(day) + timedelta(days=1), zone), datetime.now(UTC))
    hours = hours_between(first, end)
    counts = {key: [float(of_key.get(hour, 0)) for hour in hours] for key, of_key in found.items()}
    return Hours([hour.astimezone(zone) for hour in hours], counts)


def hours_between(first: datetime, end: datetime) -> list[datetime]:
    """The whole hours from `first` until `end`, UTC."""
    return [first + timedelta(hours=number) for number in range(int((end - first).total_seconds() // 3600))]


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Midnight of a business day, UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
