"""(d) The sender: calls a second of one worker process against the simulator, beside the same client flat out; what a
pool of 10, 100 and 1,000 numbers costs; the pace of 100 numbers at 20 a second. What it costs in CPU and memory: bench_pool."""

import asyncio
import statistics
import time
from datetime import UTC, datetime
from uuid import uuid4

import aiohttp
import asyncpg

from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.whatsapp.send.pace import pace_of
from tests.benchmarks.report import Row
from tests.benchmarks.simulator_process import NUMBERS
from tests.benchmarks.stack import Engines, add_numbers, engines, ring, running, simulating
from tests.support.hub import make_settings

ROUNDS, MESSAGES, IN_FLIGHT = 5, 6_000, 64
POOLS = (10, 100, NUMBERS)
PACED_NUMBERS, PACED_MPS, PACED_S = 100, 20, 10

# $1 people, $2 offset of their phones, $3 over so many numbers
QUEUE = """
WITH number AS (
    SELECT id, row_number() OVER (ORDER BY phone_number_id) - 1 AS place FROM whatsapp_numbers
), people AS (
    INSERT INTO customers (id, name, phone, shard_id)
    SELECT gen_random_uuid(), 'Cliente ' || n, '55' || (11900000000 + $2 + n), n % 8 FROM generate_series(1, $1) AS n
    RETURNING id, phone, shard_id
), identities AS (
    INSERT INTO customer_identities (id, customer_id, kind, value)
    SELECT gen_random_uuid(), id, kind, phone FROM people CROSS JOIN (VALUES ('wa_id'), ('phone')) AS kinds (kind)
), talks AS (
    INSERT INTO conversations (id, customer_id, number_id, protocol, opened_at, last_customer_message_at, state)
    SELECT gen_random_uuid(), p.id, n.id, next_protocol(now(), 'UTC'), now(), now(), 'assigned'
    FROM people p JOIN number n ON n.place = right(p.phone, 9)::int % $3
    RETURNING id, customer_id, number_id
)
INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, type, content, payload, state, category,
    priority, shard)
SELECT gen_random_uuid(), now(), t.id, t.customer_id, t.number_id, 'out', 'campaign', 'text', 'Tudo certo por aqui.',
    '{"type": "text", "text": {"body": "Tudo certo por aqui."}}', 'queued', 'utility', 2, p.shard_id
FROM talks t JOIN people p ON p.id = t.customer_id
"""


async def run(scale: float) -> list[Row]:
    """Medians over interleaved rounds."""
    size = max(500, int(MESSAGES * scale))
    with engines() as stack, simulating() as url:
        await add_numbers(stack, url, NUMBERS)
        environment = stack.environment(HUB_META_BASE_URL=url, HUB_SEND_CONCURRENCY=str(IN_FLIGHT))
        bare: list[float] = []
        ours: dict[int, list[float]] = {fleet: [] for fleet in (1, *POOLS)}
        with (
            running("worker", "--queues", "outbound,maintenance", environment=environment),
            running("scheduler", environment=environment),
        ):
            db = await asyncpg.connect(stack.database_url)
            people = iter(range(0, 100_000_000, 1_000_000))
            await _drain(stack, db, size // 4, next(people), 1)
            for _ in range(ROUNDS):
                bare.append(await _flat_out(url, size, next(people)))
                for fleet, rates in ours.items():
                    rates.append(await _drain(stack, db, size, next(people), fleet))
            used = await _pool_share(stack, db, next(people), scale)
            twice = await _accepted_twice(url)
            await db.close()
    return [*_rows(bare, ours, twice), used]


def _rows(bare: list[float], ours: dict[int, list[float]], twice: int) -> list[Row]:
    limit, one = statistics.median(bare), statistics.median(ours[1])
    note = f"accepted twice: {twice}"
    rows = [
        Row(f"bare aiohttp client, {IN_FLIGHT} in flight", f"{limit:,.0f}/s"),
        Row("hub sender, one worker process", f"{one:,.0f}/s", one / limit, "bare client", 0.5, note),
    ]
    for fleet in POOLS:
        rate = statistics.median(ours[fleet])
        rows.append(Row(f"  over {fleet:,} numbers", f"{rate:,.0f}/s", rate / one, "one number"))
    return rows


async def _queue(db: asyncpg.Connection, size: int, offset: int, fleet: int) -> None:
    await db.execute(QUEUE, size, offset, fleet)
    await db.execute("ANALYZE messages, conversations, customers, customer_identities")


async def _drain(stack: Engines, db: asyncpg.Connection, size: int, offset: int, fleet: int) -> float:
    """Queue `size` messages over `fleet` numbers, each to its own customer, and time from then until every one is
    recorded as accepted."""
    await _queue(db, size, offset, fleet)
    began = datetime.now(UTC)
    await ring(stack, *(("whatsapp.send.jobs.drain_outbox", (shard,)) for shard in range(8)))
    # Looked at seldom and timed by the records themselves: counting every 20 ms took a quarter of a core.
    while await db.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE not_before IS NULL)"):
        await asyncio.sleep(0.25)
    seconds = (await db.fetchval("SELECT max(accepted_at) FROM messages") - began).total_seconds()
    failed = await db.fetchval("SELECT count(*) FROM messages WHERE state IN ('failed', 'unknown', 'cancelled')")
    assert not failed, f"{failed} messages were not sent"
    return size / seconds


async def _pool_share(stack: Engines, db: asyncpg.Connection, offset: int, scale: float) -> Row:
    """How much of what bulk may use 100 numbers at 20 a second use, in the middle of a run."""
    usable = PACED_NUMBERS * pace_of(PACED_MPS, make_settings("postgresql://", "redis://").reply_headroom).main
    seconds = max(3.0, PACED_S * scale)
    await db.execute("UPDATE whatsapp_numbers SET throughput_mps = $1", PACED_MPS)
    await _queue(db, int(usable * (seconds + 3)), offset, PACED_NUMBERS)
    began = datetime.now(UTC)
    await ring(stack, *(("whatsapp.send.jobs.drain_outbox", (shard,)) for shard in range(8)))
    await asyncio.sleep(1.5 + seconds + 0.5)
    accepted = await db.fetchval(
        "SELECT count(*) FROM messages WHERE accepted_at >= $1::timestamptz + interval '1.5 s' "
        "AND accepted_at < $1::timestamptz + interval '1.5 s' + $2 * interval '1 s'",
        began,
        seconds,
    )
    await db.execute("UPDATE whatsapp_numbers SET throughput_mps = 100000")
    rate = accepted / seconds
    what = f"{PACED_NUMBERS} numbers at {PACED_MPS}/s, one worker process"
    return Row(what, f"{rate:,.0f}/s", rate / usable, "limit − reply headroom", 0.9)


async def _flat_out(simulator_url: str, size: int, offset: int) -> float:
    """The same calls, each to its own customer as well, by the same client library with no hub around it."""
    url, left = f"{simulator_url}/v26.0/{PHONE_NUMBER_ID}/messages", iter(range(size))
    headers = {"Authorization": "Bearer sim-token"}

    async def send(session: aiohttp.ClientSession) -> None:
        for number in left:
            body = {
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": f"+55{11900000000 + offset + number}", "type": "text",
                "text": {"body": "Tudo certo por aqui."}, "biz_opaque_callback_data": f"{uuid4().hex}.1",
            }  # fmt: skip
            async with session.post(url, json=body) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()

    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(send(session) for _ in range(IN_FLIGHT)))
        return size / (time.perf_counter() - began)


async def _accepted_twice(simulator_url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{simulator_url}/_sim/accepted") as answer:
        return len((await answer.json())["more_than_once"])
