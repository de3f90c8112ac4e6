"""The forecast of each queue at the end of a day, and the people its hours need."""

from datetime import date, timedelta
from typing import Any

from assets.gold.forecast.series import hours_between, read_contacts, start_of
from assets.warehouse import Warehouse, load_sql

AHEAD_DAYS = 14
ENOUGH_DAYS = 14
LEVEL = 0.8
TARGET_S, SHARE = 120.0, 0.8
Row = dict[str, Any]


def forecast_day(warehouse: Warehouse, day: str) -> list[Row]:
    """The rows of gold.volume_forecast made at the end of `day`; none while the past is shorter than two weeks."""
    from models_ml.forecasting.staffing import people_needed
    from models_ml.forecasting.volume import forecast

    past = read_contacts(warehouse, day, "queue")
    if len(past.moments) < 24 * ENOUGH_DAYS:
        return []
    zone, made = warehouse.settings.zone, date.fromisoformat(day)
    handling = {
        str(queue): float(seconds) for queue, seconds in warehouse.rows(load_sql(__package__, "handling.sql"), [day])
    }
    first = start_of(made + timedelta(days=1), zone)
    hours = hours_between(first, start_of(made + timedelta(days=1 + AHEAD_DAYS), zone))
    ahead = [hour.astimezone(zone) for hour in hours]
    rows = []
    for queue, counts in sorted(past.counts.items()):
        made_of = forecast(past.moments, counts, ahead, level=LEVEL, state=warehouse.settings.holiday_state)
        seconds = handling.get(queue, 0.0)
        staff = {
            contacts: people_needed(contacts, seconds, target_s=TARGET_S, share=SHARE)
            for contacts in {*made_of.mean.tolist(), *made_of.high.tolist()}
        }
        for hour, mean, low, high in zip(
            hours, made_of.mean.tolist(), made_of.low.tolist(), made_of.high.tolist(), strict=True
        ):
            rows.append(
                {
                    "day": made, "hour": hour, "queue": queue, "contacts": mean, "contacts_low": low, "contacts_high": high,
                    "handling_seconds": seconds, "staff": staff[mean], "staff_high": max(staff[high], staff[mean]),
                }
            )  # fmt: skip
    return rows
