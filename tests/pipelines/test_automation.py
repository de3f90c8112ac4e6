"""When runs start: every tick of a clock or sensor that would start one, and those that wait instead."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from assets.warehouse import Warehouse
from hub_api.settings import Settings
from pipelines import launching, sensors
from pipelines.definitions import build, defs
from pipelines.jobs import TAGS
from pipelines.launching import ranges
from pipelines.materialize import days_between, materialize
from pipelines.schedules import daily, hourly
from pipelines.sensors import late_events
from tests.assets.conftest import Given
from tests.assets.story import Talk
from tests.pipelines.test_materialize import some_talk

DAILY_ZONE = ZoneInfo("America/Sao_Paulo")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as one:
        yield one


def look(instance: dg.DagsterInstance, settings: Settings, cursor: str | None = None) -> dg.SensorResult:
    """One evaluation of the sensor as the daemon makes it."""
    warehouse = Warehouse(settings)
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        result = late_events(context, warehouse=warehouse)
    warehouse.close()
    assert isinstance(result, dg.SensorResult)
    return result


def put_underway(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    run = instance.create_run_for_job(build().resolve_job_def("refresh"), status=status, tags=TAGS)
    return run.run_id


def today(settings: Settings) -> str:
    return datetime.now(settings.zone).date().isoformat()


def test_all_stale_days_share_one_run_up_to_today(
    given: Given, warehouse_settings: Settings, instance: dg.DagsterInstance
) -> None:
    now = datetime.now(warehouse_settings.zone).date()
    days = [(now - timedelta(days=back)).isoformat() for back in (9, 4, 1)]
    given(*(event for day in days for event in some_talk(day).events))
    result = look(instance, warehouse_settings)
    (request,) = result.run_requests or []
    assert request.tags[launching.START_TAG] == days[0]
    assert request.tags[launching.END_TAG] == now.isoformat()
    assert json.loads(result.cursor or "")["started"] == 1


def test_a_built_day_asks_for_no_run_and_new_events_of_today_are_left_to_the_clock(
    given: Given, warehouse_settings: Settings, instance: dg.DagsterInstance
) -> None:
    given(*some_talk("2026-03-10").events)
    materialize(warehouse_settings, ["2026-03-10"], only=("bronze/events", "gold/built_days"))
    assert not look(instance, warehouse_settings).run_requests
    given(*some_talk(today(warehouse_settings)).events)
    result = look(instance, warehouse_settings)
    assert not result.run_requests
    assert result.skip_reason is not None


def test_a_look_during_a_run_or_soon_after_a_start_waits_and_is_counted(
    given: Given, warehouse_settings: Settings, instance: dg.DagsterInstance
) -> None:
    given(*some_talk("2026-03-10").events)
    started = look(instance, warehouse_settings).cursor
    again = look(instance, warehouse_settings, started)
    assert not again.run_requests
    assert json.loads(again.cursor or "")["coalesced"] == 1
    run = put_underway(instance, dg.DagsterRunStatus.NOT_STARTED)
    waiting = look(instance, warehouse_settings)
    assert not waiting.run_requests
    assert run in str(waiting.skip_reason)


def test_a_run_that_failed_is_asked_for_again_later_under_another_key(
    given: Given, warehouse_settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(*some_talk("2026-03-10").events)
    hour = sensors.AGAIN_S * int(time.time() // sensors.AGAIN_S)
    keys = []
    for now in (hour, hour + 60, hour + sensors.AGAIN_S):
        monkeypatch.setattr(sensors.time, "time", lambda now=now: now)
        keys.append([request.run_key for request in look(instance, warehouse_settings).run_requests or []])
    assert keys[0] == keys[1] != keys[2]


def test_today_is_built_before_a_day_of_long_ago(
    given: Given, warehouse_settings: Settings, instance: dg.DagsterInstance
) -> None:
    given(*some_talk("2017-10-03").events)
    requests = look(instance, warehouse_settings).run_requests or []
    assert [request.tags[launching.END_TAG] for request in requests] == [today(warehouse_settings), "2017-10-03"]


def test_days_built_before_an_older_one_are_built_again_after_it(
    given: Given, warehouse_settings: Settings, instance: dg.DagsterInstance
) -> None:
    now = datetime.now(warehouse_settings.zone).date()
    old, new = ((now - timedelta(days=back)).isoformat() for back in (60, 5))
    given(*(event for day in (old, new) for event in some_talk(day).events))
    only = ("bronze/events", "gold/built_days")
    materialize(warehouse_settings, [new], only=only)
    materialize(warehouse_settings, [old], only=only)
    requests = look(instance, warehouse_settings).run_requests or []
    assert [request.tags[launching.START_TAG] for request in requests] == [new], "its look back lacked the old day"
    materialize(warehouse_settings, [new], only=only)
    assert not look(instance, warehouse_settings).run_requests


def test_a_day_of_long_ago_waits_a_day_when_only_its_conversations_went_on(
    given: Given, warehouse_settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    old = (now.astimezone(warehouse_settings.zone).date() - timedelta(days=20)).isoformat()
    answered = Talk("answered", f"{now:%Y-%m-%d %H:%M:%S}")  # who was written to twenty days ago and answers now
    answered.we(f"{old} 14:00", "campaign", category="marketing")
    given(answered.events[1], *some_talk(old).events)
    only = ("bronze/events", "gold/built_days")
    materialize(warehouse_settings, days_between(date.fromisoformat(old), now.astimezone(DAILY_ZONE).date()), only=only)
    answered.customer(now)
    given(answered.events[0], answered.events[-1])
    first = look(instance, warehouse_settings)
    assert not first.run_requests and "1 of long ago wait" in str(first.skip_reason)
    later = time.time() + sensors.PATIENCE_S - 60
    monkeypatch.setattr(sensors.time, "time", lambda: later)
    assert not look(instance, warehouse_settings, first.cursor).run_requests
    monkeypatch.setattr(sensors.time, "time", lambda: later + 120)
    (request, *_) = reversed(look(instance, warehouse_settings, first.cursor).run_requests or [])
    assert request.tags[launching.START_TAG] == old, "nobody waits for ever"
    monkeypatch.undo()
    given(*some_talk(old, "late").events)
    (request, *_) = reversed(look(instance, warehouse_settings, first.cursor).run_requests or [])
    assert request.tags[launching.START_TAG] == old, "an event of the day itself does not wait"


def test_the_hourly_clock_builds_today_unless_a_run_is_underway(instance: dg.DagsterInstance) -> None:
    at = datetime(2026, 3, 10, 14, 5).astimezone()
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context:
        request = hourly(context)
        assert isinstance(request, dg.RunRequest)
        assert request.partition_key == "2026-03-10"
        run = put_underway(instance, dg.DagsterRunStatus.STARTED)
        skipped = hourly(context)
        assert isinstance(skipped, dg.SkipReason)
        assert run in (skipped.skip_message or "")


def test_the_daily_clock_builds_yesterday_whatever_is_underway(instance: dg.DagsterInstance) -> None:
    put_underway(instance, dg.DagsterRunStatus.STARTED)
    at = datetime(2026, 3, 10, 0, 20).astimezone()
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context:
        request = daily(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-03-09"


def test_ranges_join_neighbours_and_part_at_a_month() -> None:
    assert ranges(["2026-03-10", "2026-03-01", "2026-03-02"]) == [("2026-03-01", "2026-03-10")]
    assert ranges(["2017-10-01", "2026-03-10", "2017-11-01"]) == [
        ("2017-10-01", "2017-11-01"),
        ("2026-03-10", "2026-03-10"),
    ]
    assert ranges([]) == []


def test_days_scattered_over_years_are_a_few_runs_and_each_day_is_in_one() -> None:
    days = [f"{year}-{month:02}-15" for year in range(2011, 2027) for month in (1, 5)] + ["2026-11-20"]
    found = ranges(days)
    assert len(found) == launching.MAX_RANGES
    assert all(sum(first <= day <= last for first, last in found) == 1 for day in days)


def report_check(instance: dg.DagsterInstance, *, passed: bool) -> None:
    table = dg.AssetKey(["gold", "service_kpi_hourly"])
    evaluation = dg.AssetCheckEvaluation(table, "expectations", passed, metadata={}, blocking=True)
    instance.report_runless_asset_event(evaluation)


def test_the_lake_is_due_once_after_all_its_tables_were_built_and_not_while_a_blocking_check_fails(
    instance: dg.DagsterInstance,
) -> None:
    now = datetime.now(DAILY_ZONE)
    tick = now.replace(hour=0, minute=15, second=0, microsecond=0)
    tick = tick if tick <= now else tick - timedelta(days=1)
    lake = dg.AssetKey(["lake", "files"])
    parents = sorted(defs.resolve_asset_graph().get(lake).parent_keys)

    def evaluate(at: datetime, cursor: Any = None) -> Any:
        selection = dg.AssetSelection.assets(lake)
        return dg.evaluate_automation_conditions(defs, instance, selection, evaluation_time=at, cursor=cursor)

    result = evaluate(tick - timedelta(minutes=5))
    assert result.total_requested == 0
    *most, last = parents
    for parent in most:
        instance.report_runless_asset_event(dg.AssetMaterialization(parent, partition=now.date().isoformat()))
    result = evaluate(now, result.cursor)
    assert result.total_requested == 0, f"{last} is not built"
    instance.report_runless_asset_event(dg.AssetMaterialization(last, partition=now.date().isoformat()))
    report_check(instance, passed=False)
    result = evaluate(now, result.cursor)
    assert result.total_requested == 0, "a blocking check fails"
    report_check(instance, passed=True)
    result = evaluate(now, result.cursor)
    assert result.total_requested == 1
    instance.report_runless_asset_event(dg.AssetMaterialization(lake))
    assert evaluate(now, result.cursor).total_requested == 0, "once a day"
