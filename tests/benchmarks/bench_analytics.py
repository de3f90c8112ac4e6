"""(i) Key figures at 10 million messages of a million conversations in a year: what the API asks, beside a plain query written by
hand on the same table, and beside the same SQL in PostgreSQL on the same rows."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
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
TABLES = """
CREATE UNLOGGED TABLE facts (day date, conversation_id uuid, queue text, agent_id uuid, opened_at timestamptz, first_response_seconds float8);
CREATE UNLOGGED TABLE said (day date, conversation_id uuid, queue text, direction text, is_accepted boolean, is_delivered boolean);
"""
INDEXES = "CREATE INDEX ON facts (day); CREATE INDEX ON said (day); ANALYZE facts; ANALYZE said"
COPIED = {
    "facts": "SELECT day, conversation_id, queue, agent_id, opened_at, first_response_seconds FROM gold.conversation_facts WHERE day BETWEEN {first:Date} AND {last:Date}",
    "said": "SELECT day, conversation_id, queue, direction, is_accepted, is_delivered FROM gold.message_facts WHERE day BETWEEN {first:Date} AND {last:Date}",
}
RESPONSE = """
SELECT count(*), 0.000001 * sum(round(first_response_seconds * 1e6)) / count(*) FROM {table}
WHERE day BETWEEN '{first}' AND '{last}' AND queue IN ('suporte', 'vendas') AND first_response_seconds IS NOT NULL
"""
DELIVERY = """
SELECT count(*), 1.0 * sum(CASE WHEN is_delivered THEN 1 ELSE 0 END) / count(*) FROM {table}
WHERE day BETWEEN '{first}' AND '{last}' AND queue IN ('suporte', 'vendas') AND direction = 'out' AND is_accepted
"""
BEHIND = """
SELECT conversation_id, min(opened_at) AS at, sum(round(first_response_seconds * 1e6)) AS numerator FROM {table}
WHERE day BETWEEN '{first}' AND '{last}' AND queue IN ('suporte', 'vendas') AND first_response_seconds IS NOT NULL
GROUP BY conversation_id ORDER BY at DESC, conversation_id DESC LIMIT 51
"""

Ask = Callable[[], Awaitable[Any]]


async def run(scale: float) -> list[Row]:
    """Milliseconds of each question as the API asks it, with its ratios to the hand-written query and to PostgreSQL."""
    messages = int(MESSAGES * scale)
    with engines() as stack, EmbeddedWarehouse() as warehouse:
        settings = make_settings(stack.database_url, stack.redis_url, clickhouse_url=warehouse.url())
        await asyncio.to_thread(apply_schema, settings)
        reader = Reader(settings)
        try:
            tenth, _ = await _filled(reader, warehouse, messages // 10)
            whole, seconds = await _filled(reader, warehouse, messages)
            db = await _copied(stack, warehouse.url())
            rows = [
                Row(
                    f"{messages:,} messages, {messages // PER_CONVERSATION:,} conversations in {DAYS} days",
                    f"made in {seconds:,.0f} s",
                    note=f"{messages / seconds:,.0f} messages/s by INSERT … SELECT FROM numbers()",
                )
            ]
            try:
                for days in (30, DAYS):
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
    """The same rows in PostgreSQL, with the indexes that one would make."""
    db = await asyncpg.connect(stack.database_url)
    await db.execute(TABLES)
    client = connect(url, timeout_s=3600)
    for table, sql in COPIED.items():
        for start in range(0, DAYS, 30):
            rows = await asyncio.to_thread(
                client.raw_query,
                sql,
                parameters={"first": FIRST + timedelta(days=start), "last": FIRST + timedelta(days=start + 29)},
                settings={"max_result_rows": 0},
                fmt="TabSeparated",
            )
            if rows:
                await db.copy_to_table(table, source=_pieces(rows), format="text", timeout=600)
    client.close()
    await db.execute(INDEXES, timeout=3600)
    return db


async def _pieces(rows: bytes) -> Any:
    yield rows


async def _compared(reader: Reader, db: asyncpg.Connection, days: int, *, floor: float | None) -> list[Row]:
    """Beside the query by hand and PostgreSQL, which is as quick while everything fits its memory: the floor is of the full size."""
    last = FIRST + timedelta(days=DAYS - 1)
    filter_ = Filter(last - timedelta(days=days - 1), last, {"queue": ["suporte", "vendas"]})
    bounds = {"first": filter_.first, "last": filter_.last}
    kpis, shown = catalogue().kpis, []
    for name, sql, tables, ours in (
        ("first response", RESPONSE, ("gold.conversation_facts", "facts"), lambda: ask.figure(reader, kpis["first_response_time"], filter_)),
        ("delivery rate", DELIVERY, ("gold.message_facts", "said"), lambda: ask.figure(reader, kpis["delivery_rate"], filter_)),
        ("drill-down, first page", BEHIND, ("gold.conversation_facts", "facts"), lambda: ask.conversations(
            reader, ask.Cases.of(kpis["first_response_time"]), filter_, order="newest", limit=50, cursor=None)),
    ):  # fmt: skip
        by_hand, in_postgres = sql.format(table=tables[0], **bounds), sql.format(table=tables[1], **bounds)
        await _same(reader, db, by_hand, in_postgres)
        times = await _interleaved(
            [ours, lambda sql=by_hand: reader.rows(sql), lambda sql=in_postgres: db.fetch(sql, timeout=600)]
        )
        api, plain, postgres = (statistics.median(one) for one in times)
        shown += [
            Row(f"{name}, {days} days", f"{api:.0f} ms", plain / api, f"by hand in ClickHouse, {plain:.0f} ms"),
            Row(f"{name}, {days} days", f"{api:.0f} ms", postgres / api, f"PostgreSQL, {postgres:.0f} ms", floor),
        ]
    return shown


async def _same(reader: Reader, db: asyncpg.Connection, by_hand: str, in_postgres: str) -> None:
    """Figures are compared only if they are equal."""
    here, there = await reader.rows(by_hand), await db.fetch(in_postgres, timeout=600)
    if len(here) == 1 and [round(float(v), 6) for v in here[0].values()] != [
        round(float(v), 6) for v in there[0].values()
    ]:
        raise RuntimeError(f"ClickHouse and PostgreSQL disagree: {here[0]} and {dict(there[0])}")


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
