"""The key figures through the API: a figure, its breakdowns and the conversations behind it are the same cases; who sees what;
files; answers kept while the data stays."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from hub_api.analytics import ask
from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.filters import Filter
from hub_api.events import MessageStateChanged
from hub_api.platform.csv_export import read_csv
from hub_api.platform.figure_cases import PLACES
from hub_api.platform.ids import uuid7
from hub_api.platform.warehouse import Reader
from hub_api.settings import Settings
from tests.assets.conftest import Given, at, named
from tests.assets.story import Talk
from tests.assets.test_kpi_tables import random_events
from tests.auth.people import actions, add_person, call
from tests.support.data import empty
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse

API = "/api/v1/analytics"
DAYS = ["2026-03-10", "2026-03-11", "2026-03-12"]
PERIOD = {"from": DAYS[0], "to": DAYS[-1]}
KPIS = list(catalogue().kpis.values())


@pytest.fixture
async def hub(database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse) -> AsyncIterator[Hub]:
    """A hub with an emptied warehouse."""
    empty(warehouse_server.url())
    async with running_hub(make_settings(database_url, redis_url, clickhouse_url=warehouse_server.url())) as running:
        yield running


@pytest.fixture
async def reader(hub: Hub) -> AsyncIterator[Reader]:
    one = Reader(hub.services.settings)
    yield one
    await one.close()


async def built(settings: Settings, *events: Any) -> None:
    """The tables of these events, in a thread: the hub goes on answering."""

    def build() -> None:
        given = Given(settings)
        given(*events)
        given.build(*DAYS)
        given.warehouse.client.command("INSERT INTO gold.built_days (day, batch) VALUES ('2026-03-12', 1)")
        given.warehouse.close()

    await asyncio.to_thread(build)


async def get(hub: Hub, path: str, headers: dict[str, str] | None = None, **params: Any) -> Any:
    """The body of a successful answer for this period."""
    status, body = await call(hub, "GET", f"{API}/{path}", headers or hub.auth, params={**PERIOD, **params})
    assert status == 200, body
    return body


async def all_pages(hub: Hub, path: str, **params: Any) -> list[dict[str, Any]]:
    """Every conversation behind a figure, page by page."""
    page = await get(hub, path, limit=9, **params)
    items = page["items"]
    while page["next_cursor"]:
        page = await get(hub, path, limit=9, cursor=page["next_cursor"], **params)
        items += page["items"]
    return items


def some_filter(rng: Random) -> Filter:
    """A period and values of dimensions, drawn."""
    first, last = sorted((rng.choice(DAYS), rng.choice(DAYS)))
    values: dict[str, list[str]] = {}
    if rng.random() < 0.5:
        values["queue"] = rng.sample(["suporte", "vendas", ""], rng.randint(1, 2))
    if rng.random() < 0.3:
        values["agent_id"] = [str(named("bia"))]
    scope = (["", "suporte"], [named("bia")], named("caio")) if rng.random() < 0.3 else None
    return Filter(date.fromisoformat(first), date.fromisoformat(last), values, None, scope)


BY_SEGMENT = """
SELECT toString(segment_id) AS by, sum(bi_segment_kpis.cases) AS cases, sum(bi_segment_kpis.numerator) AS numerator,
    sum(bi_segment_kpis.denominator) AS denominator
FROM gold.bi_segment_kpis WHERE kpi = {kpi:String} GROUP BY by
"""
EVER = Filter(date(2026, 1, 1), date(2026, 6, 1))


async def grouped(settings: Settings, rng: Random) -> list[UUID]:
    """Two segments that have some of the customers in common, and one without members."""
    segments, rows = [uuid7() for _ in range(3)], []
    warehouse = Given(settings).warehouse
    people = warehouse.rows("SELECT DISTINCT customer_id FROM gold.conversation_facts ORDER BY 1")
    for segment in segments[:2]:
        rows += [[segment, who] for (who,) in people if rng.random() < 0.6]
    warehouse.client.insert("gold.segment_membership", rows, column_names=["segment_id", "customer_id"])
    warehouse.client.insert(
        "silver.segments", [[one, f"s{n}", 1, False] for n, one in enumerate(segments)],
        column_names=["segment_id", "name", "version", "is_archived"],
    )  # fmt: skip
    warehouse.close()
    return segments


@pytest.mark.parametrize("seed", range(2))
async def test_the_conversations_behind_every_figure_come_to_it_whatever_the_filter(
    hub: Hub, reader: Reader, seed: int
) -> None:
    rng, sums = Random(seed), ("cases", "numerator", "denominator")
    await built(hub.services.settings, *random_events(rng, 60))
    segments = await grouped(hub.services.settings, rng)
    seen, of_segments = 0, 0
    for kpi in KPIS[seed::2]:
        for filter_ in (Filter(date(2026, 3, 10), date(2026, 3, 12)), some_filter(rng)):
            found, cases = await ask.figure(reader, kpi, filter_), ask.Cases.of(kpi)
            wanted = {name: found[name] for name in sums}
            total = await ask.total(reader, cases, filter_)
            assert {name: total[name] for name in sums} == wanted, kpi.key
            rows, cursor = await ask.conversations(
                reader, cases, filter_, order=rng.choice(["newest", "largest"]), limit=500, cursor=None
            )
            assert cursor is None and len({row["conversation_id"] for row in rows}) == len(rows)
            if kpi.kind == "level":
                assert sum(row["numerator"] for row in rows) == wanted["numerator"] and all(
                    row["numerator"] == 1 for row in rows
                )
            else:
                assert {name: sum(row[name] for row in rows) for name in sums} == wanted, kpi.key
            assert kpi.figure(total["numerator"], total["denominator"]) == kpi.figure(
                found["numerator"], found["denominator"]
            )
            for by in rng.sample(["queue", "agent_id", "weekday", "hour_of_day", "region"], 2):
                parts = await ask.breakdown(reader, kpi, filter_, by, limit=500, zone="America/Sao_Paulo")
                assert {name: sum(part[name] for part in parts) for name in sums} == wanted, (kpi.key, by)
            parts = await ask.breakdown(reader, kpi, filter_, "segment", limit=500, zone="America/Sao_Paulo")
            of_members = {part["by"]: {name: part[name] for name in sums} for part in parts}
            for segment in segments:
                alone = await ask.figure(reader, kpi, replace(filter_, segments=[segment]))
                told = of_members.get(str(segment), dict.fromkeys(sums, 0))
                assert told == {name: alone[name] for name in sums}, (kpi.key, "segment")
                of_segments += alone["cases"]
            points = await ask.series(reader, kpi, filter_, rng.choice(["hour", "day", "week", "month"]))
            if kpi.kind == "level":
                assert not points or points[-1]["value"] == found["value"], kpi.key
            else:
                assert {name: sum(point[name] for point in points) for name in sums} == wanted, kpi.key
            seen += found["cases"]
        # The board's view says the same of all days and queues.
        shown = await reader.rows(BY_SEGMENT, {"kpi": kpi.key})
        whole = await ask.breakdown(reader, kpi, EVER, "segment", limit=500, zone="America/Sao_Paulo")
        assert {row["by"]: [row[name] for name in sums] for row in shown} == {
            part["by"]: [part[name] for name in sums] for part in whole
        }, kpi.key
    assert seen > 300 and of_segments > 300
    for funnel in catalogue().funnels.values():
        filter_ = some_filter(rng)
        counts = await ask.funnel(reader, funnel, filter_)
        assert counts == sorted(counts, reverse=True)
        for step, count in zip(funnel.steps, counts, strict=True):
            assert (await ask.total(reader, ask.Cases.reached(funnel, step), filter_))["cases"] == count


PERIOD_OF_ALL = Filter(date(2026, 3, 10), date(2026, 3, 12))
BEHIND = """
SELECT conversation_id, min(first) AS at, count() AS cases, sum(n) AS numerator, sum(d) AS denominator
FROM (SELECT conversation_id, at AS first, numerator AS n, denominator AS d FROM {view} WHERE day BETWEEN '2026-03-10' AND '2026-03-12')
GROUP BY conversation_id ORDER BY {order}
"""


async def test_questions_are_asked_of_exactly_the_rows_of_the_views(hub: Hub, reader: Reader) -> None:
    await built(hub.services.settings, *random_events(Random(8), 60))
    shape, seen = ", ".join((*PLACES, "numerator", "denominator")), 0
    for kpi in KPIS:
        cases = ask.Cases.of(kpi)
        rows = await reader.rows(f"SELECT {shape} FROM {kpi.view} ORDER BY ALL")
        assert await reader.rows(f"SELECT {shape} FROM {cases.sql(shape)} ORDER BY ALL") == rows, kpi.key
        assert not cases.is_once or len({row["conversation_id"] for row in rows}) == len(rows), kpi.key
        seen += len(rows)
        if kpi.kind == "level":
            continue
        for order, by in (
            ("newest", "at DESC, conversation_id DESC"),
            ("largest", "numerator DESC, conversation_id DESC"),
        ):
            wanted = await reader.rows(BEHIND.format(view=kpi.view, order=by))
            found, cursor = await ask.conversations(reader, cases, PERIOD_OF_ALL, order=order, limit=40, cursor=None)
            while cursor:
                page, cursor = await ask.conversations(
                    reader, cases, PERIOD_OF_ALL, order=order, limit=40, cursor=cursor
                )
                found += page
            names = ("conversation_id", "at", "cases", "numerator", "denominator")
            assert [{name: row[name] for name in names} for row in found] == wanted, (kpi.key, order)
    assert seen > 1000
    for funnel in catalogue().funnels.values():
        for step in funnel.steps:
            wanted = f"SELECT {', '.join(PLACES)} FROM {funnel.view} WHERE {step} = 1 ORDER BY ALL"
            reached = ask.Cases.reached(funnel, step).sql(", ".join(PLACES))
            assert await reader.rows(f"SELECT * FROM {reached} ORDER BY ALL") == await reader.rows(wanted), step


async def test_through_the_door_figures_pages_and_totals_agree(hub: Hub) -> None:
    await built(hub.services.settings, *random_events(Random(5), 60))
    items = {one["kpi"]["key"]: one for one in (await get(hub, "kpis"))["items"]}
    assert set(items) == set(catalogue().kpis)
    for key in ("first_response_time", "abandonment_rate", "messages", "occupancy"):
        one = await get(hub, f"kpis/{key}")
        assert one == items[key]
        for order in ("newest", "largest"):
            behind = await all_pages(hub, f"kpis/{key}/conversations", order=order)
            page = await get(hub, f"kpis/{key}/conversations", order=order)
            assert len(behind) == page["total"]["conversations"] == len({row["conversation_id"] for row in behind})
            assert (
                sum(row["numerator"] for row in behind) == one["numerator"] and page["total"]["value"] == one["value"]
            )
            ranks = [(row["at"] if order == "newest" else row["numerator"]) for row in behind]
            assert ranks == sorted(ranks, reverse=True)
    response = items["first_response_time"]
    assert response["median"] <= response["p90"] and response["is_met"] is (response["value"] < 120)
    parts = await get(hub, "kpis/conversations/breakdown", by="queue")
    assert {part["by"] for part in parts["items"]} == {"", "suporte", "vendas"}
    steps = (await get(hub, "funnels/person"))["items"]
    page = await get(hub, "funnels/person/conversations", step="answered_by_person")
    assert page["total"]["cases"] == steps[1]["cases"] > 0
    level = (await get(hub, "kpis/backlog/series"))["items"]
    assert [point["at"] for point in level] == DAYS and level[-1]["value"] == items["backlog"]["value"]


async def test_a_supervisor_sees_the_cases_of_his_teams_alone_and_only_who_may_sees_names(hub: Hub) -> None:
    team, other = uuid7(), uuid7()
    for id_, name, queue in ((team, "nossa", "suporte"), (other, "outra", "vendas")):
        await hub.fetch("INSERT INTO teams (id, name) VALUES ($1, $2)", id_, name)
        await hub.fetch("INSERT INTO queues (id, team_id, key, name) VALUES ($1, $2, $3, $3)", uuid7(), id_, queue)
    ours, theirs = Talk("ours", "2026-03-10 14:00"), Talk("theirs", "2026-03-10 14:00")
    for talk, queue in ((ours, "suporte"), (theirs, "vendas")):
        talk.customer("2026-03-10 14:00")
        talk.moves("2026-03-10 14:05", "queued", queue)
        talk.rated("2026-03-10 15:00", 5 if talk is ours else 1)
        await hub.fetch("INSERT INTO customers (id, name) VALUES ($1, $2)", talk.customer_id, "Ana 11 98765-4321")
        await hub.fetch(
            "INSERT INTO conversations (id, customer_id, state, protocol, queue_id, opened_at) VALUES ($1, $2, 'queued', next_protocol(now(), 'UTC'), "
            "(SELECT id FROM queues WHERE key = $3), now())", talk.id, talk.customer_id, queue,
        )  # fmt: skip
    await built(hub.services.settings, *ours.events, *theirs.events)
    supervisor, analyst, admin = (
        await add_person(hub, "supervisor", team),
        await add_person(hub, "analyst"),
        await add_person(hub, "admin"),
    )
    assert (await get(hub, "kpis/csat", supervisor.headers))["value"] == 5
    assert (await get(hub, "kpis/csat", admin.headers))["value"] == 3
    (row,) = (await get(hub, "kpis/csat/conversations", supervisor.headers))["items"]
    assert UUID(row["conversation_id"]) == ours.id and row["customer_name"] == "Ana 11 98765-4321" and row["value"] == 5
    for path in ("kpis/csat", "kpis/csat/conversations", "kpis/csat/breakdown", "kpis/csat/series"):
        body = await get(hub, path, supervisor.headers, queue="vendas")
        assert not body.get("items") and not body.get("cases"), path
    rows = (await get(hub, "kpis/csat/conversations", analyst.headers))["items"]
    assert len(rows) == 2 and all(row["customer_name"] is None and row["protocol"] is None for row in rows)
    key = await add_person(hub, "agent", team)
    assert (await call(hub, "GET", f"{API}/kpis/csat", key.headers))[0] == 403
    assert (await get(hub, "kpis/csat/conversations", admin.headers))["items"][0]["protocol"]
    assert "personal_data.viewed" in await actions(hub)


async def test_answers_are_kept_until_the_data_changes(hub: Hub) -> None:
    await built(hub.services.settings, *random_events(Random(3), 20))
    url, first = f"{hub.url}{API}/kpis/messages", {}
    async with hub.session.get(url, headers=hub.auth, params=PERIOD) as answer:
        first, etag = await answer.json(), answer.headers["ETag"]
    async with hub.session.get(url, headers={**hub.auth, "If-None-Match": etag}, params=PERIOD) as answer:
        assert answer.status == 304 and not await answer.read()
    assert await hub.services.redis.keys("analytics:*")
    client = Given(hub.services.settings).warehouse.client
    client.command("ALTER TABLE gold.message_facts DELETE WHERE 1 SETTINGS mutations_sync = 1")
    assert await get(hub, "kpis/messages") == first, "nothing was built since"
    client.command("INSERT INTO gold.built_days (day, batch) VALUES ('2026-03-12', 2)")
    async with hub.session.get(url, headers={**hub.auth, "If-None-Match": etag}, params=PERIOD) as answer:
        assert answer.status == 200 and (await answer.json())["numerator"] == 0
        etag = answer.headers["ETag"]
    client.insert(
        "gold.segment_state", [[uuid7(), 1, datetime(2026, 3, 13, tzinfo=UTC)]],
        column_names=["segment_id", "version", "computed_at"],
    )  # fmt: skip
    async with hub.session.get(url, headers={**hub.auth, "If-None-Match": etag}, params=PERIOD) as answer:
        assert answer.status == 200, "members of a segment were found anew, without a build"
    client.command("TRUNCATE TABLE gold.segment_state")


async def test_files_have_the_cases_and_no_formula(hub: Hub) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.customer("2026-03-10 14:00")
    talk.moves("2026-03-10 14:05", "queued", "=cmd|'/c calc'!A1")
    await built(hub.services.settings, *talk.events, *random_events(Random(4), 30))
    figure = await get(hub, "kpis/conversations")
    analyst = await add_person(hub, "analyst")
    files = {}
    for kind in ("csv", "parquet"):
        async with hub.session.get(
            f"{hub.url}{API}/kpis/conversations/export", headers=analyst.headers, params={**PERIOD, "format": kind}
        ) as answer:
            assert answer.status == 200 and f".{kind}" in answer.headers["Content-Disposition"]
            files[kind] = await answer.read()
    text = files["csv"].decode()
    assert "\"'=cmd" in text and '"=cmd' not in text
    rows, frame = read_csv(text), pl.read_parquet(io.BytesIO(files["parquet"]))
    assert len(rows) == len(frame) == figure["cases"] and frame["numerator"].sum() == figure["numerator"]
    assert sorted(row["queue"] for row in rows) == sorted(frame["queue"].cast(pl.String).to_list())
    assert "=cmd|'/c calc'!A1" in {row["queue"] for row in rows}
    assert {row["conversation_id"] for row in rows} and "customer_id" not in frame.columns
    assert (await actions(hub)).count("analytics.exported") == 2
    supervisor = await add_person(hub, "supervisor")
    assert (await call(hub, "GET", f"{API}/kpis/csat/export", supervisor.headers, params=PERIOD))[0] == 403


async def test_a_baseline_gives_targets_that_are_a_change_of_it(hub: Hub) -> None:
    path = f"{API}/baselines/cost_per_resolved"
    body = {"value": 2.5, "measured_from": "2025-01-01", "measured_to": "2025-06-30", "note": "sistema anterior"}
    status, stored = await call(hub, "PUT", path, hub.auth, json=body)
    assert status == 200 and stored["value"] == 2.5 and stored["kpi"] == "cost_per_resolved"
    assert (await get(hub, "baselines"))["items"] == [stored]
    told = {one["key"]: one for one in (await get(hub, "catalogue"))["kpis"]}
    assert told["cost_per_resolved"]["target"] == pytest.approx(1.5) and told["cost_per_resolved"]["baseline"] == 2.5
    assert (
        told["agent_efficiency"]["target"] is None
        and told["csat"]["target"] == 4.5
        and told["uptime"]["measured_by"] == "service_levels"
    )
    assert "kpi.baseline_set" in await actions(hub)
    assert (await call(hub, "PUT", f"{API}/baselines/nothing", hub.auth, json=body))[0] == 404
    assert (await call(hub, "PUT", path, hub.auth, json={**body, "measured_to": "2024-01-01"}))[0] == 422


async def test_a_segment_counts_the_cases_of_its_members(hub: Hub) -> None:
    await built(hub.services.settings, *random_events(Random(6), 20))
    client = Given(hub.services.settings).warehouse.client
    table, segment = "gold.segment_membership", uuid7()
    is_new = not client.query(f"EXISTS TABLE {table}").result_rows[0][0]
    if is_new:
        client.command(
            f"CREATE TABLE {table} (segment_id UUID, customer_id UUID) ENGINE = MergeTree ORDER BY segment_id"
        )
    try:
        (member, count), *_ = client.query(
            "SELECT customer_id, count() AS n FROM gold.conversation_facts GROUP BY customer_id ORDER BY n DESC, customer_id"
        ).result_rows
        client.insert(table, [[segment, member]], column_names=["segment_id", "customer_id"])
        assert (await get(hub, "kpis/conversations", segment_id=str(segment)))["cases"] == count > 0
        page = await get(hub, "kpis/conversations/conversations", segment_id=str(segment))
        assert page["total"]["conversations"] == count == len(page["items"])
        assert (await get(hub, "kpis/conversations", segment_id=str(uuid7())))["cases"] == 0
    finally:
        client.command(f"DROP TABLE {table} SYNC" if is_new else f"TRUNCATE TABLE {table}")


async def test_amounts_of_two_currencies_are_never_added(hub: Hub) -> None:
    events = []
    for name, micros, currency in (("ana", 2_000_000, "BRL"), ("bruno", 300_000, "USD")):
        talk = Talk(name, "2026-03-10 14:00")
        talk.customer("2026-03-10 14:00")
        sent = talk.we("2026-03-10 14:01", "bot")
        talk.moves("2026-03-10 14:02", "resolved")
        events += [*talk.events, MessageStateChanged(
            aggregate_id=sent, aggregate_version=2, occurred_at=at("2026-03-10 14:01:30"), conversation_id=talk.id, customer_id=talk.customer_id,
            from_state="sent", to_state="delivered", cost_micros=micros, cost_currency=currency,
        )]  # fmt: skip
    await built(hub.services.settings, *events)
    both = await get(hub, "kpis/cost_per_resolved")
    assert both["value"] is None and both["currencies"] == ["BRL", "USD"]
    assert (await get(hub, "kpis/cost_per_resolved", currency="BRL"))["value"] == 2.0
    for path in ("series", "breakdown", "conversations"):
        status, body = await call(hub, "GET", f"{API}/kpis/cost_per_resolved/{path}", hub.auth, params=PERIOD)
        assert status == 422 and "BRL, USD" in body["detail"]
        assert len((await get(hub, f"kpis/cost_per_resolved/{path}", currency="USD"))["items"]) == 1


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("kpis/nothing", {}, 404), ("funnels/nothing", {}, 404), ("kpis/csat", {"from": "2026-03-12", "to": "2026-03-10"}, 422),
        ("kpis/csat", {"from": "2000-01-01", "to": "2026-03-10"}, 422), ("kpis/csat/breakdown", {"by": "queue) FROM raw.events--"}, 422),
        ("kpis/csat/series", {"grain": "hour", "from": "2025-01-01", "to": "2026-03-10"}, 422), ("kpis/csat/conversations", {"cursor": "x"}, 422),
        ("funnels/service/conversations", {"step": "1; DROP TABLE gold.opt_outs"}, 422), ("kpis/csat", {"agent_id": "' OR 1"}, 422),
        ("kpis/csat", {"queue": "'); DROP TABLE gold.opt_outs --"}, 200), ("kpis/csat", {"currency": "USD' OR"}, 422),
    ],
)  # fmt: skip
async def test_only_what_the_lists_name_may_be_asked(hub: Hub, path: str, params: dict[str, str], status: int) -> None:
    got, body = await call(hub, "GET", f"{API}/{path}", hub.auth, params={**PERIOD, **params})
    assert got == status, body


async def test_a_warehouse_that_is_away_is_told(database_url: str, redis_url: str) -> None:
    async with running_hub(make_settings(database_url, redis_url)) as running:
        status, body = await call(running, "GET", f"{API}/kpis/csat", running.auth)
        assert (status, body["code"]) == (503, "unavailable") and "hub status" in body["detail"]


async def test_a_question_that_takes_too_long_is_told(hub: Hub, reader: Reader) -> None:
    from hub_api.platform.warehouse import TooExpensive

    with pytest.raises(TooExpensive, match="shorter period"):
        await reader.rows(
            "SELECT sum(cityHash64(number)) FROM numbers(100000000000)", settings={"max_execution_time": 1}
        )
