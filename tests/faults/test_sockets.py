"""Many WebSockets at once: idle ones cost good traffic nothing, and when the process they are at is restarted each comes back and
has missed nothing (scenarios 13 and 30). `HUB_TEST_SOCKETS` is how many; `make soak` takes 1,000."""

import asyncio
import json
import os
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from statistics import quantiles
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from hub_api.auth.keys import create_key
from hub_api.auth.sockets import MOST_OPEN
from hub_api.platform.ids import uuid7
from tests.auth.people import add_conversation, bearer
from tests.chat.test_live import spoken
from tests.support.hub import Hub, make_settings, running_hub, signed
from tests.support.process import free_port

pytestmark = pytest.mark.timeout(300)

SOCKETS = int(os.environ.get("HUB_TEST_SOCKETS", "150"))
BAR_MS = 200.0  # of good traffic beside them, on a machine of its own; here it is printed and held against itself
DEADLINE_S = 120


async def keys(hub: Hub) -> list[dict[str, str]]:
    """As many callers as so many sockets need, fewer than `MOST_OPEN` each."""
    count = -(-SOCKETS // (MOST_OPEN // 2))
    return [bearer(await create_key(hub.services.db, f"tela {n}", ["conversations:read"])) for n in range(count)]


async def opened(
    stack: AsyncExitStack, url: str, callers: list[dict[str, str]]
) -> list[aiohttp.ClientWebSocketResponse]:
    """All sockets, subscribed to the inbox; forty handshakes at a time."""
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    places = asyncio.Semaphore(40)

    async def one(number: int) -> aiohttp.ClientWebSocketResponse:
        async with places:
            socket = await session.ws_connect(url + "/ws", headers=callers[number % len(callers)])
            await socket.send_json({"op": "subscribe", "stream": "inbox"})
            assert (await socket.receive_json(timeout=DEADLINE_S))["type"] == "subscribed"
            return socket

    return list(await asyncio.gather(*(one(number) for number in range(SOCKETS))))


async def webhooks(hub: Hub, count: int = 60) -> float:
    """The 95th percentile, in ms, until a good webhook is accepted; they come every 20 ms."""
    waits: list[float] = []

    async def one() -> None:
        started = time.monotonic()
        assert (await hub.post("/webhooks/whatsapp", **signed("text.json"))).status == 200
        waits.append((time.monotonic() - started) * 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())
            await asyncio.sleep(0.02)
    return round(quantiles(waits, n=20)[-1], 1)


async def test_idle_sockets_leave_good_traffic_as_it_was(
    database_url: str, redis_url: str, record_property: Callable[[str, object], None]
) -> None:
    async with running_hub(make_settings(database_url, redis_url)) as hub, AsyncExitStack() as stack:
        alone = await webhooks(hub)
        sockets = await opened(stack, hub.url, await keys(hub))
        beside = await webhooks(hub)
        record_property("webhook_p95_ms_alone", alone)
        record_property(f"webhook_p95_ms_beside_{SOCKETS}_sockets", beside)
        print(f"webhook p95: {alone} ms alone, {beside} ms beside {SOCKETS} idle sockets")
        assert beside < max(BAR_MS, 3 * alone)
        assert not any(socket.closed for socket in sockets), "nobody was cut off for being silent"


class Reader:
    """A client as the console is one: it keeps what it heard by its cursor, and comes back after a random pause."""

    def __init__(self, session: aiohttp.ClientSession, url: str, headers: dict[str, str], room: UUID) -> None:
        self._session, self._url, self._headers, self._room = session, url, headers, str(room)
        self._cursor: str | None = None
        self.heard: list[str] = []
        self.subscribed = asyncio.Event()
        self.opened = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        failures = 0
        while True:
            try:
                async with self._session.ws_connect(self._url, headers=self._headers) as socket:
                    self.opened += 1
                    failures = 0
                    asked = {"op": "subscribe", "stream": "conversation", "id": self._room, "after": self._cursor}
                    await socket.send_json(asked)
                    async for message in socket:
                        self._hear(json.loads(message.data))
            except (aiohttp.ClientError, OSError, TimeoutError):
                failures += 1
            await asyncio.sleep(min(5.0, 0.1 * 2**failures) * random.uniform(0.5, 1))

    def _hear(self, frame: dict[str, Any]) -> None:
        assert frame["type"] not in ("reset", "error"), frame
        if frame["type"] == "message":
            self.heard.append(frame["data"]["id"])
        if frame["type"] == "subscribed":
            self.subscribed.set()
        if frame.get("cursor") and frame.get("id") == self._room:
            self._cursor = frame["cursor"]


async def test_a_restarted_process_gets_its_clients_back_and_none_has_a_gap(
    database_url: str, redis_url: str, record_property: Callable[[str, object], None]
) -> None:
    settings, port = make_settings(database_url, redis_url), free_port()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        async with running_hub(settings, port=port) as hub:
            callers = await keys(hub)
            talk = await add_conversation(hub, None, "reinício")
            url = f"{hub.url}/ws"
            readers = [
                Reader(session, url, callers[number % len(callers)], talk["conversation"]) for number in range(SOCKETS)
            ]
            tasks = [asyncio.create_task(reader.run()) for reader in readers]
            stack.callback(lambda: [task.cancel() for task in tasks])
            await asyncio.wait_for(asyncio.gather(*(reader.subscribed.wait() for reader in readers)), DEADLINE_S)
            written = [await _say(hub, talk, f"antes {n}") for n in range(10)]
        async with running_hub(settings, port=port) as hub:
            written += [await _say(hub, talk, f"durante {n}") for n in range(10)]
            began = time.monotonic()
            while any(len(set(reader.heard)) < len(written) for reader in readers):
                assert time.monotonic() - began < DEADLINE_S, sorted({len(set(reader.heard)) for reader in readers})
                await asyncio.sleep(0.1)
            took = round(time.monotonic() - began, 2)
            written += [await _say(hub, talk, f"depois {n}") for n in range(5)]
            while any(len(set(reader.heard)) < len(written) for reader in readers):
                assert time.monotonic() - began < DEADLINE_S
                await asyncio.sleep(0.1)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        record_property(f"all_{SOCKETS}_back_and_up_to_date_s", took)
        print(f"{SOCKETS} clients were up to date {took} s after the process was back")
        assert all(list(dict.fromkeys(reader.heard)) == written for reader in readers), "in order, without a gap"
        assert all(reader.opened >= 2 for reader in readers)


async def _say(hub: Hub, talk: dict[str, UUID], words: str) -> str:
    async with hub.services.db.acquire() as db, db.transaction():
        return str(await spoken(db, talk, f"{words} {uuid7().hex[-4:]}"))
