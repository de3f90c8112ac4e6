"""Scenario 34: the warehouse is killed in the middle of a sync. PostgreSQL does not notice, and nothing is lost or doubled."""

import asyncio
from collections.abc import Iterator
from functools import partial

import asyncpg
import pytest

from hub_api.analytics.relay import serve
from hub_api.platform.clickhouse import connect
from hub_api.settings import Settings
from tests.analytics.conftest import postgres_ids, session, warehouse_ids, write
from tests.support.data import data_settings_for, warehouse_with_schema
from tests.support.waiting import eventually
from tests.support.warehouse import EmbeddedWarehouse


@pytest.fixture
def own_warehouse() -> Iterator[EmbeddedWarehouse]:
    with warehouse_with_schema() as server:
        yield server


@pytest.fixture
def data_settings(database_url: str, own_warehouse: EmbeddedWarehouse) -> Settings:
    return data_settings_for(database_url, own_warehouse.url())


async def test_a_warehouse_killed_three_times_ends_with_every_event_once(
    data_settings: Settings, own_warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.analytics.relay.BATCH_ROWS", 500)
    writer = await session(data_settings)
    stop, written = asyncio.Event(), asyncio.Event()

    async def load() -> None:
        while not written.is_set():
            await write(writer, 200)  # PostgreSQL goes on, whatever the warehouse does
            await asyncio.sleep(0.02)

    loading, relaying = asyncio.create_task(load()), asyncio.create_task(serve(data_settings, stop))
    for _ in range(3):
        await eventually(lambda: _relayed_more(data_settings), timeout_s=60)
        await asyncio.to_thread(own_warehouse.kill9)
        before = await _count(data_settings)
        await eventually(partial(_more_events, data_settings, before))
        await asyncio.to_thread(own_warehouse.start)
    written.set()
    await loading
    expected = await postgres_ids(data_settings)
    await eventually(lambda: len(warehouse_ids(data_settings)) == len(expected), timeout_s=60)
    stop.set()
    await relaying
    await writer.close()
    assert warehouse_ids(data_settings) == expected
    client = connect(data_settings.clickhouse_url)
    assert client.query("SELECT sum(events) FROM raw.events_by_period").result_rows == [(len(expected),)]
    client.close()


async def _count(settings: Settings) -> int:
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return await db.fetchval("SELECT count(*) FROM events")
    finally:
        await db.close()


async def _more_events(settings: Settings, than: int) -> bool:
    return await _count(settings) > than + 200


async def _relayed_more(settings: Settings) -> bool:
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        row = await db.fetchrow("SELECT relayed_count, pending_xid FROM relay_cursor")
    finally:
        await db.close()
    return row is not None and row["relayed_count"] > 500 and row["pending_xid"] is not None
