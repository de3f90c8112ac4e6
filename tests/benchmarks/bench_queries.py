"""(e) Hot queries at 10 million messages in a year of partitions: text with a Zipf vocabulary, plans printed."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Any
from uuid import UUID

import asyncpg

from hub_api import maintenance
from hub_api.auth.principal import Principal
from hub_api.chat import search, statuses
from hub_api.chat.views import queries as views
from hub_api.platform.pgtypes import Connection
from hub_api.platform.postgres import create_pool
from hub_api.simulator.corpus import load_corpus
from tests.benchmarks.report import Row
from tests.benchmarks.stack import add_numbers, engines

PROGRAM = Principal("key", UUID(int=0), "bench", frozenset(), None, None)
MESSAGES, PER_CONVERSATION, MONTHS, VOCABULARY, REPEATS = 10_000_000, 10, 12, 20_000, 40
BAR_MS = 50.0

# Sentences whose words follow Zipf's law (exponent 1: word r is drawn as r = n ^ u with u uniform); a message is two of
# them, so that few messages are equal and the server needs no drawing of its own.
SENTENCES = 200_000
SAID = "INSERT INTO sentences SELECT n, said FROM unnest($1::text[]) WITH ORDINALITY AS s (said, n)"
PEOPLE = """
INSERT INTO customers (id, name, phone, created_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'Cliente ' || n, '5511' || (900000000 + n), now() - interval '1 year' FROM generate_series(1, $1::int) AS n
"""
TALKS = """
INSERT INTO conversations (id, customer_id, number_id, protocol, state, opened_at, last_customer_message_at, last_message_at, created_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(1 + n % $2), 32, '0')::uuid, (SELECT id FROM whatsapp_numbers LIMIT 1),
    lpad(n::text, 20, '0'), 'closed', at, at, at, at
FROM generate_series(1, $1::int) AS n, LATERAL (SELECT now() - interval '1 year' * (1 - n::float / $1) AS at) AS times
"""
MONTH = """
WITH written AS (
    SELECT talk, k, now() - interval '1 year' * (1 - talk::float / $5) + k * interval '1 minute' AS at
    FROM generate_series($1::int, $2::int) AS talks (talk), generate_series(1, $3::int) AS numbers (k)
)
INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, wamid, state)
SELECT gen_random_uuid(), at, lpad(to_hex(talk), 32, '0')::uuid, lpad(to_hex(1 + talk % $4), 32, '0')::uuid, 'in', 'customer', 'text',
    first.said || ' ' || second.said, 'wamid.Q' || talk || '.' || k, 'received'
FROM written
JOIN sentences first ON first.n = 1 + (talk * 7919::bigint + k * 104729) % $6
JOIN sentences second ON second.n = 1 + (talk * 15485863::bigint + k * 32452843) % $6
"""
KEYS = "INSERT INTO message_key (wamid, message_id, created_at) SELECT wamid, id, created_at FROM messages"
INDEX = "CREATE INDEX messages_search ON messages USING gin (search)"


async def run(scale: float) -> list[Row]:
    """The median and worst of repeated runs with cold and warm parameters; EXPLAIN plans go to standard output."""
    with engines() as stack:
        await add_numbers(stack, "http://127.0.0.1:1")
        pool = await create_pool(stack.database_url, size=4, name="bench")
        messages = int(MESSAGES * scale)
        began = time.monotonic()
        await fill(pool, messages)
        rows = [Row("messages loaded", f"{messages:,} in {time.monotonic() - began:,.0f} s")]
        for name, query, arguments in await _hot(pool, messages):
            rows.append(await _measure(pool, name, query, arguments))
        for name, words in (
            ("rare word", "vocab19990"),
            ("frequent word", "internet"),
            ("two words", "internet boleto"),
        ):
            rows.append(
                await _timed(
                    f"search: {name}", lambda words=words: search.search_messages(pool, PROGRAM, words, limit=50)
                )
            )
        await pool.close()
    return rows


async def fill(pool: asyncpg.Pool, messages: int) -> None:
    """So many messages over a year, ten to a conversation, five conversations to a customer."""
    talks = max(100, messages // PER_CONVERSATION)
    people = max(50, talks // 5)
    said = {word for utterance in load_corpus().utterances for word in utterance.text.lower().split() if word.isalpha()}
    frequent = ["internet", "boleto", "fatura", "sinal", "não", "minha", "plano"]
    vocabulary = [*frequent, *sorted(said - set(frequent))]
    vocabulary += [f"vocab{number}" for number in range(len(vocabulary), VOCABULARY)]
    await pool.execute(
        "SELECT ensure_partitions('messages', (now() - interval '1 year')::date, (now() + interval '1 month')::date)"
    )
    await pool.execute("DROP INDEX messages_search")
    rng, words = Random(1), vocabulary[:VOCABULARY]
    said_of = [
        " ".join(words[int(VOCABULARY ** rng.random()) - 1] for _ in range(rng.randint(2, 7))) for _ in range(SENTENCES)
    ]
    await pool.execute("CREATE UNLOGGED TABLE sentences (n bigint PRIMARY KEY, said text NOT NULL)")
    await pool.execute(SAID, said_of)
    await pool.execute("ANALYZE sentences")
    await pool.execute(PEOPLE, people)
    await pool.execute(TALKS, talks, people)
    step = -(-talks // (MONTHS * 4))
    spans = [(first, min(talks, first + step - 1)) for first in range(1, talks + 1, step)]
    places = asyncio.Semaphore(2)

    async def write(first: int, last: int) -> None:
        async with places:
            await pool.execute(MONTH, first, last, PER_CONVERSATION, people, talks, SENTENCES, timeout=3600)

    await asyncio.gather(*(write(first, last) for first, last in spans))
    await pool.execute(KEYS, timeout=3600)
    await pool.execute(INDEX, timeout=3600)
    await pool.execute("VACUUM ANALYZE messages", timeout=3600)
    await pool.execute("VACUUM ANALYZE conversations, customers, message_key", timeout=3600)


async def _hot(pool: asyncpg.Pool, messages: int) -> list[tuple[str, str, Callable[[], list[Any]]]]:
    """What the live hub asks all the time, with parameters drawn anew for each run."""
    keys = [
        tuple(row)
        for row in await pool.fetch(
            "SELECT wamid, message_id, created_at FROM message_key TABLESAMPLE SYSTEM (0.5) LIMIT 5000"
        )
    ]
    talks = max(100, messages // PER_CONVERSATION)
    turn = iter(range(10**9))

    def talk() -> UUID:
        return UUID(int=1 + next(turn) * 7919 % talks)

    def some(count: int) -> list[tuple[Any, ...]]:
        start = next(turn) * count % max(1, len(keys) - count)
        return keys[start : start + count]

    return [
        ("newest messages of a conversation", views.list_messages, lambda: [talk(), None, None, 50, None, None]),
        ("conversations, newest first", views.list_conversations, lambda: [None, None, None, None, None, None, 50]),
        (
            "conversations of a customer",
            views.list_conversations,
            lambda: [None, None, None, UUID(int=1 + next(turn) % (talks // 5)), None, None, 50],
        ),
        ("customer by phone", views.find_by_phone, lambda: [None, None, f"5511{900000000 + next(turn) % 1000}"]),
        ("200 wamids of statuses", statuses.queries.find_keys, lambda: [[key[0] for key in some(200)]]),
        (
            "200 messages locked for statuses",
            statuses.queries.lock_messages,
            lambda: [[k[1] for k in some(200)], [k[2] for k in some(200)]],
        ),
        ("what waits (sweep, every 2 s)", maintenance.queries.waiting_work, list),
        ("gauges (every 5 s)", maintenance.queries.gauges, list),
    ]


async def _print_plan(db: Connection, name: str, query: str, arguments: Iterable[Any]) -> None:
    plan = await db.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {query}", *arguments)
    print(f"\n-- {name}\n" + "\n".join(row[0] for row in plan[:12]))


async def _measure(pool: asyncpg.Pool, name: str, query: str, arguments: Callable[[], list[Any]]) -> Row:
    async with pool.acquire() as db, db.transaction():
        await _print_plan(db, name, query, arguments())
        statement = await db.prepare(query)
        return await _timed(name, lambda: statement.fetch(*arguments()))


async def _timed(name: str, ask: Callable[[], Awaitable[Any]]) -> Row:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1000)
    p95 = sorted(times)[int(REPEATS * 0.95)]
    figure = f"median {statistics.median(times):.1f} ms  p95 {p95:.1f}  worst {max(times):.1f}"
    return Row(name, figure, BAR_MS / p95, f"bar of {BAR_MS:.0f} ms over p95", 1.0)
