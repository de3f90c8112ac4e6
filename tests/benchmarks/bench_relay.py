"""(c) The relay: events a second from PostgreSQL to ClickHouse beside row-by-row Python, and freshness under load."""

import asyncio
import statistics
import time
from uuid import uuid4

import asyncpg
import orjson

from hub_api.analytics.relay import relay_until_empty
from hub_api.events import MessageReceived
from hub_api.platform import rawevents
from hub_api.platform.clickhouse import INSERT, apply_schema, connect
from hub_api.platform.eventlog import insert_events
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import prepare_connection
from hub_api.settings import Settings
from tests.benchmarks.report import Row
from tests.benchmarks.stack import Engines, engines, running
from tests.support.hub import make_settings
from tests.support.warehouse import EmbeddedWarehouse

ROUNDS, EVENTS, BATCH, LOAD_S, LOAD_RATE = 5, 200_000, 20_000, 20, 400

FILL = """
INSERT INTO events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload)
SELECT gen_random_uuid(), 'message.received', 'message', gen_random_uuid(), 1, now(),
    jsonb_build_object('conversation_id', gen_random_uuid(), 'customer_id', gen_random_uuid(), 'message_type', 'text',
        'content', 'minha internet caiu de novo, já reiniciei o modem ' || n, 'received_at', now(), 'stale', false)
FROM generate_series(1, $1::int) AS n
"""


async def run(scale: float) -> list[Row]:
    """Medians over interleaved rounds; the longest wait of an event under steady load."""
    size = max(5_000, int(EVENTS * scale))
    with engines() as stack, EmbeddedWarehouse() as warehouse:
        settings = make_settings(stack.database_url, stack.redis_url, clickhouse_url=warehouse.url())
        await asyncio.to_thread(apply_schema, settings)
        db = await asyncpg.connect(stack.database_url)
        await prepare_connection(db)
        ours, plain = [], []
        for _ in range(ROUNDS):
            await db.execute(FILL, size)
            began = time.perf_counter()
            relayed = await relay_until_empty(settings)
            ours.append(relayed / (time.perf_counter() - began))
            plain.append(await _row_by_row(db, settings, size // 5))
        lags = await _freshness(stack, settings, db)
        await db.close()
    rate, base = statistics.median(ours), statistics.median(plain)
    return [
        Row("row-by-row Python, the same batches", f"{base:,.0f} rows/s"),
        Row("relay", f"{rate:,.0f} rows/s", rate / base, "row-by-row Python", 2.5),
        Row(
            f"freshness at {LOAD_RATE} events/s", f"median {statistics.median(lags):.2f} s  worst {max(lags):.2f} s", 5 / max(lags),
            "bar of 5 s over worst", 1.0,
        ),
    ]  # fmt: skip


async def _row_by_row(db: asyncpg.Connection, settings: Settings, size: int) -> float:
    """The usual way to the same end: a cursor, a Python list per row, the client's insert of the same batch size, into a
    table of the same columns, order and compression (without its view)."""
    client = await asyncio.to_thread(connect, settings.clickhouse_url.get_secret_value())
    table = f"raw.plain_{uuid4().hex}"
    client.command(f"CREATE TABLE {table} AS {rawevents.TABLE}")
    began, rows, sent = time.perf_counter(), [], 0
    async with db.transaction():
        async for record in db.cursor(
            "SELECT id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, created_at, "
            "coalesce(trace_id, ''), xid::text::bigint, seq, payload FROM events ORDER BY seq DESC LIMIT $1", size
        ):  # fmt: skip
            *row, payload = record.values()
            rows.append([*row, orjson.dumps(payload).decode(), 1, row[6]])
            if len(rows) == BATCH:
                client.insert(table, rows, column_names=rawevents.COLUMNS, settings=INSERT)
                sent, rows = sent + len(rows), []
    if rows:
        client.insert(table, rows, column_names=rawevents.COLUMNS, settings=INSERT)
        sent += len(rows)
    seconds = time.perf_counter() - began
    client.command(f"DROP TABLE {table}")
    client.close()
    return sent / seconds


async def _freshness(stack: Engines, settings: Settings, db: asyncpg.Connection) -> list[float]:
    """Seconds from an event's commit until a query in the warehouse sees it, while events are written steadily."""
    client = await asyncio.to_thread(connect, settings.clickhouse_url.get_secret_value())
    environment = stack.environment(HUB_CLICKHOUSE_URL=settings.clickhouse_url.get_secret_value())
    committed: dict[str, float] = {}
    lags: list[float] = []

    async def seen(ids: list[str]) -> list[str]:
        query = "SELECT toString(aggregate_id) FROM raw.events WHERE aggregate_id IN {ids:Array(UUID)}"
        return [row[0] for row in (await asyncio.to_thread(client.query, query, {"ids": ids})).result_rows]

    async def started() -> None:
        """The relay has carried an event: what follows is no matter of its start."""
        marker = uuid7()
        async with db.transaction():
            await insert_events(db, [_event(marker)])
        async with asyncio.timeout(60):
            while not await seen([str(marker)]):
                await asyncio.sleep(0.1)

    async def write() -> None:
        end = time.monotonic() + LOAD_S
        while time.monotonic() < end:
            marker = uuid7()
            async with db.transaction():
                await insert_events(db, [_event(marker)] + [_event(uuid7()) for _ in range(LOAD_RATE // 10 - 1)])
            committed[str(marker)] = time.monotonic()
            await asyncio.sleep(0.1)

    async def watch() -> None:
        end = time.monotonic() + LOAD_S + 5
        while time.monotonic() < end and (not committed or len(lags) < LOAD_S * 5):
            waiting = list(committed)
            if waiting:
                arrived = await seen(waiting)
                now = time.monotonic()
                lags.extend(now - committed.pop(marker) for marker in arrived)
            await asyncio.sleep(0.05)

    with running("relay", environment=environment):
        await started()
        await asyncio.gather(write(), watch())
    client.close()
    return lags


def _event(aggregate: object) -> MessageReceived:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    return MessageReceived(
        aggregate_id=aggregate, aggregate_version=1, occurred_at=now, conversation_id=uuid7(), customer_id=uuid7(), message_type="text",
        content="minha internet caiu", received_at=now,
    )  # fmt: skip
