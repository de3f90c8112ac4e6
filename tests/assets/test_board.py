"""The views of the board Executivo against figures added up by hand: return on investment, goals and stored baselines."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.warehouse import Warehouse
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from pipelines.definitions import build, defs
from pipelines.jobs import QUIET, TAGS
from pipelines.sensors import edited
from tests.analytics.conftest import session
from tests.assets.conftest import Given, named
from tests.assets.story import Talk
from tests.support.hours import let_the_day_last
from tests.support.waiting import run_async

RETURNS = "SELECT * FROM gold.bi_return_on_investment ORDER BY month"


def days() -> tuple[date, date, date]:
    """The first days of the month before and of this one, and today, for the views ask the engine, whose clock is UTC."""
    let_the_day_last(60, "UTC")
    today = datetime.now(UTC).date()
    month = today.replace(day=1)
    return (month - timedelta(days=1)).replace(day=1), month, today


def entry(given: Given, kind: str, reais: float, every: str, first: date, last: date | None = None) -> None:
    given.warehouse.client.insert(
        "silver.benefits_and_costs",
        [[uuid7(), "algo", kind, round(reais * 1e6), every, first, last, "", False, datetime.now(UTC)]],
        column_names=["entry_id", "name", "kind", "amount_micros", "every", "valid_from", "valid_to", "source", "is_example", "updated_at"],
    )  # fmt: skip


def store_baseline(given: Given, kpi: str, value: float, upto: date | None = None) -> None:
    given.warehouse.client.insert(
        "silver.kpi_baseline", [[kpi, value, upto, upto, "", datetime.now(UTC)]],
        column_names=["kpi", "value", "measured_from", "measured_to", "note", "updated_at"],
    )  # fmt: skip


def priced(given: Given, day: date, *, resolved: int, micros: int, currency: str = "USD") -> None:
    """Conversations of a day with what they cost in all, as gold.conversation_facts and cost_daily have them."""
    noon = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    names = ["day", "hour", "conversation_id", "customer_id", "opened_at", "messages_in", "is_resolved", "cost_micros", "cost_currency"]  # fmt: skip
    rows = [
        [day, noon, uuid7(), uuid7(), noon, 1, True, micros if number == 0 else 0, currency]
        for number in range(resolved)
    ]
    given.warehouse.client.insert("gold.conversation_facts", rows, column_names=names)
    given.warehouse.client.insert(
        "gold.cost_daily", [[day, currency, resolved, resolved, micros]],
        column_names=["day", "currency", "conversations", "resolved", "cost_micros"],
    )  # fmt: skip


def test_months_count_by_their_days_what_comes_once_in_its_month_and_nothing_after_today(given: Given) -> None:
    before, month, today = days()
    length = (month - before).days
    entry(given, "cost", 3_000, "once", before + timedelta(days=4))
    entry(given, "benefit", 1_000, "month", before + timedelta(days=10), before + timedelta(days=19))
    entry(given, "benefit", 9_000, "month", month)
    entry(given, "cost", 77, "month", today + timedelta(days=1))
    first, second = given.rows(RETURNS)
    assert (first["month"], second["month"]) == (before, month)
    assert first["benefits"] == pytest.approx(1_000 * 10 / length) and first["costs"] == 3_000
    held = 9_000 * today.day / ((month + timedelta(days=31)).replace(day=1) - month).days
    assert second["benefits"] == pytest.approx(held) and second["costs"] == 0
    assert first["savings"] is None and second["savings"] is None
    total = 1_000 * 10 / length + held - 3_000
    assert second["cumulative"] == pytest.approx(total) and second["roi"] == pytest.approx(total / 3_000)
    assert second["payback_month"] == (month if total >= 0 else None)
    assert second["payback_months"] == (2 if total >= 0 else None)


def test_a_board_without_anything_entered_has_no_month(given: Given) -> None:
    assert given.rows(RETURNS) == [] and given.rows("SELECT * FROM gold.bi_kpi_goals") == []


def test_savings_are_measured_against_the_stored_baseline_at_the_day_s_rate(given: Given) -> None:
    before, _, _ = days()
    priced(given, before, resolved=4, micros=400_000)  # the baseline was measured until then: it saves nothing
    priced(given, before + timedelta(days=1), resolved=10, micros=2_000_000)
    priced(given, before + timedelta(days=2), resolved=5, micros=6_000_000)
    assert given.rows(RETURNS) == [], "no baseline, none is invented"
    store_baseline(given, "cost_per_resolved", 1.0, before)
    assert given.rows(RETURNS) == [], "no rate of the currency"
    for day, micros in ((before, 5_000_000), (before + timedelta(days=2), 6_000_000)):
        given.warehouse.client.insert(
            "silver.exchange_rates", [["USD", day, micros, "", datetime.now(UTC)]],
            column_names=["currency", "valid_from", "brl_micros", "source", "updated_at"],
        )  # fmt: skip
    saved = (10 * 1.0 - 2.0) * 5 + (5 * 1.0 - 6.0) * 6
    rows = given.rows(RETURNS)
    assert rows[0]["savings"] == pytest.approx(saved) and rows[0]["net"] == pytest.approx(saved)
    assert rows[0]["roi"] is None, "nothing was invested"
    priced(given, before + timedelta(days=3), resolved=1, micros=1, currency="EUR")
    assert given.rows(RETURNS) == [], "a cost per conversation in two currencies is no figure"


def test_goals_are_judged_by_the_stored_baseline_or_by_none(given: Given) -> None:
    talk = Talk("c1", "2026-03-10 14:00")
    talk.customer("2026-03-10 14:01")
    given(*talk.events)
    given.build("2026-03-10", "2026-03-11")
    priced(given, date(2026, 3, 9), resolved=2, micros=1_000_000)
    goals = {row["kpi"]: row for row in given.rows("SELECT * FROM gold.bi_kpi_goals")}
    assert goals["cost_per_resolved"]["baseline"] is None
    store_baseline(given, "cost_per_resolved", 2.5)
    goals = {row["kpi"]: row for row in given.rows("SELECT * FROM gold.bi_kpi_goals")}
    assert goals["cost_per_resolved"]["baseline"] == 2.5 and goals["cost_per_resolved"]["target"] == -0.4


def test_availability_and_the_95th_percentile_come_from_what_the_api_counted(given: Given) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    bounds = [0.05, 0.1, 0.2, 0.5]
    for back, requests, failures, counts in (
        (3, 100, 1, [60, 30, 8, 2, 0]),
        (2, 100, 0, [50, 40, 6, 3, 1]),
        (24 * 40, 9, 9, [0, 0, 0, 0, 9]),  # longer ago than 30 days
    ):
        given.warehouse.client.insert(
            "silver.service_levels", [[now - timedelta(hours=back), requests, failures, bounds, counts, now]],
            column_names=["hour", "requests", "failures", "bounds", "counts", "updated_at"],
        )  # fmt: skip
    goals = {row["kpi"]: row for row in given.rows("SELECT * FROM gold.bi_kpi_goals")}
    assert (goals["uptime"]["numerator"], goals["uptime"]["denominator"]) == (199, 200)
    # 180 of 200 are at or below 0.1 s and 194 at or below 0.2 s: the 190th is 10/14 of the way.
    assert goals["api_p95"]["numerator"] == pytest.approx((0.1 + 0.1 * 10 / 14) * 1e6, abs=1)


STORED = """
INSERT INTO kpi_baseline (kpi, value, measured_from, measured_to, note) VALUES
    ('csat', 4.1, '2025-01-01', '2025-03-31', E'antes\tdo hub'), ('cost_per_resolved', 2.5, NULL, NULL, '');
INSERT INTO benefits_and_costs (id, name, kind, amount_micros, every, valid_from, valid_to, source, is_example, created_by) VALUES
    ('019a0000-0000-7000-8000-000000000001', 'Licenças, d''água', 'cost', 5000000, 'month', '2026-01-01', '2026-06-30', 'nota 1', false, 'user:x'),
    ('019a0000-0000-7000-8000-000000000002', 'Migração', 'cost', 7000000, 'once', '2026-01-15', NULL, '', true, 'user:x');
INSERT INTO exchange_rates (currency, valid_from, brl_micros, set_by) VALUES ('USD', '2026-01-01', 5400000, 'user:x');
INSERT INTO service_levels (hour, requests, failures, bounds, counts) VALUES ('2026-03-10 14:00Z', 9, 1, '{0.1,0.5}', '{5,3,1}');
INSERT INTO segments (id, name, version, archived_at, created_by) VALUES
    ('019a0000-0000-7000-8000-000000000003', 'Devedores', 2, NULL, 'user:x'), ('019a0000-0000-7000-8000-000000000004', 'Velho', 1, now(), 'user:x');
"""


async def store(settings: Settings, sql: str) -> None:
    db = await session(settings)
    try:
        await db.execute(sql)
    finally:
        await db.close()


def test_what_people_decide_arrives_whole_and_a_change_of_it_starts_one_run(
    data_settings: Settings, tmp_path: Path
) -> None:
    run_async(store(data_settings, STORED))
    warehouse = Warehouse(data_settings)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def look(cursor: str | None) -> dg.SensorResult:
            with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
                result = edited(context, warehouse=warehouse)
            assert isinstance(result, dg.SensorResult)
            return result

        found = look(None)
        assert found.run_requests
        job = build(data_settings).resolve_job_def("board")
        for _ in range(2):  # a rerun changes nothing; the run names no day
            assert job.execute_in_process(instance=instance, run_config=QUIET).success
        assert not look(found.cursor).run_requests
        run_async(store(data_settings, "UPDATE benefits_and_costs SET amount_micros = 8000000 WHERE every = 'once'"))
        again = look(found.cursor)
        assert again.run_requests and again.run_requests[0].run_key != found.run_requests[0].run_key
        instance.create_run_for_job(defs.resolve_job_def("refresh"), status=dg.DagsterRunStatus.STARTED, tags=TAGS)
        run_async(store(data_settings, "DELETE FROM exchange_rates"))
        waits = look(again.cursor)
        assert not waits.run_requests and waits.cursor is None, "it looks again"
    rows = warehouse.rows("SELECT kpi, value, measured_to, note FROM silver.kpi_baseline ORDER BY kpi")
    assert rows == [("cost_per_resolved", 2.5, None, ""), ("csat", 4.1, date(2025, 3, 31), "antes\tdo hub")]
    rows = warehouse.rows(
        "SELECT name, every, amount_micros, valid_to, is_example FROM silver.benefits_and_costs ORDER BY name"
    )
    assert rows == [
        ("Licenças, d'água", "month", 5_000_000, date(2026, 6, 30), False),
        ("Migração", "once", 7_000_000, None, True),
    ]
    assert warehouse.rows("SELECT brl_micros FROM silver.exchange_rates") == [(5_400_000,)]
    assert warehouse.rows("SELECT requests, failures, bounds, counts FROM silver.service_levels") == [
        (9, 1, [0.1, 0.5], [5, 3, 1])
    ]
    assert warehouse.rows("SELECT name, is_archived FROM silver.segments ORDER BY name") == [
        ("Devedores", False),
        ("Velho", True),
    ]
    warehouse.close()


def test_segments_have_the_size_that_came_and_went_makes(given: Given) -> None:
    segment, other = named("segment"), named("archived")
    given.warehouse.client.insert(
        "silver.segments", [[segment, "Devedores", 1, False, datetime.now(UTC)], [other, "Velho", 1, True, datetime.now(UTC)]],
        column_names=["segment_id", "name", "version", "is_archived", "updated_at"],
    )  # fmt: skip
    moves = [("2026-03-01", "ana", "entered"), ("2026-03-01", "bia", "entered"), ("2026-03-04", "ana", "left"), ("2026-03-09", "ana", "entered")]  # fmt: skip
    rows = [[date.fromisoformat(day), segment, named(who), change, "data", 1, day] for day, who, change in moves]
    names = ["day", "segment_id", "customer_id", "change", "why", "version", "run"]
    given.warehouse.client.insert("gold.segment_membership_history", [*rows, rows[0], [rows[0][0], other, *rows[0][2:]]], column_names=names)  # fmt: skip
    found = given.rows("SELECT day, members, is_newest, segment FROM gold.bi_segment_sizes ORDER BY day")
    assert [(str(row["day"])[5:], row["members"], row["is_newest"]) for row in found] == [
        ("03-01", 2, False), ("03-04", 1, False), ("03-09", 2, True),
    ]  # fmt: skip
    assert {row["segment"] for row in found} == {"Devedores"}


def test_an_effect_is_told_as_people_read_it(given: Given) -> None:
    names = [
        "day", "experiment_id", "experiment", "variant", "control", "metric", "kind", "role", "customers", "estimate", "difference",
        "sequential_low", "sequential_high", "decision",
    ]  # fmt: skip
    experiment = named("experiment")
    rows = [
        [date(2026, 3, day), experiment, "oferta", variant, "controle", metric, kind, "primary", 100, *figures]
        for day in (1, 2)
        for variant, metric, kind, *figures in (
            ("controle", "conversion", "proportion", 0.05, None, None, None, "control"),
            ("a", "conversion", "proportion", 0.0812, 0.0312, -0.0041, 0.0665, "undecided"),
            ("a", "value", "mean", 12.5, -1.25, None, None, "early"),
        )
    ]
    given.warehouse.client.insert("gold.experiment_results", rows, column_names=names)
    found = given.rows("SELECT * FROM gold.bi_experiments WHERE is_newest ORDER BY variant DESC, metric")
    assert [row["shown_estimate"] for row in found] == ["5,00 %", "8,12 %", "12,50"]
    assert [row["shown_effect"] for row in found] == ["–", "+3,12 p.p. (−0,41 a +6,65)", "−1,25 (cedo demais)"]
    assert len(given.rows("SELECT 1 FROM gold.bi_experiments")) == 6
