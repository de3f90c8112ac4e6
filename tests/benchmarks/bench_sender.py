"""(d) The sender: calls a second of one worker process against the simulator, beside the same client flat out."""

import asyncio
import statistics
import time
from datetime import UTC, datetime

import aiohttp
import asyncpg

from hub_api.simulator.config import PHONE_NUMBER_ID
from tests.benchmarks.report import Row
from tests.benchmarks.stack import Engines, engines, ring, running, simulating
from tests.support.hub import make_settings

ROUNDS, MESSAGES, IN_FLIGHT = 5, 6_000, 64

QUEUE = """
WITH people AS (
    INSERT INTO customers (id, name, phone, shard_id)
    SELECT gen_random_uuid(), 'Cliente ' || n, '5511' || (970000000 + $2 + n), n % 8 FROM generate_series(1, $1) AS n
    RETURNING id, phone, shard_id
), identities AS (
    INSERT INTO customer_identities (id, customer_id, kind, value)
    SELECT gen_random_uuid(), id, kind, phone FROM people CROSS JOIN (VALUES ('wa_id'), ('phone')) AS kinds (kind)
), talks AS (
    INSERT INTO conversations (id, customer_id, number_id, protocol, opened_at, last_customer_message_at, state)
    SELECT gen_random_uuid(), p.id, n.id, next_protocol(now(), 'UTC'), now(), now(), 'assigned'
    FROM people p CROSS JOIN whatsapp_numbers n
    RETURNING id, customer_id, number_id
)
INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, type, content, payload, state, category, shard)
SELECT gen_random_uuid(), now(), t.id, t.customer_id, t.number_id, 'out', 'agent', 'text', 'Tudo certo por aqui.',
    '{"type": "text", "text": {"body": "Tudo certo por aqui."}}', 'queued', 'service', p.shard_id
FROM talks t JOIN people p ON p.id = t.customer_id
"""


async def run(scale: float) -> list[Row]:
    """Medians over interleaved rounds."""
    size = max(500, int(MESSAGES * scale))
    with engines() as stack, simulating() as url:
        await _add_number(stack, url)
        environment = stack.environment(HUB_META_BASE_URL=url, HUB_SEND_CONCURRENCY=str(IN_FLIGHT))
        ours, bare = [], []
        with (
            running("worker", "--queues", "outbound,maintenance", environment=environment),
            running("scheduler", environment=environment),
        ):
            db = await asyncpg.connect(stack.database_url)
            await _drain(stack, db, size // 4, 0)
            for number in range(1, ROUNDS + 1):
                bare.append(await _flat_out(url, size))
                ours.append(await _drain(stack, db, size, number * 100_000))
            twice = await _accepted_twice(url)
            await db.close()
    rate, limit = statistics.median(ours), statistics.median(bare)
    return [
        Row("bare aiohttp client, 64 in flight", f"{limit:,.0f}/s"),
        Row(
            "hub sender, one worker process",
            f"{rate:,.0f}/s",
            rate / limit,
            "bare client",
            0.5,
            f"accepted twice: {twice}",
        ),
    ]


async def _add_number(stack: Engines, simulator_url: str) -> None:
    from hub_api import roles
    from hub_api.simulator.demo import connect_number

    settings = make_settings(stack.database_url, stack.redis_url, meta_base_url=simulator_url)
    await connect_number(settings)
    async with roles.services(settings, "bench") as services:
        await services.db.execute("UPDATE whatsapp_numbers SET throughput_mps = 100000")


async def _drain(stack: Engines, db: asyncpg.Connection, size: int, offset: int) -> float:
    """Queue `size` messages, each to its own customer, and time from then until every one is recorded as accepted."""
    await db.execute(QUEUE, size, offset)
    await db.execute("ANALYZE messages, conversations, customers, customer_identities")
    began = datetime.now(UTC)
    await ring(stack, *(("whatsapp.send.jobs.drain_outbox", (shard,)) for shard in range(8)))
    # Looked at seldom and timed by the records themselves: counting every 20 ms took a quarter of a core.
    while await db.fetchval("SELECT EXISTS (SELECT FROM messages WHERE state IN ('queued', 'claimed'))"):
        await asyncio.sleep(0.25)
    seconds = (await db.fetchval("SELECT max(accepted_at) FROM messages") - began).total_seconds()
    failed = await db.fetchval("SELECT count(*) FROM messages WHERE state IN ('failed', 'unknown', 'cancelled')")
    assert not failed, f"{failed} messages were not sent"
    return size / seconds


async def _flat_out(simulator_url: str, size: int) -> float:
    """The same calls by the same client library with no hub around it."""
    url, left = f"{simulator_url}/v26.0/{PHONE_NUMBER_ID}/messages", iter(range(size))
    headers = {"Authorization": "Bearer sim-token"}

    async def send(session: aiohttp.ClientSession) -> None:
        for number in left:
            body = {
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": f"+5511{960000000 + number}", "type": "text",
                "text": {"body": "Tudo certo por aqui."},
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
