"""(b) Handling: messages a second of one worker process, beside one rq job per message; and a backlog drained."""

import asyncio
import base64
import statistics
import subprocess
import sys
import time
from itertools import count

import asyncpg
import orjson
import redis
import rq

from hub_api.platform.ids import uuid7
from tests.benchmarks.report import Row
from tests.benchmarks.stack import Engines, add_numbers, engines, ring, running
from tests.support.hub import fixture

ROUNDS, MESSAGES, BASELINE, PEOPLE = 5, 6_000, 300, 2_000
_numbers = count()


def body(people: int = PEOPLE) -> bytes:
    """One delivery of a text message, from one of `people` customers in turn."""
    delivery, number = fixture("text.json"), next(_numbers)
    value = delivery["entry"][0]["changes"][0]["value"]
    phone = f"5511{970000000 + number % people}"
    wamid = "wamid." + base64.b64encode(f"bench{number:010d}".encode()).decode()
    value["contacts"] = [
        {"profile": {"name": "Ana Souza"}, "wa_id": phone, "user_id": f"BR.{number % people + 10**15}"}
    ]
    value["messages"][0] |= {
        "id": wamid,
        "from": phone,
        "from_user_id": f"BR.{number % people + 10**15}",
        "timestamp": str(int(time.time())),
    }
    return orjson.dumps(delivery)


async def run(scale: float) -> list[Row]:
    """Medians over interleaved rounds."""
    size = max(500, int(MESSAGES * scale))
    with engines() as stack:
        await add_numbers(stack, "http://127.0.0.1:1")
        db = await asyncpg.connect(stack.database_url)
        environment = stack.environment()
        with (
            running("worker", "--queues", "inbound,maintenance", environment=environment),
            running("scheduler", environment=environment),
        ):
            await _drain(stack, db, size // 4)
            ours, baseline = [], []
            for _ in range(ROUNDS):
                ours.append(await _drain(stack, db, size))
                baseline.append(await asyncio.to_thread(_one_job_per_message, stack, max(60, int(BASELINE * scale))))
            backlog = await _drain(stack, db, size * 5)
        await db.close()
    rate, base = statistics.median(ours), statistics.median(baseline)
    return [
        Row("one rq job per message, default worker", f"{base:,.0f}/s"),
        Row("handling, one worker process", f"{rate:,.0f}/s", rate / base, "one job per message", 5),
        Row(f"backlog of {size * 5:,} drained", f"{backlog:,.0f}/s", backlog / base, "one job per message"),
    ]


async def _drain(stack: Engines, db: asyncpg.Connection, size: int) -> float:
    """Store `size` webhooks as the gateway does and time until each is handled."""
    before = await db.fetchval("SELECT count(*) FROM messages")
    records = [(uuid7(), body()) for _ in range(size)]
    await db.copy_records_to_table("webhook_event", records=records, columns=("id", "body"))
    began = time.perf_counter()
    await ring(stack, ("whatsapp.jobs.split_inbox", ()))
    while await db.fetchval("SELECT count(*) FROM messages") < before + size:
        await asyncio.sleep(0.05)
        assert time.perf_counter() - began < 300, "the backlog does not drain"
    seconds = time.perf_counter() - began
    assert await db.fetchval("SELECT count(*) FROM dead_letter") == 0
    return size / seconds


def _one_job_per_message(stack: Engines, size: int) -> float:
    """The usual way: each message is an rq job of the default (forking) worker, which handles it in a transaction."""
    connection = redis.Redis.from_url(stack.redis_url)
    queue = rq.Queue("baseline", connection=connection)
    for _ in range(size):
        queue.enqueue("tests.benchmarks.baseline.handle_one", body(), stack.database_url)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.baseline", stack.redis_url],
        check=True,
        timeout=300,
    )
    seconds = time.perf_counter() - began
    connection.close()
    return size / seconds
