"""A source day that is corrupted, duplicated, late or missing is caught by a check that says so by its name."""

from datetime import datetime, timedelta

import dagster as dg

from assets.daily import END_TAG, START_TAG
from hub_api.platform.clickhouse import connect
from hub_api.settings import Settings
from pipelines.definitions import build
from pipelines.materialize import days_between
from tests.assets.conftest import Given
from tests.pipelines.test_materialize import recorded, some_talk

__all__ = ["recorded"]


def checked(settings: Settings, *selection: str, days: list[str]) -> dict[str, dg.AssetCheckEvaluation]:
    """The outcomes of one table's checks after these days were built, by name."""
    job = dg.define_asset_job("some", selection=list(selection), executor_def=dg.in_process_executor)
    definitions = dg.Definitions.merge(build(settings), dg.Definitions(jobs=[job]))
    result = definitions.resolve_job_def("some").execute_in_process(
        tags={START_TAG: days[0], END_TAG: days[-1]}, raise_on_error=False
    )
    return {one.check_name: one for one in result.get_asset_check_evaluations()}


def today(settings: Settings) -> str:
    return datetime.now(settings.zone).date().isoformat()


def failed(found: dict[str, dg.AssetCheckEvaluation]) -> set[str]:
    return {name for name, one in found.items() if not one.passed}


def test_a_corrupted_day(recorded: Settings) -> None:
    client = connect(recorded.clickhouse_url)
    change = "ALTER TABLE raw.events UPDATE payload = replaceOne(payload, 'oi', 'ai') WHERE type = 'message.received'"
    client.command(change, settings={"mutations_sync": 2})
    client.close()
    found = checked(recorded, "raw/events", days=[today(recorded)])
    assert failed(found) == {"not_corrupted", "equals_postgresql"}
    assert found["not_corrupted"].description == f"{today(recorded)}: 4 events with another content"


def test_a_duplicated_day(recorded: Settings) -> None:
    client = connect(recorded.clickhouse_url)
    client.command("INSERT INTO raw.events SELECT * FROM raw.events", settings={"insert_deduplicate": 0})
    client.close()
    found = checked(recorded, "raw/events", days=[today(recorded)])
    assert failed(found) == {"no_duplicates", "equals_postgresql"}
    assert found["no_duplicates"].description == f"{today(recorded)}: 20 events more than once"


def test_missing_events_of_a_day(recorded: Settings) -> None:
    client = connect(recorded.clickhouse_url)
    client.command("DELETE FROM raw.events WHERE type = 'message.received'")
    client.close()
    found = checked(recorded, "raw/events", days=[today(recorded)])
    assert failed(found) == {"nothing_missing"}, "they were added, so the day is whole now"
    assert found["nothing_missing"].description == f"{today(recorded)}: 4 events missing, added"
    assert failed(checked(recorded, "raw/events", days=[today(recorded)])) == set()


def test_a_missing_day(given: Given, warehouse_settings: Settings) -> None:
    """Nothing came of a Tuesday: neither PostgreSQL nor the warehouse knows that something should have."""
    for day in ("2026-03-03", "2026-03-10", "2026-03-17", "2026-03-25"):
        given(*(event for number in range(6) for event in some_talk(day, f"{day} {number}").events))
    given(*some_talk("2026-03-24").events[:2])
    days = days_between(datetime(2026, 3, 16).date(), datetime(2026, 3, 25).date())
    found = checked(warehouse_settings, "bronze/events", days=days)
    assert failed(found) == {"volume_as_usual"}
    assert found["volume_as_usual"].description == "2026-03-24: 2 events, usually 30"
    given(*(event for number in range(6) for event in some_talk("2026-03-24", f"late {number}").events))
    assert failed(checked(warehouse_settings, "bronze/events", days=days)) == set()


def test_a_late_day(given: Given, warehouse_settings: Settings) -> None:
    now = datetime.now(warehouse_settings.zone).date()
    before, day = (now - timedelta(days=3)).isoformat(), now.isoformat()
    given(*some_talk(before).events, *some_talk(day, "today").events[:2])
    everything = ("bronze/events", "gold/built_days")
    assert failed(checked(warehouse_settings, *everything, days=[before, day])) == set()
    given(*some_talk(before, "late").events)
    found = checked(warehouse_settings, *everything, days=[day, day])
    assert failed(found) == {"nothing_came_late"}
    lacking = ", ".join((now - timedelta(days=back)).isoformat() for back in (3, 2, 1))  # the backlog of the days since
    assert found["nothing_came_late"].description == f"3 days lack events that came late: {lacking}"
    assert failed(checked(warehouse_settings, *everything, days=[before, day])) == set()
