"""The wallboard's figures: gold's own, to the last unit, of events that no table has yet."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest

from hub_api.analytics.wallboard import jobs
from hub_api.analytics.wallboard.count import KPIS, built, count, live
from hub_api.chat.live import figures
from hub_api.platform.warehouse import Reader
from tests.analytics.test_kpi_api import DAYS
from tests.analytics.test_kpi_api import built as build
from tests.assets.conftest import Given
from tests.assets.story import Talk
from tests.assets.test_kpi_tables import random_events
from tests.support.data import empty
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse

TODAY = date.fromisoformat(DAYS[-1])


@pytest.fixture
async def hub(database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse) -> AsyncIterator[Hub]:
    empty(warehouse_server.url())
    async with running_hub(make_settings(database_url, redis_url, clickhouse_url=warehouse_server.url())) as running:
        yield running


def by_place(rows: list[figures.Sums]) -> dict[tuple[str, str, int], tuple[int, int]]:
    return {(one["kpi"], one["queue"], one["hour"]): (one["numerator"], one["denominator"]) for one in rows}


async def test_what_is_counted_live_is_what_gold_has_once_it_is_built(hub: Hub) -> None:
    settings = hub.services.settings
    reader = Reader(settings)
    await build(settings, *random_events(Random(4), 90))
    counted, of_gold = by_place(await live(reader, settings, TODAY)), by_place(await built(reader, settings, TODAY))
    assert counted == of_gold and {key[0] for key in counted} == set(KPIS)
    await reader.close()


async def test_what_has_just_happened_counts_at_once_and_beside_it_stands_yesterday(hub: Hub) -> None:
    settings = hub.services.settings
    before = Talk("before", f"{DAYS[1]} 10:00")
    before.customer(f"{DAYS[1]} 10:00")
    before.moves(f"{DAYS[1]} 10:01", "queued", "vendas")
    before.we(f"{DAYS[1]} 10:02", by="bia")
    await build(settings, *before.events)
    now = Talk("now", f"{DAYS[2]} 10:30")
    now.customer(f"{DAYS[2]} 10:30")
    now.moves(f"{DAYS[2]} 10:31", "queued", "vendas")
    now.we(f"{DAYS[2]} 10:34", by="bia")
    await _relayed(hub, now.events)
    told = await count(hub.services, datetime(2026, 3, 12, 14, tzinfo=UTC))
    (first,) = figures.added(told, ["vendas"])["items"][1:2]
    assert first["key"] == "first_response_time" and first["today"] == 240 and first["yesterday"] == 120
    assert first["target"] == 120 and told["hour"] == 11 and first["cases"] == 1


async def test_nps_has_a_tile_only_where_somebody_answered(hub: Hub) -> None:
    settings = hub.services.settings
    talks = [Talk(name, f"{DAYS[2]} 10:30") for name in ("asked", "graded", "hurt")]
    for talk, queue in zip(talks, ("vendas", "suporte", "vendas"), strict=True):
        talk.customer(f"{DAYS[2]} 10:30")
        talk.moves(f"{DAYS[2]} 10:31", "queued", queue)
        talk.rated(f"{DAYS[2]} 10:40", 5)
    await build(settings, *Talk("before", f"{DAYS[1]} 10:00").events)
    await _relayed(hub, [event for talk in talks for event in talk.events])
    moment = datetime(2026, 3, 12, 14, tzinfo=UTC)
    told = await count(hub.services, moment)
    assert "nps" not in [one["key"] for one in figures.added(told, ["vendas", "suporte"])["items"]], "nobody was asked"

    told_before = [len(talk.events) for talk in talks]
    for talk, scores in zip(talks, ([0, 10], [], [3]), strict=True):
        for minute, score in enumerate(scores):
            talk.recommends(f"{DAYS[2]} 10:5{minute}", score)
    new = [event for talk, at in zip(talks, told_before, strict=True) for event in talk.events[at:]]
    await _relayed(hub, new)
    told = await count(hub.services, moment)
    (nps,) = [one for one in figures.added(told, ["vendas", "suporte"])["items"] if one["key"] == "nps"]
    assert (nps["today"], nps["yesterday"], nps["cases"], nps["unit"]) == (0, None, 2, "points")
    assert "nps" not in [one["key"] for one in figures.added(told, ["suporte"])["items"]], (
        "nobody of this queue answered"
    )


async def test_nobody_counts_while_nobody_looks(hub: Hub) -> None:
    await jobs.look.function(hub.services)
    assert await hub.services.redis.get(figures.KEY) is None
    assert await figures.read(hub.services) is None  # whoever asks is told later
    await jobs.look.function(hub.services)
    assert (await figures.read(hub.services) or {"shown": []})["shown"][0]["key"] == KPIS[0]


async def _relayed(hub: Hub, events: list[Any]) -> None:
    """Events in the warehouse of which no table knows."""

    def write() -> None:
        given = Given(hub.services.settings)
        given(*events)
        given.warehouse.close()

    await asyncio.to_thread(write)
