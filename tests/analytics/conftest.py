"""What the tests of the relay share: events written in transactions that the test controls."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from hub_api.analytics.relay import turn
from hub_api.events import CustomerCreated
from hub_api.platform.clickhouse import connect
from hub_api.platform.eventlog import insert_events
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import prepare_connection
from hub_api.settings import Settings


async def session(settings: Settings) -> asyncpg.Connection:
    """A session of the hub's database that knows jsonb."""
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    await prepare_connection(db)
    return db


async def write(db: asyncpg.Connection, count: int = 1) -> None:
    """Write `count` events in the session's transaction, or in one of its own."""
    now = datetime.now(UTC)
    await insert_events(
        db,
        [
            CustomerCreated(aggregate_id=uuid7(), aggregate_version=1, occurred_at=now, state_code="SP")
            for _ in range(count)
        ],
    )


async def step(settings: Settings, batch_rows: int = 20_000) -> int:
    """One turn of the relay with one batch, as a process that starts and dies at once."""
    async with turn(settings, asyncio.Event(), batch_rows=batch_rows) as relay:
        return await relay.step()


def warehouse_ids(settings: Settings) -> list[str]:
    """Ids in raw.events in the order of the relay, duplicates included."""
    client = connect(settings.clickhouse_url)
    try:
        rows = client.query("SELECT toString(id) FROM raw.events ORDER BY batch, xid, seq").result_rows
        return [row[0] for row in rows]
    finally:
        client.close()


async def postgres_ids(settings: Settings) -> list[str]:
    """Ids of all committed events in the order of their transactions."""
    db = await session(settings)
    try:
        return [row[0] for row in await db.fetch("SELECT id::text FROM events ORDER BY xid, seq")]
    finally:
        await db.close()


@pytest.fixture
async def db(data_settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A session of this test's database."""
    connection = await session(data_settings)
    yield connection
    await connection.close()
