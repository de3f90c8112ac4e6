"""The forecast's tables from given conversations: hours to come with their people, alarms with their hours, the same again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from assets.gold.forecast.anomalies import find_anomalies
from assets.gold.forecast.volume import forecast_day
from assets.warehouse import Warehouse, load_sql
from tests.assets.conftest import Given, named
from tests.models_ml.forecasting.samples import ZONE, hours
from tests.support.data import table_hash

DAYS = 40
FIRST = date(2026, 8, 20)
LAST = (FIRST + timedelta(days=DAYS - 1)).isoformat()
WAVE = datetime(2026, 9, 28, 18, tzinfo=UTC)  # 15 h of the last day


@pytest.fixture
def built(given: Given) -> Warehouse:
    """Conversations of one queue in two states, with a wave of contacts from RJ on the last day."""
    rows, number = [], 0
    for state, a_day, seed in (("SP", 120, 1), ("RJ", 60, 2)):
        moments, counts = hours(DAYS, a_day, seed)
        for moment, count in zip(moments, counts, strict=True):
            at = moment.astimezone(UTC)
            wave = 15 if state == "RJ" and WAVE <= at < WAVE + timedelta(hours=4) else 0
            for _ in range(int(count) + wave):
                number += 1
                rows.append(
                    [moment.date(), named(f"talk {number}"), named(f"person {number}"), "atendimento", state, at, at, at, True, 240.0, 60.0, 4]
                )  # fmt: skip
    given.warehouse.client.insert(
        "gold.conversation_facts", rows,
        column_names=["day", "conversation_id", "customer_id", "queue", "state_code", "opened_at", "hour", "first_customer_message_at",
                      "is_resolved", "handling_seconds", "first_response_seconds", "satisfaction"],
    )  # fmt: skip
    return given.warehouse


def test_two_weeks_are_forecast_with_the_people_they_need(built: Warehouse) -> None:
    rows = forecast_day(built, LAST)
    assert len(rows) == 24 * 14
    assert {row["queue"] for row in rows} == {"atendimento"}
    assert min(row["hour"] for row in rows).astimezone(ZONE).date() == date.fromisoformat(LAST) + timedelta(days=1)
    by_day: dict[date, float] = {}
    for row in rows:
        day = row["hour"].astimezone(ZONE).date()
        by_day[day] = by_day.get(day, 0) + row["contacts"]
    assert by_day[date(2026, 10, 5)] > 1.1 * by_day[date(2026, 10, 7)] > 1.8 * by_day[date(2026, 10, 11)]
    assert by_day[date(2026, 10, 12)] < 0.6 * by_day[date(2026, 10, 5)]  # a holiday
    assert all(row["staff"] * 3600 >= row["contacts"] * row["handling_seconds"] for row in rows)
    busiest = max(rows, key=lambda row: row["contacts"])
    assert busiest["handling_seconds"] == 240
    assert 1 < busiest["staff"] <= busiest["staff_high"]
    assert forecast_day(built, (FIRST + timedelta(days=9)).isoformat()) == []


def test_the_wave_is_an_alarm_of_its_state_and_hours(built: Warehouse) -> None:
    found = [row for row in find_anomalies(built, LAST) if row["dimension"] == "state"]
    assert {row["key"] for row in found} == {"RJ"}
    assert {row["metric"] for row in found} == {"contacts"}
    assert all(row["direction"] == "above" and row["looks"] > 50 for row in found)
    assert all(
        row["started_at"] < WAVE + timedelta(hours=4) and row["started_at"] + timedelta(hours=row["hours"]) > WAVE
        for row in found
    )
    assert find_anomalies(built, (date.fromisoformat(LAST) - timedelta(days=2)).isoformat()) == []


def test_the_same_day_gives_the_same_rows_and_its_checks_agree(built: Warehouse) -> None:
    hashes = []
    for _ in range(2):
        built.replace_days_from("gold.volume_forecast", forecast_day(built, LAST), [LAST])
        built.replace_days_from("gold.kpi_anomalies", find_anomalies(built, LAST), [LAST])
        hashes.append([table_hash(built.client, table) for table in ("gold.volume_forecast", "gold.kpi_anomalies")])
    assert hashes[0] == hashes[1]
    for table in ("volume_forecast", "kpi_anomalies"):
        rows = built.rows(load_sql("assets.gold.forecast", f"{table}.check.sql"), [LAST])
        assert rows
        assert all(ours == pytest.approx(theirs) for _, ours, theirs in rows), (table, rows)


def test_a_check_sees_a_forecast_that_lost_an_hour(built: Warehouse) -> None:
    built.replace_days_from("gold.volume_forecast", forecast_day(built, LAST)[1:], [LAST])
    figures = {
        row[0]: row[1:] for row in built.rows(load_sql("assets.gold.forecast", "volume_forecast.check.sql"), [LAST])
    }
    assert figures["hours"][0] != figures["hours"][1]
