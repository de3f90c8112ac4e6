"""(m) 5,000 agents at once on one machine: from a webhook that was accepted to the frame in the hands of each agent who has the
conversation open, at 50 messages a second through the whole hub; what a connection costs in memory, how fast they come in.

Two hundred people with a team each and 25 sockets a person, over three API processes and two workers. The
bare server sends a frame of the same length to as many sockets when it is told to: what the machine alone makes of it.
"""

import asyncio
import json
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import psutil

from hub_api import roles
from hub_api.auth import sessions
from hub_api.auth.identify import open_door
from hub_api.platform.http_server import raise_file_limit
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services
from tests.benchmarks.report import Row
from tests.benchmarks.stack import Engines, add_numbers, engines, running, serving
from tests.support.hub import fixture, make_settings, signed

AGENTS, OF_ONE = 5_000, 25
PER_SECOND, SECONDS = 50, 20
WORKERS = 3
AT_ONCE = 40  # handshakes under way
BAR_MS = 200.0
BARE = "tests.benchmarks.servers:bare_rooms"
_SAID = re.compile(r"said (\d+)")


@dataclass
class Person:
    """A member of one team with one conversation, and how the channel knows its customer."""

    token: str
    talk: UUID
    wa_id: str


@dataclass
class Heard:
    """When each message was accepted, and how long after that each frame came (ms)."""

    accepted: dict[int, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    early: list[tuple[int, float]] = field(default_factory=list)  # the frame was quicker than the webhook's answer

    def note(self, text: str) -> None:
        """A frame came."""
        now = time.perf_counter()
        for number in {int(one) for one in _SAID.findall(text)}:
            at = self.accepted.get(number)
            if at is None:
                self.early.append((number, now))
            else:
                self.delays.append((now - at) * 1000)

    def settled(self) -> list[float]:
        """All delays in order; a frame that came before the answer to its webhook took no time at all."""
        known = [max(0.0, (at - self.accepted[number]) * 1000) for number, at in self.early if number in self.accepted]
        return sorted(self.delays + known)


async def run(scale: float) -> list[Row]:
    """p50 and p95 of delivery, beside the bare server's; memory of a connection; handshakes a second."""
    raise_file_limit()
    people = max(4, int(AGENTS * scale) // OF_ONE)
    with engines() as stack:
        await add_numbers(stack, "http://127.0.0.1:1")
        environment = stack.environment(
            HUB_USER_RATE_PER_MINUTE="100000000", HUB_STALE_INBOUND_MINUTES="60", HUB_META_APP_SECRET="test-app-secret"
        )
        async with roles.services(make_settings(stack.database_url, stack.redis_url), "bench") as services:
            crowd = await _crowd(services, stack, people)
        with (
            serving("hub_api.app:create_app_from_env", environment, workers=WORKERS) as hub,
            serving(BARE, environment) as bare,
            running("worker", environment=environment) as one,
            running("worker", environment=environment) as other,
        ):
            parts: Parts = {
                "API": lambda: _behind(hub),
                "workers": lambda: _family({one.pid, other.pid}),
                "PostgreSQL": lambda: _behind(stack.database_url),
                "Valkey": lambda: _behind(stack.redis_url),
                "client": lambda: [psutil.Process()],
            }
            ours, busy = await _measure_hub(hub, crowd, parts)
            theirs = await _measure_bare(bare, people)
    return _rows(people * OF_ONE, ours, theirs, busy)


Figures = tuple[
    list[float], float, float, int
]  # delays (ms), KiB of a connection, handshakes a second, frames expected


Parts = dict[str, Callable[[], list[psutil.Process]]]


async def _measure_hub(hub: str, crowd: Sequence[Person], parts: Parts) -> tuple[Figures, dict[str, float]]:
    """The figures, and how many cores each part had while messages came."""
    heard = Heard()
    async with AsyncExitStack() as opened, aiohttp.ClientSession() as web:
        before = _memory(hub)

        async def join(socket: aiohttp.ClientWebSocketResponse, person: Person) -> None:
            await socket.send_json({"op": "subscribe", "stream": "conversation", "id": str(person.talk)})
            while (await socket.receive_json(timeout=60))["type"] != "subscribed":
                pass

        async def enter(person: Person) -> tuple[str, dict[str, str], Callable[..., Awaitable[None]]]:
            return f"{hub}/ws", {"Authorization": f"Bearer {person.token}"}, lambda socket: join(socket, person)

        rate, listening = await _open(opened, [await enter(one) for one in crowd for _ in range(OF_ONE)], heard)
        await asyncio.sleep(2)
        memory = (_memory(hub) - before) / len(listening) / 1024

        async def say(number: int) -> None:
            body = _webhook(crowd[number % len(crowd)].wa_id, number)
            async with web.post(f"{hub}/webhooks/whatsapp", **signed(body)) as answer:
                assert answer.status == 200
            heard.accepted[number] = time.perf_counter()

        spent, began = _cpu(parts), time.monotonic()
        delays = await _say_all(say, heard, OF_ONE)
        took = time.monotonic() - began
        busy = {
            name: sum(seconds - spent[name].get(pid, 0) for pid, seconds in of_part.items()) / took
            for name, of_part in _cpu(parts).items()
        }
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return (delays, memory, rate, PER_SECOND * SECONDS * OF_ONE), busy


async def _measure_bare(bare: str, people: int) -> Figures:
    heard = Heard()
    async with AsyncExitStack() as opened, aiohttp.ClientSession() as web:
        before = _memory(bare)

        async def nothing(_: aiohttp.ClientWebSocketResponse) -> None: ...

        ways = [(f"{bare}/ws?room={n}", {}, nothing) for n in range(people) for _ in range(OF_ONE)]
        rate, listening = await _open(opened, ways, heard)
        memory = (_memory(bare) - before) / len(listening) / 1024

        async def say(number: int) -> None:
            heard.accepted[number] = (
                time.perf_counter()
            )  # it answers when it has sent, so its time runs from the question
            async with web.post(f"{bare}/say?room={number % people}", data=f"said {number}") as answer:
                assert answer.status == 200

        delays = await _say_all(say, heard, OF_ONE)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return delays, memory, rate, PER_SECOND * SECONDS * OF_ONE


Way = tuple[str, dict[str, str], Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]]


async def _open(opened: AsyncExitStack, ways: Sequence[Way], heard: Heard) -> tuple[float, list[asyncio.Task[None]]]:
    """Open all sockets, so many at a time; how many a second, and the tasks that listen to them."""
    session = await opened.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    places, listening, began = asyncio.Semaphore(AT_ONCE), [], time.monotonic()

    async def enter(way: Way) -> aiohttp.ClientWebSocketResponse:
        address, headers, join = way
        async with places:
            socket = await session.ws_connect(address, headers=headers)
            await join(socket)
        return socket

    async def listen(socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            heard.note(await socket.receive_str())

    sockets = await asyncio.gather(*(enter(way) for way in ways))
    rate = len(sockets) / (time.monotonic() - began)
    for socket in sockets:
        opened.push_async_callback(socket.close)
        listening.append(asyncio.create_task(listen(socket)))
    return rate, listening


async def _say_all(say: Callable[[int], Awaitable[None]], heard: Heard, listeners: int) -> list[float]:
    """Say everything when it is due, and wait for what is still to come. Raises RuntimeError when a frame is missing."""
    count, began = PER_SECOND * SECONDS, time.monotonic()
    saying = []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        saying.append(asyncio.create_task(say(number)))
    await asyncio.gather(*saying)
    end = time.monotonic() + 60
    while len(delays := heard.settled()) < count * listeners:
        if time.monotonic() > end:
            raise RuntimeError(f"{count * listeners - len(delays)} of {count * listeners} frames did not come")
        await asyncio.sleep(0.2)
    return delays


async def _crowd(services: Services, stack: Engines, people: int) -> list[Person]:
    """People with a team, a queue and a conversation each, whose customer is known by his phone."""
    door = await services.shared(open_door)
    number = await services.db.fetchval("SELECT id FROM whatsapp_numbers LIMIT 1")
    crowd = []
    for n in range(people):
        user, team, queue, customer, talk = (uuid7() for _ in range(5))
        wa_id = f"5511{900_000_000 + n}"
        async with services.transaction() as tx:
            await tx.db.execute("INSERT INTO teams (id, name) VALUES ($1, $2)", team, f"Equipe {n}")
            await tx.db.execute("INSERT INTO queues (id, key, name, team_id, waiting_text, closed_text) VALUES ($1, $2, $2, $3, NULL, NULL)", queue, f"fila-{n}", team)  # fmt: skip
            await tx.db.execute("INSERT INTO users (id, email, name, role) VALUES ($1, $2, $3, 'agent')", user, f"a{n}@example.com", f"Agente {n}")  # fmt: skip
            await tx.db.execute("INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)", team, user)
            await tx.db.execute("INSERT INTO customers (id, name, phone) VALUES ($1, 'Bench', $2)", customer, f"+{wa_id}")  # fmt: skip
            for kind, value in (("phone", f"+{wa_id}"), ("wa_id", wa_id)):
                await tx.db.execute("INSERT INTO customer_identities (id, customer_id, kind, value, valid_from) VALUES ($1, $2, $3, $4, now() - interval '1 day')", uuid7(), customer, kind, value)  # fmt: skip
            await tx.db.execute(
                "INSERT INTO conversations (id, customer_id, number_id, queue_id, agent_id, state, protocol, opened_at, assigned_at) "
                "VALUES ($1, $2, $3, $4, $5, 'assigned', next_protocol(now(), 'UTC'), now(), now())",
                talk, customer, number, queue, user,
            )  # fmt: skip
            opened = await sessions.open_session(tx, user, "bearer", ["password"])
        crowd.append(Person(await door.access_token(opened), talk, wa_id))
    return crowd


def _webhook(wa_id: str, number: int) -> bytes:
    """A customer's text as Meta delivers it."""
    body = json.loads(json.dumps(fixture("text.json")))
    value = body["entry"][0]["changes"][0]["value"]
    value["contacts"] = [{"profile": {"name": "Bench"}, "wa_id": wa_id}]
    message = value["messages"][0]
    message |= {"from": wa_id, "id": f"wamid.bench{number:08d}", "timestamp": str(int(time.time()))}
    message["text"] = {"body": f"said {number}"}
    for one in ("from_user_id", "from_parent_user_id"):
        message.pop(one, None)
    return json.dumps(body).encode()


def _memory(url: str) -> int:
    """Resident bytes of the server's processes."""
    return sum(process.memory_info().rss for process in _behind(url))


def _cpu(parts: Parts) -> dict[str, dict[int, float]]:
    """Seconds of a core that the processes of each part have had, by pid."""
    return {name: {one.pid: sum(one.cpu_times()[:2]) for one in processes()} for name, processes in parts.items()}


def _behind(url: str) -> list[psutil.Process]:
    """The processes of the server at this address."""
    port = urlsplit(url).port
    pids = {
        one.pid
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid
    }
    return _family(pids)


def _family(pids: set[int]) -> list[psutil.Process]:
    """These processes and all that they started."""
    return list(
        {process for pid in pids for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))}
    )


def _rows(agents: int, ours: Figures, theirs: Figures, busy: dict[str, float]) -> list[Row]:
    (delays, memory, rate, frames), (bare, bare_memory, bare_rate, _) = ours, theirs
    p50, p95 = statistics.median(delays), delays[int(len(delays) * 0.95)]
    bare50, bare95 = statistics.median(bare), bare[int(len(bare) * 0.95)]
    told = f"{agents:,} agents, {PER_SECOND} messages/s"
    return [
        Row(f"bare server, {told}", f"p50 {bare50:.0f}  p95 {bare95:.0f} ms"),
        Row("hub, from webhook accepted to frame", f"p50 {p50:.0f}  p95 {p95:.0f}  worst {delays[-1]:.0f} ms", BAR_MS / p95, f"bar of {BAR_MS:.0f} ms over p95", 1.0, f"{frames:,} frames"),
        Row("hub / bare server, p95", f"{p95 - bare95:+.0f} ms", p95 / max(bare95, 0.1), "bare server"),
        Row("cores busy meanwhile", ", ".join(f"{name} {cores:.2f}" for name, cores in busy.items())),
        Row("memory of a connection", f"{memory:.0f} KiB", memory / max(bare_memory, 0.1), f"bare server's {bare_memory:.0f} KiB"),
        Row("handshakes", f"{rate:.0f}/s", rate / bare_rate, f"bare server's {bare_rate:.0f}/s", note="with a caller, a subscription and its answer"),
    ]  # fmt: skip
