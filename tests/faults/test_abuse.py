"""What senders do to a running stack: the same webhook many times at once, the largest body, and connections that
dribble. The figures of good traffic beside it are in the test report as properties (`pytest --junit-xml`)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import quantiles
from typing import Any

import aiohttp
import psutil
import pytest

from tests.faults.conftest import DEADLINE_S, FaultStack
from tests.support.meta import Meta, hello, phone_of, wamid_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

MAX_BODY_BYTES = 3 * 1024 * 1024


def servers(stack: FaultStack) -> list[psutil.Process]:
    """The processes of the API that accept connections."""
    parent = psutil.Process(stack.state_of("api")["pid"])
    return [child for child in parent.children() if "spawn_main" in " ".join(child.cmdline())]


async def beside(work: Awaitable[Any], meta: Meta, people: list[int], every_s: float = 0.02) -> list[float]:
    """Deliver one good webhook every `every_s` until `work` is done; seconds that each took until it was accepted."""
    waits: list[float] = []

    async def one(number: int) -> None:
        started = time.monotonic()
        await meta.deliver([number])
        waits.append(time.monotonic() - started)

    working = asyncio.ensure_future(work)
    async with asyncio.TaskGroup() as group:
        for number in people:
            if working.done():
                break
            group.create_task(one(number))
            await asyncio.sleep(every_s)
    await working
    return waits


def p95_ms(waits: list[float]) -> float:
    """The 95th percentile in milliseconds."""
    return round(quantiles(waits, n=20)[-1] * 1000, 1)


def established(process: psutil.Process) -> list[Any]:
    """The process's open TCP connections."""
    return [c for c in process.net_connections("tcp") if c.status == psutil.CONN_ESTABLISHED]


def ours_at(server: psutil.Process, port: int) -> set[int]:
    """Our ends (ports) of the connections to `port` that this process holds: the supervisor has some of its own."""
    ours = {c.laddr.port for c in established(psutil.Process())}
    return {c.raddr.port for c in established(server) if c.laddr.port == port} & ours


@asynccontextmanager
async def connections_to_each(stack: FaultStack, each: int) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Sessions of one open connection, `each` of them to every process of the API, those of the processes in turn.

    Which process accepts a connection is the kernel's choice, and it may choose the same one always: so the others stand
    still meanwhile. What they were about to accept they do not find when they wake up."""
    processes, url = servers(stack), f"http://127.0.0.1:{stack.env_now['HUB_API_PORT']}/webhooks/whatsapp"
    async with AsyncExitStack() as opened:
        lines: list[list[aiohttp.ClientSession]] = []
        for process in processes:
            others = [other for other in processes if other != process]
            try:
                for other in others:
                    other.suspend()
                    wait_until(lambda other=other: other.status() == psutil.STATUS_STOPPED, every_s=0.005)
                lines.append([])
                for _ in range(each):
                    connector = aiohttp.TCPConnector(limit=1, keepalive_timeout=60)
                    session = await opened.enter_async_context(aiohttp.ClientSession(connector=connector))
                    async with session.get(url) as refused:
                        await refused.read()  # or the client hangs up instead of keeping the connection
                    assert refused.status == 403
                    lines[-1].append(session)
            finally:
                for other in others:
                    other.resume()
        yield [session for together in zip(*lines, strict=True) for session in together]


def test_each_webhook_five_times_at_once_to_two_processes_acts_once(stack: FaultStack) -> None:
    people, meta, port = stack.people(100), stack.meta(), int(stack.env_now["HUB_API_PORT"])

    async def deliver() -> None:
        async with connections_to_each(stack, 32) as sessions:
            held = [ours_at(server, port) for server in servers(stack)]
            await meta.deliver_over(sessions, people, copies=5)
            assert [len(ends) for ends in held] == [32, 32]
            assert [ours_at(server, port) for server in servers(stack)] == held, "both processes took part"

    asyncio.run(deliver())
    assert meta.answers[200] == 500
    stack.prove(meta.acknowledged)
    wamids = [wamid_of(number) for number in people]
    counts = stack.rows(
        """
        SELECT count(DISTINCT c.customer_id) AS customers, count(*) AS conversations, sum(c.response_count) AS responses,
            sum((SELECT count(*) FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'in')) AS received,
            sum((SELECT count(*) FROM messages m WHERE m.conversation_id = c.id AND m.author = 'bot')) AS answered,
            sum((SELECT count(*) FROM events e WHERE e.aggregate_id = c.id AND e.type = 'conversation.opened')) AS opened
        FROM conversations c WHERE c.id IN (SELECT conversation_id FROM messages WHERE wamid = ANY($1))
        """,
        wamids,
    )[0]
    assert {name: int(count) for name, count in counts.items()} == dict.fromkeys(counts.keys(), 100)


def large_body(people: list[int]) -> tuple[bytes, list[str]]:
    """The largest body that Meta may send, with about 10,000 messages of an hour ago, and their wamids."""
    at, messages, size = int(time.time()) - 3600, list[dict[str, Any]](), 1000
    while True:
        number = people[len(messages) % len(people)]
        message = {
            "from": phone_of(number),
            "id": f"wamid.LARGE.{people[0]}.{len(messages):05d}",
            "timestamp": str(at + len(messages) // 100),
            "type": "text",
            "text": {
                "body": "a internet caiu de novo aqui em casa, já é a terceira vez esta semana e ninguém resolve " * 2
            },
        }
        size += len(json.dumps(message)) + 2
        if size > MAX_BODY_BYTES:
            break
        messages.append(message)
    body = json.loads(hello(people[0]))
    body["entry"][0]["changes"][0]["value"] |= {"messages": messages, "contacts": []}
    return json.dumps(body).encode(), [message["id"] for message in messages]


def test_three_megabytes_of_messages_are_stored_whole_beside_normal_load(
    stack: FaultStack, record_property: Callable[[str, object], None]
) -> None:
    body, wamids = large_body(stack.people(500))
    assert len(wamids) > 9000
    people, meta = stack.people(1500), stack.meta(in_flight=1)
    watched = [*servers(stack), *(psutil.Process(stack.state_of(f"worker-{n}")["pid"]) for n in (1, 2))]
    before = [process.memory_info().rss for process in watched]
    peak = before[:]
    handled = "SELECT count(*) FROM message_key WHERE wamid = ANY($1)"

    async def deliver_large() -> None:
        large = stack.meta()
        assert await large.post_once(body) == 200
        end = time.monotonic() + DEADLINE_S
        while await asyncio.to_thread(stack.value, handled, wamids) < len(wamids):
            assert time.monotonic() < end, "not handled in time"
            peak[:] = [max(known, process.memory_info().rss) for known, process in zip(peak, watched, strict=True)]
            await asyncio.sleep(0.2)

    waits = asyncio.run(beside(deliver_large(), meta, people))
    grown_mb = [round((high - low) / 2**20) for high, low in zip(peak, before, strict=True)]
    record_property("messages", len(wamids))
    record_property("other_webhooks_p95_ms", p95_ms(waits))
    record_property("memory_grown_mb", grown_mb)
    print(f"{len(wamids)} messages in one body; other webhooks' p95 {p95_ms(waits)} ms; memory grown by {grown_mb} MB")
    assert max(grown_mb) < 400
    assert p95_ms(waits) < 5000
    stack.prove(meta.acknowledged)


async def dribble(port: int, head: bytes, end_at: float) -> bool:
    """Send `head`, then one byte a second until the server hangs up; whether it did so before `end_at`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    try:
        writer.write(head)
        while time.monotonic() < end_at:
            await asyncio.wait({answer}, timeout=1.0)
            if answer.done():
                return True
            writer.write(b"x")
        return False
    except ConnectionError:
        return True
    finally:
        writer.close()
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)


def test_500_connections_at_a_byte_a_second_are_cut_and_good_traffic_goes_on(
    stack: FaultStack, record_property: Callable[[str, object], None]
) -> None:
    port, people, meta = int(stack.env_now["HUB_API_PORT"]), stack.people(700), stack.meta(in_flight=1)
    line = b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\n"
    body = line + b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\nContent-Length: 1000\r\n\r\n"

    async def attack() -> list[bool]:
        end_at = time.monotonic() + 30
        return await asyncio.gather(*(dribble(port, line if n % 2 else body, end_at) for n in range(500)))

    async def both() -> tuple[list[bool], list[float]]:
        attacking = asyncio.create_task(attack())
        waits = await beside(asyncio.shield(attacking), meta, people, every_s=0.05)
        return await attacking, waits

    cut, waits = asyncio.run(both())
    record_property("other_webhooks_p95_ms", p95_ms(waits))
    print(f"other webhooks' p95 {p95_ms(waits)} ms")
    assert all(cut)
    assert p95_ms(waits) < 5000
    wait_until(stack.all_ready)
    stack.prove(meta.acknowledged)
