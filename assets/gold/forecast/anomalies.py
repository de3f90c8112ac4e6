"""What was out of the ordinary on a day: contacts by hour, and figures of the whole day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from assets.gold.forecast.series import read_contacts, start_of
from assets.warehouse import Warehouse, load_sql

if TYPE_CHECKING:
    from models_ml.forecasting.anomalies import Judged

MEMORY_DAYS = 42
ENOUGH_HOURS = 24 * 14
ALPHA = 0.01
LEAST_CONTACTS = 5  # fewer contacts more or less than expected are nobody's business, however certain
WIDTHS = ((1, 1), (6, 3))  # hours of a sum, and how far apart sums begin
Row = dict[str, Any]


def find_anomalies(warehouse: Warehouse, day: str) -> list[Row]:
    """The rows of gold.kpi_anomalies of one day; none while the past is shorter than two weeks.

    All figures of the day are judged together, so that more of them do not mean more false alarms.
    """
    from models_ml.forecasting.anomalies import alarms

    looks = [*_contacts(warehouse, day), *_averages(warehouse, day)]
    found = [
        one
        for one in alarms(looks, ALPHA)
        if _name(one)[0] != "contacts" or abs(one.value - one.expected) >= LEAST_CONTACTS
    ]
    return [_row(warehouse, day, one, len(looks)) for one in found]


def _contacts(warehouse: Warehouse, day: str) -> Iterator["Judged"]:
    from models_ml.forecasting.anomalies import judge_counts

    today = date.fromisoformat(day)
    for dimension in ("queue", "state"):
        series = read_contacts(warehouse, day, dimension, MEMORY_DAYS)
        cut = next(
            (number for number, moment in enumerate(series.moments) if moment.date() == today), len(series.moments)
        )
        if cut < ENOUGH_HOURS or cut == len(series.moments):
            continue
        past, now = series.moments[:cut], series.moments[cut:]
        for key, counts in sorted(series.counts.items()):
            yield from judge_counts(
                ("contacts", dimension, key), past, counts[:cut], now, counts[cut:], widths=WIDTHS,
                state=key if dimension == "state" and len(key) == 2 else warehouse.settings.holiday_state,
            )  # fmt: skip


def _averages(warehouse: Warehouse, day: str) -> Iterator["Judged"]:
    from models_ml.forecasting.anomalies import judge_averages

    today = date.fromisoformat(day)
    series: dict[tuple[str, str, str], dict[date, tuple[float, float]]] = {}
    for metric, dimension, key, of, value, conversations in warehouse.rows(
        load_sql(__package__, "averages.sql"), [day], memory=MEMORY_DAYS
    ):
        series.setdefault((str(metric), str(dimension), str(key)), {})[of] = (float(value), float(conversations))
    for name, figures in series.items():
        if today in figures and (
            one := judge_averages(name, figures, today, *figures[today], warehouse.settings.holiday_state)
        ):
            yield one


def _name(one: "Judged") -> tuple[str, str, str]:
    key: Any = one.key
    found: tuple[str, str, str] = key[0]
    return found


def _row(warehouse: Warehouse, day: str, one: "Judged", looks: int) -> Row:
    key: Any = one.key
    metric, dimension, of = _name(one)
    today = date.fromisoformat(day)
    began = key[1].astimezone(UTC) if isinstance(key[1], datetime) else start_of(today, warehouse.settings.zone)
    return {
        "day": today, "metric": metric, "dimension": dimension, "key": of, "started_at": began,
        "hours": key[2] if metric == "contacts" else 24, "value": one.value, "expected": one.expected,
        "p_value": one.p_value, "looks": looks, "direction": "above" if one.value > one.expected else "below",
    }  # fmt: skip
