"""(i) Key figures at 10 million messages of a million conversations in a year: what the API asks, beside a plain query written by
hand on the same table, and beside the same SQL in PostgreSQL on the same table: every row, every column, an index on the day.

PostgreSQL has all of it in memory and two workers for each query. The floor is of the same SQL in both engines, for the
questions of a dashboard together, of a period that dashboards are opened with (30 and 90 days) or of a year, as they stand on
one page. What the API adds (its own SQL, HTTP) stands beside it.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from hub_api.analytics import ask
from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.filters import Filter
from hub_api.platform.clickhouse import BACKFILL, apply_schema, connect
from hub_api.platform.warehouse import Reader
from tests.benchmarks.report import Row, peak_memory
from tests.benchmarks.stack import Engines, engines
from tests.support.hub import make_settings
from tests.support.warehouse import EmbeddedWarehouse

MESSAGES, PER_CONVERSATION, DAYS, ROUNDS = 10_000_000, 10, 365, 7
FIRST = date(2025, 7, 1)
BAR_MS = 1000.0
FACTS = """
INSERT INTO gold.conversation_facts (day, conversation_id, customer_id, number_id, channel, queue, agent_id, state, opened_at,
    first_response_seconds, messages_in, messages_out, is_resolved, hour, state_code, region, satisfaction, queued_at, resolved_at)
SELECT
    toDate('2025-07-01') + intDiv(number * {days:UInt32}, {talks:UInt64}) AS day,
    reinterpretAsUUID(toFixedString(reinterpretAsString(number + 1), 16)) AS conversation_id,
    reinterpretAsUUID(toFixedString(reinterpretAsString(cityHash64(number) % {talks:UInt64} + 1), 16)) AS customer_id,
    reinterpretAsUUID(toFixedString(reinterpretAsString(cityHash64(number, 1) % 20 + 1), 16)),
    'whatsapp', ['', 'suporte', 'vendas', 'financeiro', 'retencao'][cityHash64(number, 2) % 5 + 1],
    reinterpretAsUUID(toFixedString(reinterpretAsString(cityHash64(number, 3) % 200 + 1), 16)),
    'resolved', toDateTime64(day, 6, 'UTC') + cityHash64(number, 4) % 86400 AS opened_at, if(cityHash64(number, 5) % 5 = 0, NULL, cityHash64(number, 6) % 600),
    5, 5, cityHash64(number, 7) % 10 > 0, toStartOfHour(opened_at), ['SP', 'RJ', 'MG', 'BA'][cityHash64(number, 8) % 4 + 1], 'Sudeste',
    if(cityHash64(number, 9) % 4 = 0, cityHash64(number, 10) % 5 + 1, NULL), opened_at, opened_at
FROM numbers({from:UInt64}, {count:UInt64})
"""
SAID = """
INSERT INTO gold.message_facts (day, hour, message_id, conversation_id, customer_id, number_id, direction, author, queue, channel, type,
    category, sent_at, state, counts, is_accepted, is_delivered, is_read, is_failed)
SELECT
    facts.day, facts.hour, generateUUIDv4(n), conversation_id, customer_id, number_id, if(n % 2, 'out', 'in') AS direction, 'agent', queue, channel,
    'text', if(n % 2, ['service', 'utility', 'marketing'][cityHash64(conversation_id, n) % 3 + 1], ''), facts.opened_at + n, 'read', true, true,
    cityHash64(conversation_id, n, 1) % 20 > 0 AS delivered, delivered AND cityHash64(conversation_id, n, 2) % 3 > 0, NOT delivered
FROM (SELECT * FROM gold.conversation_facts WHERE day BETWEEN {from:Date} AND {to:Date}) AS facts
ARRAY JOIN range({each:UInt8}) AS n
"""
# A table of PostgreSQL has the columns of the warehouse's, in their order.
KINDS = {
    "Date": "date", "UUID": "uuid", "String": "text", "Bool": "boolean", "Float64": "float8", "DateTime": "timestamptz",
    "UInt8": "int", "UInt16": "int", "Int16": "int", "UInt32": "bigint", "Int32": "int", "Int64": "bigint", "UInt64": "bigint",
}  # fmt: skip
COPIED = ("conversation_facts", "message_facts")
# As a server that analytics are asked of would be set up: as many workers as cores, a page's sorts and hashes in memory.
POSTGRES = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "effective_cache_size": "12GB",
    "jit": "on",
    "max_parallel_workers_per_gather": "2",
}
WHO = "day BETWEEN '{first}' AND '{last}' AND queue IN ('suporte', 'vendas')"
RESPONSE = """
SELECT count(*), 0.000001 * sum(round(first_response_seconds * 1e6)) / count(*) FROM {gold}conversation_facts
WHERE {who} AND first_response_seconds IS NOT NULL
"""
DELIVERY = """
SELECT count(*), 1.0 * sum(CASE WHEN is_delivered THEN 1 ELSE 0 END) / count(*) FROM {gold}message_facts
WHERE {who} AND direction = 'out' AND is_accepted
"""
BY_DAY = """
SELECT day, count(*), sum(CASE WHEN is_delivered THEN 1 ELSE 0 END) FROM {gold}message_facts
WHERE {who} AND direction = 'out' AND is_accepted GROUP BY day ORDER BY day
"""
BY_QUEUE = """
SELECT queue, count(*), sum(CASE WHEN is_delivered THEN 1 ELSE 0 END) FROM {gold}message_facts
WHERE {who} AND direction = 'out' AND is_accepted GROUP BY queue ORDER BY count(*) DESC, queue
"""
MESSAGES_TALKED = """
SELECT count(*), count(DISTINCT conversation_id) FROM {gold}message_facts WHERE {who} AND counts
"""
BEHIND = """
SELECT conversation_id, min(opened_at) AS at, sum(round(first_response_seconds * 1e6)) AS numerator FROM {gold}conversation_facts
WHERE {who} AND first_response_seconds IS NOT NULL
GROUP BY conversation_id ORDER BY at DESC, conversation_id DESC LIMIT 51
"""

Ask = Callable[[], Awaitable[Any]]


async def run(scale: float) -> list[Row]:
    """Milliseconds of each question as the API asks it, with its ratios to the hand-written query and to PostgreSQL."""
    messages = int(MESSAGES * scale)
    with engines(**POSTGRES) as stack, EmbeddedWarehouse() as warehouse:
        settings = make_settings(stack.database_url, stack.redis_url, clickhouse_url=warehouse.url())
        await asyncio.to_thread(apply_schema, settings)
        reader = Reader(settings)
        try:
            tenth, _ = await _filled(reader, warehouse, messages // 10)
            whole, seconds = await _filled(reader, warehouse, messages)
            began = time.monotonic()
            db = await _copied(stack, warehouse.url())
            copied = time.monotonic() - began
            rows = [
                Row(
                    f"{messages:,} messages, {messages // PER_CONVERSATION:,} conversations in {DAYS} days",
                    f"made in {seconds:,.0f} s",
                    note=f"{messages / seconds:,.0f} messages/s by INSERT … SELECT FROM numbers()",
                ),
                Row("the same two tables in PostgreSQL", f"copied in {copied:,.0f} s", note=await _sizes(reader, db)),
            ]
            try:
                for days in (30, 90, DAYS):
                    rows += await _compared(reader, db, days, floor=5.0 if messages >= MESSAGES else None)
            finally:
                await db.close()
        finally:
            await reader.close()
        rows += [_grown(name, ms, tenth[name], messages) for name, ms in whole.items()]
        if warehouse.process:
            rows.append(Row("memory of the engine at its highest", peak_memory(warehouse.process.pid)))
    return rows


async def _filled(reader: Reader, warehouse: EmbeddedWarehouse, messages: int) -> tuple[dict[str, float], float]:
    """Milliseconds of what a dashboard asks when there are so many messages, and the seconds of making them."""
    began = time.monotonic()
    await asyncio.to_thread(_fill, warehouse.url(), messages)
    seconds = time.monotonic() - began
    return await _others(reader), seconds


def _grown(name: str, ms: float, of_tenth: float, messages: int) -> Row:
    return Row(
        name, f"{ms:.0f} ms", BAR_MS / ms, f"bar of {BAR_MS:.0f} ms", 1.0,
        f"{ms / of_tenth:.1f} × that of a tenth of the messages; {messages / ms * 1000:,.0f} messages/s",
    )  # fmt: skip


def _fill(url: str, messages: int) -> None:
    talks = messages // PER_CONVERSATION
    client = connect(url, BACKFILL, timeout_s=3600)
    for table in ("conversation_facts", "message_facts"):
        client.command(f"TRUNCATE TABLE gold.{table}")
    for start in range(0, talks, 200_000):
        client.command(
            FACTS, parameters={"days": DAYS, "talks": talks, "from": start, "count": min(200_000, talks - start)}
        )
    for start in range(0, DAYS, 30):
        days = {"from": FIRST + timedelta(days=start), "to": FIRST + timedelta(days=min(start + 29, DAYS - 1))}
        client.command(SAID, parameters={**days, "each": PER_CONVERSATION})
    client.close()


async def _copied(stack: Engines, url: str) -> asyncpg.Connection:
    """The same tables in PostgreSQL, whole, with the indexes that one would make; analysed and without dead rows."""
    db = await asyncpg.connect(stack.database_url)
    client = connect(url, timeout_s=3600)
    for table in COPIED:
        told = await asyncio.to_thread(client.query, f"SELECT name, type FROM system.columns WHERE database = 'gold' AND table = '{table}' ORDER BY position")  # fmt: skip
        columns = ", ".join(f'"{name}" {_kind(kind)}' for name, kind in told.result_rows)
        await db.execute(f"CREATE UNLOGGED TABLE {table} ({columns})")
        for start in range(0, DAYS, 15):
            days = {"first": FIRST + timedelta(days=start), "last": FIRST + timedelta(days=start + 14)}
            sql = f"SELECT * FROM gold.{table} WHERE day BETWEEN {{first:Date}} AND {{last:Date}} ORDER BY day"
            rows = await asyncio.to_thread(
                client.raw_query, sql, parameters=days, settings={"max_result_rows": 0}, fmt="TabSeparated"
            )
            if rows:
                await db.copy_to_table(table, source=_pieces(rows), format="text", timeout=600)
        await db.execute(f"CREATE INDEX ON {table} (day)", timeout=3600)
        await db.execute(f"VACUUM ANALYZE {table}", timeout=3600)
    client.close()
    return db


async def _sizes(reader: Reader, db: asyncpg.Connection) -> str:
    """Gigabytes of both tables, with PostgreSQL's indexes."""
    ours = await reader.rows(
        "SELECT sum(bytes_on_disk) / 1e9 AS gb FROM system.parts WHERE active AND database = 'gold'"
    )
    theirs = await db.fetchval(
        "SELECT sum(pg_total_relation_size(one::regclass)) / 1e9 FROM unnest($1::text[]) one", list(COPIED)
    )
    return f"{theirs:.1f} GB there, {ours[0]['gb']:.1f} GB here"


def _kind(kind: str) -> str:
    """The type in PostgreSQL of a column of the warehouse."""
    for wrapper in ("LowCardinality(", "Nullable("):
        if kind.startswith(wrapper):
            return _kind(kind.removeprefix(wrapper)[:-1])
    return KINDS["DateTime" if kind.startswith("DateTime") else kind]


async def _pieces(rows: bytes) -> Any:
    yield rows


async def _compared(reader: Reader, db: asyncpg.Connection, days: int, *, floor: float | None) -> list[Row]:
    """Each question by hand, in PostgreSQL and as the API asks, then all of them together as on one page, which has the floor."""
    last = FIRST + timedelta(days=DAYS - 1)
    filter_ = Filter(last - timedelta(days=days - 1), last, {"queue": ["suporte", "vendas"]})
    who, kpis, shown = WHO.format(first=filter_.first, last=filter_.last), catalogue().kpis, []
    pages = [0.0, 0.0, 0.0]
    for name, sql, ours in (
        ("first response", RESPONSE, lambda: ask.figure(reader, kpis["first_response_time"], filter_)),
        ("delivery rate", DELIVERY, lambda: ask.figure(reader, kpis["delivery_rate"], filter_)),
        ("delivery rate by day", BY_DAY, lambda: ask.series(reader, kpis["delivery_rate"], filter_, "day")),
        ("delivery rate by queue", BY_QUEUE, lambda: ask.breakdown(
            reader, kpis["delivery_rate"], filter_, "queue", limit=100, zone="America/Sao_Paulo")),
        ("messages and their conversations", MESSAGES_TALKED, lambda: ask.total(reader, ask.Cases.of(kpis["messages"]), filter_)),
        ("drill-down, first page", BEHIND, lambda: ask.conversations(
            reader, ask.Cases.of(kpis["first_response_time"]), filter_, order="newest", limit=50, cursor=None)),
    ):  # fmt: skip
        by_hand, in_postgres = sql.format(gold="gold.", who=who), sql.format(gold="", who=who)
        await _same(reader, db, by_hand, in_postgres)
        times = await _interleaved(
            [ours, lambda sql=by_hand: reader.rows(sql), lambda sql=in_postgres: db.fetch(sql, timeout=600)]
        )
        api, plain, postgres = (statistics.median(one) for one in times)
        pages = [page + one for page, one in zip(pages, (api, plain, postgres), strict=True)]
        shown += _beside(f"{name}, {days} days", api, plain, postgres, None)
    return shown + _beside(f"all six, a page of {days} days", *pages, floor)


def _beside(what: str, api: float, plain: float, postgres: float, floor: float | None) -> list[Row]:
    return [
        Row(what, f"by hand {plain:.0f} ms", postgres / plain, f"the same SQL in PostgreSQL, {postgres:.0f} ms", floor),
        Row(what, f"as the API asks {api:.0f} ms", plain / api, "by hand", note=f"beside PostgreSQL: {postgres / api:.2f}"),
    ]  # fmt: skip


async def _same(reader: Reader, db: asyncpg.Connection, by_hand: str, in_postgres: str) -> None:
    """Figures are compared only if they are equal."""
    here, there = await reader.rows(by_hand), await db.fetch(in_postgres, timeout=600)
    ours, theirs = [_plain(row.values()) for row in here], [_plain(row.values()) for row in there]
    if ours != theirs:
        raise RuntimeError(f"ClickHouse and PostgreSQL disagree: {ours[:3]} and {theirs[:3]}")


def _plain(values: Any) -> list[Any]:
    """Numbers to six digits after the point; ids, days and words as they are; moments left out, whose zones differ."""
    return [round(float(one), 6) if isinstance(one, int | float | Decimal) else str(one) for one in values if not isinstance(one, datetime)]  # fmt: skip


async def _others(reader: Reader) -> dict[str, float]:
    """Median milliseconds of what a dashboard asks of a whole year."""
    last = FIRST + timedelta(days=DAYS - 1)
    year, kpis, found = Filter(FIRST, last), catalogue().kpis, {}
    for name, question in (
        ("first response with quantiles, a year", lambda: ask.figure(reader, kpis["first_response_time"], year)),
        ("first contact resolution, a year", lambda: ask.figure(reader, kpis["first_contact_resolution"], year)),
        ("delivery rate by queue, a year", lambda: ask.breakdown(reader, kpis["delivery_rate"], year, "queue", limit=100, zone="America/Sao_Paulo")),
        ("delivery rate by day, a year", lambda: ask.series(reader, kpis["delivery_rate"], year, "day")),
        ("drill-down page of a year", lambda: ask.conversations(
            reader, ask.Cases.of(kpis["first_response_time"]), year, order="newest", limit=50, cursor=None)),
        ("drill-down total of all messages, a year", lambda: ask.total(reader, ask.Cases.of(kpis["messages"]), year)),
        ("service funnel, a year", lambda: ask.funnel(reader, catalogue().funnels["service"], year)),
    ):  # fmt: skip
        (times,) = await _interleaved([question])
        found[name] = statistics.median(times)
    return found


async def _interleaved(questions: list[Ask]) -> list[list[float]]:
    """Milliseconds of each question, asked in turns."""
    times: list[list[float]] = [[] for _ in questions]
    for round_ in range(ROUNDS + 1):
        for place, question in enumerate(questions):
            began = time.perf_counter()
            await question()
            if round_:  # the first warms the caches of all
                times[place].append((time.perf_counter() - began) * 1000)
    return times
