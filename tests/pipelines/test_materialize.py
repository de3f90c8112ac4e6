"""Whole runs on small data: ninety days in one, a failing check stops what comes after, missing events are repaired."""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime

import asyncpg
import dagster as dg
import pytest

from assets import warehouse as warehouse_module
from assets.gold.assets import stale_days
from assets.gold.service import assets as service
from assets.warehouse import Warehouse
from hub_api.analytics.relay import relay_until_empty
from hub_api.errors import Invalid
from hub_api.platform.clickhouse import connect
from hub_api.platform.eventlog import insert_events
from hub_api.settings import Settings
from pipelines.materialize import days_between, materialize
from tests.analytics.conftest import session
from tests.assets.conftest import Given
from tests.assets.story import Talk
from tests.support.tables import made_of
from tests.support.waiting import run_async

pytestmark = pytest.mark.timeout(900)  # the models are trained before the first tables are built


def some_talk(day: str, name: str = "") -> Talk:
    talk = Talk(name or day, f"{day} 14:00")
    talk.customer(f"{day} 14:00")
    talk.moves(f"{day} 14:10", "queued", "suporte")
    talk.we(f"{day} 14:20", "agent")
    talk.moves(f"{day} 15:00", "resolved")
    return talk


def test_ninety_days_are_one_run_with_row_counts_per_day(given: Given, warehouse_settings: Settings) -> None:
    days = days_between(date(2026, 1, 1), date(2026, 3, 31))
    assert len(days) == 90
    given(*(event for day in days[::2] for event in some_talk(day).events))
    # Every table of a long stretch is built by `lake/`; here it is how one run tells of ninety days, busy and empty ones.
    tables = (*made_of("gold/service_kpi_hourly", "gold/cost_daily"), "gold/built_days")
    (result,) = materialize(warehouse_settings, days, only=tables)
    assert result.success
    assert all(check.passed for check in result.get_asset_check_evaluations())
    steps = [event.step_key for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_SUCCESS]
    assert len(steps) == len(set(steps))
    facts = {
        event.partition: event.materialization.metadata["dagster/partition_row_count"].value
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["gold", "conversation_facts"])
    }
    assert facts == {day: 1 - number % 2 for number, day in enumerate(days)}
    assert stale_days(Warehouse(warehouse_settings)) == {}


def test_days_far_apart_are_separate_runs(given: Given, warehouse_settings: Settings) -> None:
    given(*some_talk("2017-10-03").events, *some_talk("2026-03-10").events)
    results = materialize(warehouse_settings, ["2026-03-10", "2017-10-03"], only=made_of("gold/conversation_facts"))
    assert [result.success for result in results] == [True, True]
    assert given.row("SELECT count() AS n FROM gold.conversation_facts") == {"n": 2}


def test_days_outside_the_tables_are_refused_before_anything_starts(warehouse_settings: Settings) -> None:
    with pytest.raises(Invalid, match="HUB_HISTORY_START"):
        materialize(warehouse_settings, ["2008-12-31", "2026-03-10"])


def test_tables_that_there_are_not_are_refused_by_name(warehouse_settings: Settings) -> None:
    with pytest.raises(Invalid, match="gold/no_such_table"):
        materialize(warehouse_settings, ["2026-03-10"], only=["bronze/events", "gold/no_such_table"])


def broken(monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> None:
    """The SELECT of a table is changed, as by a bad edit."""
    original = warehouse_module.load_sql

    def load(package: str | None, file: str) -> str:
        text = original(package, file)
        return text.replace(right, wrong, 1) if file == "conversation_facts.sql" else text

    assert right in original("assets.gold.service", "conversation_facts.sql")
    monkeypatch.setattr(service, "load_sql", load)


@pytest.mark.parametrize(
    ("right", "wrong", "check"),
    [
        ("toUnixTimestamp64Micro(first_customer_message_at)) / 1e6", "toUnixTimestamp64Micro(first_customer_message_at)) / 1e6 + 1", "recomputed_from_events"),
        ("talks.priority AS priority", "9 AS priority", "expectations"),
        ("talk.messages_person AS messages_person", "99 AS messages_person", "expectations"),
        ("ORDER BY day", "LIMIT 0", "expectations"),
    ],
    ids=["a wrong formula", "a value out of range", "an impossible value", "no rows"],
)  # fmt: skip
def test_a_failing_check_stops_what_is_built_on_it(
    given: Given,
    warehouse_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    right: str,
    wrong: str,
    check: str,
) -> None:
    given(*some_talk("2026-03-10").events)
    broken(monkeypatch, right, wrong)
    tables = (*made_of("gold/service_kpi_hourly"), "gold/built_days")
    (result,) = materialize(warehouse_settings, ["2026-03-10"], only=tables, raise_on_error=False)
    failed = {evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed}
    built = {event.asset_key.path[-1] for event in result.get_asset_materialization_events()}
    assert check in failed
    assert "conversation_facts" in built
    assert not built & {"service_kpi_hourly", "built_days"}
    assert list(stale_days(given.warehouse)) == ["2026-03-10"]


@pytest.fixture
def recorded(data_settings: Settings) -> Iterator[Settings]:
    """A database and a warehouse with the same twenty events."""

    async def write() -> None:
        db = await session(data_settings)
        for number in range(4):
            await insert_events(db, some_talk("2026-03-10", f"talk {number}").events)
        await db.close()

    run_async(write())
    run_async(relay_until_empty(data_settings))
    yield data_settings


COMPARED = ("raw/events", "bronze/events", "gold/built_days")  # what tells of missing and late events


def today(settings: Settings) -> str:
    return datetime.now(settings.zone).date().isoformat()


def test_what_is_missing_in_the_warehouse_is_added_and_named(recorded: Settings) -> None:
    client = connect(recorded.clickhouse_url)
    total = client.query("SELECT count() FROM raw.events").result_rows[0][0]
    client.command("DELETE FROM raw.events WHERE type = 'message.received'")
    (result,) = materialize(recorded, [today(recorded)], reconcile=True, only=COMPARED)
    metadata = result.asset_materializations_for_node("raw__events")[0].metadata
    assert metadata["repaired"].value == 4
    assert client.query("SELECT count(), uniqExact(id) FROM raw.events").result_rows == [(total, total)]
    # Added, yet named: a warning each says that events were missing, and that a built day lacks them now.
    failed = {check.check_name: check.severity for check in result.get_asset_check_evaluations() if not check.passed}
    assert failed == dict.fromkeys(("nothing_missing", "nothing_came_late"), dg.AssetCheckSeverity.WARN)
    assert "2026-03-10" in stale_days(Warehouse(recorded))
    # The relay goes on after the number that the repair took.
    run_async(_one_more(recorded))
    assert client.query("SELECT count() FROM raw.events").result_rows == [(total + 1,)]
    client.close()


async def _one_more(settings: Settings) -> None:
    db = await session(settings)
    await insert_events(db, some_talk("2026-03-10", "one more").events[:1])
    await db.close()
    assert await relay_until_empty(settings) == 1


def test_what_postgresql_does_not_have_fails_the_check_and_stays(recorded: Settings) -> None:
    async def forget() -> None:
        db = await asyncpg.connect(recorded.database_url.get_secret_value())
        await db.execute("DELETE FROM events WHERE type = 'message.received'")
        await db.close()

    run_async(forget())
    (result,) = materialize(recorded, [today(recorded)], reconcile=True, only=COMPARED)
    (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == "equals_postgresql"]
    assert not check.passed
    assert "4 rows that PostgreSQL does not have" in (check.description or "")


def test_events_that_the_relay_has_not_brought_yet_are_not_missing(recorded: Settings) -> None:
    async def write_more() -> None:
        db = await session(recorded)
        await insert_events(db, some_talk("2026-03-10", "later").events)
        await db.close()

    run_async(write_more())
    (result,) = materialize(recorded, [today(recorded)], reconcile=True, only=COMPARED)
    assert result.asset_materializations_for_node("raw__events")[0].metadata["repaired"].value == 0
    assert asyncio.run(relay_until_empty(recorded)) == 5
