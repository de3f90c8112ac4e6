"""The business calendar from the settings and the holidays of Brazil: one row a day, small enough to be made whole."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from assets.warehouse import STAGING, Warehouse
from hub_api.platform.clickhouse import render_ddl
from hub_api.settings import Calendar, weekly_hours

TABLE = "gold.business_calendar"
LAST_DAY = date(2049, 12, 31)  # a fixed end: a rerun on another day gives the same rows
COLUMNS = ["day", "holiday", "opens_at", "closes_at", "open_seconds", "open_seconds_before"]

Day = tuple[date, str, datetime, datetime, int, int]


def calendar_days(calendar: Calendar) -> Iterator[Day]:
    """A row for each day from the start of the history: day, holiday, opening, closing (UTC), seconds open, seconds before.

    A holiday of Brazil, or of the state that `calendar` names, is closed, as are weekdays without hours.
    """
    import holidays

    closed = holidays.country_holidays("BR", subdiv=calendar.holiday_state, language="pt_BR")
    hours = weekly_hours(calendar.business_hours)
    day, before = calendar.history_start, 0
    while day <= LAST_DAY:
        holiday, times = closed.get(day, ""), hours.get(day.isoweekday())
        midnight = datetime(day.year, day.month, day.day, tzinfo=calendar.zone).astimezone(UTC)
        opens, closes = midnight, midnight
        if times and not holiday:
            opens, closes = (datetime.combine(day, one, tzinfo=calendar.zone).astimezone(UTC) for one in times)
        seconds = int((closes - opens).total_seconds())
        yield day, holiday, opens, closes, seconds, before
        before += seconds
        day += timedelta(days=1)


def build_calendar(warehouse: Warehouse) -> int:
    """Replace the calendar at once by what the settings say; its days. Facts built before keep the hours they were built with."""
    rows, cluster = list(calendar_days(warehouse.settings)), warehouse.settings.clickhouse_cluster
    aside = f"{TABLE}{STAGING}{uuid.uuid4().hex[:12]}"
    warehouse.client.command(render_ddl(f"CREATE TABLE {aside} /*ON CLUSTER*/ AS {TABLE}", cluster))
    try:
        warehouse.client.insert(aside, rows, column_names=COLUMNS)
        warehouse.client.command(
            render_ddl(f"ALTER TABLE {TABLE} /*ON CLUSTER*/ REPLACE PARTITION tuple() FROM {aside}", cluster)
        )
    finally:
        warehouse.client.command(render_ddl(f"DROP TABLE IF EXISTS {aside} /*ON CLUSTER*/ SYNC", cluster))
    return len(rows)
