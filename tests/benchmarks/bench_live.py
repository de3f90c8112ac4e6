"""(h) The WebSocket: from a commit in PostgreSQL to the frame in each agent's hands, beside a server that only sends; what a
connection costs in memory; what comes back after a cut."""

import asyncio
import re
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import asyncpg
import psutil

from hub_api.auth.api_keys import create_key
from hub_api.events import ConversationRated
from hub_api.platform.eventlog import insert_events
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection
from hub_api.platform.postgres import prepare_connection
from tests.benchmarks.report import Row
from tests.benchmarks.stack import engines, serving

AGENTS, PER_SECOND, SECONDS, ROUNDS = 1_000, 5, 6, 3
OF_ONE_KEY = 25  # sockets; a caller may have thirty in a process
BARE = "tests.benchmarks.servers:bare_socket"
FLOOR_MS, AIM_MS = 100, 40
_SAID_AT = re.compile(r"said at (\d+\.\d+)")


async def run(scale: float) -> list[Row]:
    """p50 and p95 of delivery to all agents at once, as medians over interleaved rounds."""
    agents = max(50, int(AGENTS * scale))
    with engines() as stack:
        db = await asyncpg.connect(stack.database_url)
        await prepare_connection(db)
        keys = [await create_key(db, f"bench {n}", ["conversations:read"]) for n in range(-(-agents // OF_ONE_KEY))]
        talk = await _conversation(db)
        environment = stack.environment(HUB_KEY_RATE_PER_MINUTE="100000000")
        with serving("hub_api.app:create_app_from_env", environment) as hub, serving(BARE, environment) as bare:
            ours, theirs = _process(hub), _process(bare)
            before = ours.memory_info().rss
            async with AsyncExitStack() as opened:
                at_hub = await _agents(opened, hub, keys, agents, {"op": "subscribe", "stream": "inbox"})
                grown = (ours.memory_info().rss - before) / agents / 1024
                at_bare = await _agents(opened, bare, keys, agents, None)
                http = await opened.enter_async_context(aiohttp.ClientSession())
                delays: dict[str, list[tuple[float, float]]] = {"hub": [], "bare": []}
                cpu: dict[str, list[float]] = {"hub": [], "bare": []}
                for _ in range(ROUNDS):
                    for name, listeners, say, process in (
                        ("hub", at_hub, lambda: _change(db, talk), ours),
                        ("bare", at_bare, lambda: _send(http, bare), theirs),
                    ):
                        used = sum(process.cpu_times()[:2])
                        delays[name].append(await _round(listeners, say))
                        cpu[name].append((sum(process.cpu_times()[:2]) - used) / SECONDS)
        await db.close()
    return _rows(agents, delays, cpu, grown)


def _rows(
    agents: int, delays: dict[str, list[tuple[float, float]]], cpu: dict[str, list[float]], grown: float
) -> list[Row]:
    p50, p95 = (statistics.median(one[at] for one in delays["hub"]) for at in (0, 1))
    bare50, bare95 = (statistics.median(one[at] for one in delays["bare"]) for at in (0, 1))
    load = statistics.median(cpu["hub"]) / statistics.median(cpu["bare"])
    told = f"{agents:,} agents, {PER_SECOND} events/s"
    return [
        Row(f"bare server, {told}", f"p50 {bare50:.0f}  p95 {bare95:.0f} ms"),
        Row("hub, from commit to frame", f"p50 {p50:.0f}  p95 {p95:.0f} ms", FLOOR_MS / p95, f"floor of {FLOOR_MS} ms", 1, f"aim {AIM_MS} ms"),
        Row("hub / bare server, p95", f"{p95 - bare95:+.0f} ms", bare95 / p95, "bare server", note="the reader looks every 20 ms"),
        Row("CPU of the process", f"{statistics.median(cpu['hub']):.0%} of a core", 1 / load, "bare server"),
        Row("memory of a connection", f"{grown:.0f} KiB"),
    ]  # fmt: skip


async def _conversation(db: Connection) -> UUID:
    customer, talk = uuid7(), uuid7()
    await db.execute("INSERT INTO customers (id, name) VALUES ($1, 'Bench')", customer)
    await db.execute(
        "INSERT INTO conversations (id, customer_id, state, protocol, opened_at, queued_at) "
        "VALUES ($1, $2, 'queued', next_protocol(now(), 'UTC'), now(), now())",
        talk, customer,
    )  # fmt: skip
    return talk


async def _agents(
    opened: AsyncExitStack, url: str, keys: list[str], count: int, hello: dict[str, str] | None
) -> list[aiohttp.ClientWebSocketResponse]:
    """Open sockets that listen to the inbox."""
    session = await opened.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    sockets = []
    for n in range(count):
        headers = {"Authorization": f"Bearer {keys[n // OF_ONE_KEY]}"}
        socket = await opened.enter_async_context(session.ws_connect(f"{url}/ws", headers=headers))
        if hello:
            await socket.send_json(hello)
            while (await socket.receive_json(timeout=30))["type"] != "subscribed":
                pass
        sockets.append(socket)
    return sockets


async def _round(
    listeners: list[aiohttp.ClientWebSocketResponse], say: Callable[[], Awaitable[None]]
) -> tuple[float, float]:
    """Say so many things in so many seconds; p50 and p95 in milliseconds over all frames. Raises TimeoutError when one is missing."""
    delays: list[float] = []
    count = PER_SECOND * SECONDS

    async def listen(socket: aiohttp.ClientWebSocketResponse) -> None:
        heard = 0
        while heard < count:
            text = await socket.receive_str(timeout=30)
            if found := _SAID_AT.search(text):
                delays.append((time.time() - float(found[1])) * 1000)
                heard += 1

    async def talk() -> None:
        began = time.monotonic()
        for turn in range(count):
            await asyncio.sleep(max(0.0, began + turn / PER_SECOND - time.monotonic()))
            await say()

    await asyncio.gather(talk(), *(listen(one) for one in listeners))
    ordered = sorted(delays)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


async def _change(db: Connection, talk: UUID) -> None:
    """A change of a conversation that everybody sees; the time in it is from just before the commit."""
    async with db.transaction():
        row = await db.fetchrow(
            "UPDATE conversations SET satisfaction = 5, version = version + 1, ai_summary = $2 WHERE id = $1 RETURNING version, customer_id",
            talk, f"said at {time.time():.6f}",
        )  # fmt: skip
        now = await db.fetchval("SELECT now()")
        rated = ConversationRated(
            aggregate_id=talk, aggregate_version=row["version"], occurred_at=now, customer_id=row["customer_id"], satisfaction=5
        )  # fmt: skip
        await insert_events(db, [rated])


async def _send(http: aiohttp.ClientSession, url: str) -> None:
    async with http.post(f"{url}/say", data=f"said at {time.time():.6f}") as answer:
        assert answer.status == 200


def _process(url: str) -> psutil.Process:
    port = urlsplit(url).port
    return next(
        psutil.Process(one.pid)
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid
    )
