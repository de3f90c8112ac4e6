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


def test_what_the_evening_left_open_is_no_alarm_and_a_day_that_resolves_nothing_is(given: Given) -> None:
    """Of each day's forty, fifteen are answered and resolved the morning after; of the newest day the morning is not known."""
    facts, steps = [], []
    for number in range(DAYS + 1):
        day = FIRST + timedelta(days=number)
        newest, idle = number >= DAYS - 1, number == DAYS
        for talk in range(40):
            at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
            late = talk >= 15 and not idle
            ended = None if (late and newest) or (idle and talk % 8) else at + timedelta(hours=18 if late else 1)
            waited = 60.0 + talk if not late else None if newest else 60_000.0 + talk
            one = named(f"{day} {talk}")
            facts.append(
                [
                    day,
                    one,
                    named("who"),
                    "atendimento",
                    at,
                    at,
                    at,
                    ended is not None,
                    waited,
                    waited and at + timedelta(seconds=waited),
                ]
            )
            for version, (when, state, before) in enumerate(
                [(at, "queued", ""), *([(ended, "resolved", "queued")] if ended else [])]
            ):
                steps.append([(when - timedelta(hours=3)).date(), one, version, when, state, before])
    given.warehouse.client.insert(
        "gold.conversation_facts", facts,
        column_names=["day", "conversation_id", "customer_id", "queue", "opened_at", "hour", "first_customer_message_at", "is_resolved",
                      "first_response_seconds", "first_response_at"],
    )  # fmt: skip
    given.warehouse.client.insert(
        "silver.conversation_states", steps,
        column_names=["day", "conversation_id", "version", "at", "state", "previous_state"],
    )  # fmt: skip
    figures = ("resolution_rate", "first_response_seconds")
    quiet = [row for row in find_anomalies(given.warehouse, LAST) if row["metric"] in figures]
    assert quiet == []
    idle_day = (date.fromisoformat(LAST) + timedelta(days=1)).isoformat()
    alarmed = {
        (row["dimension"], row["value"], row["expected"])
        for row in find_anomalies(given.warehouse, idle_day)
        if row["metric"] == "resolution_rate"
    }
    assert alarmed == {("all", 0.125, 0.375), ("queue", 0.125, 0.375)}


def test_a_holiday_of_the_state_is_foreseen_and_is_no_alarm(given: Given) -> None:
    """9 July is a holiday of São Paulo alone."""
    first, days, quiet = date(2026, 5, 20), 51, (date(2026, 6, 4), date(2026, 7, 9))  # the first one is Corpus Christi
    rows = []
    for number in range(days):
        day = first + timedelta(days=number)
        for hour in range(9, 17):
            for talk in range(2 if day in quiet or day.weekday() == 6 else 20):
                at = datetime(day.year, day.month, day.day, hour + 3, tzinfo=UTC)
                rows.append([day, named(f"{at} {talk}"), named("who"), "atendimento", "", at, at, at])
    given.warehouse.client.insert(
        "gold.conversation_facts", rows,
        column_names=["day", "conversation_id", "customer_id", "queue", "state_code", "opened_at", "hour", "first_customer_message_at"],
    )  # fmt: skip
    for state, foreseen in (("SP", True), (None, False)):
        given.warehouse.settings = given.warehouse.settings.model_copy(update={"holiday_state": state})
        ahead = [
            row
            for row in forecast_day(given.warehouse, "2026-07-08")
            if row["hour"].astimezone(ZONE).date() == date(2026, 7, 9)
        ]
        assert (sum(row["contacts"] for row in ahead) < 40) is foreseen
        assert (not find_anomalies(given.warehouse, "2026-07-09")) is foreseen
