"""kill -9 of each part in the middle of load: what was acknowledged is handled once, nothing is sent twice, every event
is in the warehouse once. The stack is the one users start; its supervisor brings the killed part back."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from itertools import count

import aiohttp
import asyncpg
import clickhouse_connect
import psutil
import pytest
import redis

from hub_api.settings import Settings
from hub_api.simulator.demo import connect_number
from tests.support.hub import fixture, signed
from tests.support.stack import Stack
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

MESSAGES, IN_FLIGHT = 600, 64
DEADLINE_S = 90
_numbers = count(1)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The stack with the simulator, without Dagster and without traffic of its own."""
    with Stack() as running:
        running.up("--demo", "--without", "demo,dagster")
        os.environ["HUB_SIM_TOKEN"] = running.environment()["HUB_SIM_TOKEN"]
        asyncio.run(connect_number(Settings(_env_file=running.home / "hub.env")))
        yield running
        running.stop()


class Meta:
    """Delivers webhooks as Meta does: again until 200. Remembers what was acknowledged."""

    def __init__(self, stack: Stack) -> None:
        env = stack.environment()
        self.url = f"http://127.0.0.1:{env['HUB_API_PORT']}/webhooks/whatsapp"
        self.secret = env["HUB_META_APP_SECRET"]
        self.acknowledged: set[str] = set()

    async def deliver(self, how_many: int) -> None:
        """`how_many` customers write "oi" each, with at most IN_FLIGHT requests at a time."""
        places = asyncio.Semaphore(IN_FLIGHT)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            asyncio.TaskGroup() as group,
        ):
            for number in (next(_numbers) for _ in range(how_many)):
                await places.acquire()
                group.create_task(self._until_accepted(session, number)).add_done_callback(lambda _: places.release())

    async def _until_accepted(self, session: aiohttp.ClientSession, number: int) -> None:
        body = fixture("text.json")
        value = body["entry"][0]["changes"][0]["value"]
        phone, wamid = f"5511{980000000 + number}", f"wamid.KILL{number:08d}"
        value["contacts"] = [{"profile": {"name": "Ana Souza"}, "wa_id": phone, "user_id": f"BR.{7 * 10**14 + number}"}]
        value["messages"][0] |= {
            "id": wamid,
            "from": phone,
            "from_user_id": f"BR.{7 * 10**14 + number}",
            "timestamp": str(int(time.time())),
        }
        value["messages"][0]["text"]["body"] = "oi"
        for attempt in range(200):
            try:
                async with session.post(self.url, **signed(json.dumps(body).encode(), self.secret)) as answer:
                    if answer.status == 200:
                        self.acknowledged.add(wamid)
                        return
                    assert answer.status in (502, 503), await answer.text()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(min(0.05 * 2**attempt, 1))
        pytest.fail(f"{wamid} was never accepted")


def kill(stack: Stack, part: str) -> None:
    """kill -9 to the part's process and everything below it."""
    process = psutil.Process(stack.status()["part"][part]["pid"])
    for victim in [*process.children(recursive=True), process]:
        victim.send_signal(signal.SIGKILL)


async def sql(stack: Stack, query: str, *args: object) -> list[asyncpg.Record]:
    db = await asyncpg.connect(stack.environment()["HUB_DATABASE_URL"])
    try:
        return await db.fetch(query, *args)
    finally:
        await db.close()


def value(stack: Stack, query: str, *args: object) -> object:
    return asyncio.run(sql(stack, query, *args))[0][0]


def settled(stack: Stack) -> bool:
    """Nothing waits: inbox empty, outbox empty, relay level."""
    waiting = """
        SELECT (SELECT count(*) FROM webhook_event WHERE split_at IS NULL) + (SELECT count(*) FROM inbox_item)
            + (SELECT count(*) FROM bot_turn) + (SELECT count(*) FROM messages WHERE state IN ('queued', 'claimed'))
    """
    try:
        return value(stack, waiting) == 0
    except (OSError, asyncpg.PostgresError):
        return False


def all_ready(stack: Stack) -> bool:
    return {part["state"] for part in stack.status()["parts"]} <= {"ready", "done"}


def warehouse_counts(stack: Stack) -> tuple[int, int]:
    with clickhouse_connect.get_client(dsn=stack.environment()["HUB_CLICKHOUSE_URL"]) as client:
        return tuple(client.query("SELECT count(), uniqExact(id) FROM raw.events").result_rows[0])


def prove(stack: Stack, meta: Meta) -> None:
    """The guarantees, counted."""
    wait_until(lambda: settled(stack), DEADLINE_S)
    rows = asyncio.run(
        sql(
            stack,
            "SELECT wamid, count(*) AS n FROM messages WHERE wamid = ANY($1) GROUP BY wamid",
            list(meta.acknowledged),
        )
    )
    assert {row["wamid"] for row in rows} == meta.acknowledged, "acknowledged and lost"
    assert {row["n"] for row in rows} == {1}, "handled twice"
    unanswered = value(
        stack,
        "SELECT count(*) FROM conversations c WHERE NOT EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id AND m.author = 'bot')",
    )
    assert unanswered == 0, f"{unanswered} customers were never answered"

    async def accepted() -> dict:
        url = stack.environment()["HUB_META_BASE_URL"]
        async with aiohttp.ClientSession() as session, session.get(f"{url}/_sim/accepted") as answer:
            return await answer.json()

    assert asyncio.run(accepted())["more_than_once"] == [], "sent twice"
    wait_until(lambda: warehouse_counts(stack)[0] >= value(stack, "SELECT count(*) FROM events"), DEADLINE_S)
    in_warehouse, distinct = warehouse_counts(stack)
    assert in_warehouse == distinct == value(stack, "SELECT count(*) FROM events"), "events are missing or doubled"


@pytest.mark.parametrize("part", ["api", "worker-1", "scheduler", "relay", "warehouse", "valkey", "postgres"])
def test_a_killed_part_costs_nothing(stack, part):
    meta = Meta(stack)

    async def load_and_kill() -> None:
        load = asyncio.create_task(meta.deliver(MESSAGES))
        while len(meta.acknowledged) < MESSAGES // 3:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(kill, stack, part)
        await load

    asyncio.run(load_and_kill())
    wait_until(lambda: all_ready(stack), DEADLINE_S)
    prove(stack, meta)


def test_a_flushed_valkey_costs_nothing(stack):
    meta = Meta(stack)

    async def load_and_flush() -> None:
        load = asyncio.create_task(meta.deliver(MESSAGES))
        for _ in range(3):
            await asyncio.sleep(0.2)
            with redis.Redis.from_url(stack.environment()["HUB_REDIS_URL"]) as client:
                client.flushall()
        await load

    asyncio.run(load_and_flush())
    prove(stack, meta)
