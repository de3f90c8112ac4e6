"""A hub with a pool of numbers, as real processes: senders, handlers, scheduler, API, and a simulator with all of Meta's
limits. Queues campaigns, lets people write and agents answer, hurts what a test wants hurt, and keeps the account."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import orjson

from hub_api.auth.keys import create_key
from hub_api.platform import sqlfile
from hub_api.simulator.config import DISPLAY_PHONE_NUMBER, PHONE_NUMBER_ID, PORTFOLIO_ID, TOKEN, WABA_ID
from tests.benchmarks.stack import Engines, wait_for
from tests.support.hub import API_KEY, SECRET
from tests.support.process import free_port
from tests.support.waiting import eventually

queries = sqlfile.load("tests.support", "pool.sql")

SENDER = ("hub_api", "worker", "--queues", "outbound")
HANDLER = ("hub_api", "worker", "--queues", "inbound,bot,maintenance")
SCHEDULER = ("hub_api", "scheduler")
CHUNK = 20_000
SENT_STATES = frozenset({"accepted", "held", "sent", "delivered", "read", "played"})
OFFER = {
    "name": "oferta_fibra", "language": {"code": "pt_BR"},
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}],
}  # fmt: skip
NOTICE = {**OFFER, "name": "boas_vindas"}


@dataclass(frozen=True)
class Size:
    """What runs: numbers (over accounts and portfolios) of a level each, and how many processes of each role."""

    numbers: int
    levels: tuple[int, ...] = (20,)
    accounts: int = 1
    portfolios: int = 1
    senders: int = 1
    handlers: int = 1
    statuses: tuple[str, ...] = ("sent", "delivered", "read", "played", "failed")
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """What became of every message of ours, by the hub's records and by the simulator's."""

    states: Counter[str]
    refusals: dict[str, int]
    accepted: int
    not_sent: list[str]  # ids that the hub counts as sent and the simulator never accepted
    sent_unseen: list[str]  # ids accepted there that the hub still has to send, or thinks it need not
    unknown_unsent: list[str]  # ids of unknown outcome that the simulator never accepted
    twice: dict[str, int]


class Part:
    """A process of the pool and what starts it."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.command, self.environment = command, environment
        self.process = self.run()

    def run(self) -> subprocess.Popen[bytes]:
        """Start the process."""
        return subprocess.Popen([sys.executable, "-m", *self.command], env=self.environment)


class Pool:
    """The running hub; make it with `running_pool`."""

    def __init__(self, engines: Engines, size: Size) -> None:
        self.engines, self.size = engines, size
        self.api_port, self.simulator_port = free_port(), free_port()
        self.simulator_url = f"http://127.0.0.1:{self.simulator_port}"
        self.api_url = f"http://127.0.0.1:{self.api_port}"
        self.environment = engines.environment(HUB_META_BASE_URL=self.simulator_url, **size.environment)
        self.parts: list[Part] = []
        self.phone_number_ids = [following(PHONE_NUMBER_ID, n) for n in range(size.numbers)]
        self.number_ids: dict[str, UUID] = {}  # the hub's, by phone_number_id
        self.people: list[asyncpg.Record] = []  # in a talk with an agent
        self._people = 0
        self._open = AsyncExitStack()

    async def begin(self) -> None:
        """Start everything but the senders, and make the simulator's accounts and numbers ours."""
        size = self.size
        config = {
            "numbers": size.numbers, "accounts": size.accounts, "portfolios": size.portfolios, "levels": size.levels,
            "app_secret": SECRET, "verify_token": "test-verify-token", "webhook_url": f"{self.api_url}/webhooks/whatsapp",
        }  # fmt: skip
        self.start("tests.support.pool_simulator", str(self.simulator_port), json.dumps(config))
        self.start_api(self.api_port)
        for url, part in zip((f"{self.simulator_url}/_sim/health", f"{self.api_url}/health"), self.parts, strict=True):
            await asyncio.to_thread(wait_for, url, part.process, 60)
        self.http = await self._open.enter_async_context(
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {API_KEY}"})
        )
        self.db = await asyncpg.connect(self.engines.database_url)
        self._open.push_async_callback(self.db.close)
        await create_key(self.db, "test", ["*"], key=API_KEY)
        await self.simulator("POST", "webhooks", {"gather_s": 0.2, "concurrency": 4, "statuses": list(size.statuses)})
        await self._connect_numbers()
        for _ in range(size.handlers):
            self.start(*HANDLER)
        self.start(*SCHEDULER)
        keeper = asyncio.create_task(self._keep())
        self._open.callback(keeper.cancel)

    async def end(self) -> None:
        """Stop what still runs."""
        await self._open.aclose()
        await asyncio.gather(*(self.stop(part) for part in list(self.parts)))

    async def stop(self, part: "Part", within_s: float = 30) -> int:
        """SIGTERM to a part, which is not started again; its exit code, -9 when it had to be killed after `within_s`."""
        self.parts.remove(part)
        part.process.terminate()
        try:
            return await asyncio.to_thread(part.process.wait, within_s)
        except subprocess.TimeoutExpired:
            part.process.kill()
            return -signal.SIGKILL

    async def _keep(self) -> None:
        """Start again what ended by itself, as every supervisor does."""
        while True:
            for part in self.parts:
                if part.process.poll() is not None:
                    part.process = part.run()
            await asyncio.sleep(0.5)

    async def _connect_numbers(self) -> None:
        size = self.size
        for n in range(size.accounts):
            account = {"waba_id": following(WABA_ID, n), "portfolio_id": following(PORTFOLIO_ID, n % size.portfolios)}
            made = await self.api("POST", "whatsapp/accounts", account | {"name": f"Conta {n}", "token": TOKEN})
            await self.api("POST", f"whatsapp/accounts/{made['id']}/templates/sync")
        for n, phone_number_id in enumerate(self.phone_number_ids):
            number = {
                "waba_id": following(WABA_ID, n % size.accounts),
                "phone_number_id": phone_number_id,
                "display_phone_number": following(DISPLAY_PHONE_NUMBER, n),
                "throughput_mps": size.levels[n % len(size.levels)],
            }
            self.number_ids[phone_number_id] = UUID((await self.api("POST", "whatsapp/numbers", number))["id"])

    def start(self, *command: str) -> "Part":
        """Run a Python module as a part of the pool."""
        part = Part(command, {**os.environ, **self.environment})
        self.parts.append(part)
        return part

    def start_api(self, port: int) -> "Part":
        """Start an API process on a port."""
        return self.start("hub_api", "api", "--port", str(port))

    @property
    def senders(self) -> list["Part"]:
        """The sender processes."""
        return [part for part in self.parts if part.command == SENDER]

    def start_senders(self) -> None:
        """Start as many sender processes as the size says."""
        for _ in range(self.size.senders):
            self.start(*SENDER)

    def kill_sender(self) -> None:
        """kill -9 to one of the senders; it is started again within a second."""
        self.senders[0].process.kill()

    async def simulator(self, method: str, path: str, body: Any = None) -> Any:
        """The simulator's control API. Raises RuntimeError with its words when it refuses."""
        async with self.http.request(method, f"{self.simulator_url}/_sim/{path}", json=body) as answer:
            told = orjson.loads(await answer.read())
            if answer.status != 200:
                raise RuntimeError(told)
            return told

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """The hub's REST API. Raises RuntimeError with its words when it refuses."""
        async with self.http.request(method, f"{self.api_url}/api/v1/{path}", json=body) as answer:
            raw = await answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {raw.decode()}")
            return orjson.loads(raw) if raw else None

    async def queue(self, how_many: int, *, marketing: bool = True) -> None:
        """Put a campaign into the outbox: one template message to each of `how_many` new customers, over all numbers."""
        template, category, priority = (OFFER, "marketing", 3) if marketing else (NOTICE, "utility", 2)
        payload = json.dumps({"type": "template", "template": template})
        for first in range(0, how_many, CHUNK):
            count = min(CHUNK, how_many - first)
            await self.db.execute(
                queries.queue_campaign,
                count,
                self._people,
                list(self.number_ids.values()),
                category,
                priority,
                payload,
                timeout=600,
            )
            self._people += count
        await self.db.execute("ANALYZE messages, conversations, customers, customer_identities")

    async def talking(self, how_many: int) -> list[asyncpg.Record]:
        """New customers in the middle of a talk with an agent: conversation_id, phone, phone_number_id."""
        return await self.db.fetch(queries.talking_people, how_many, 0, list(self.number_ids.values()))  # type: ignore[no-any-return]

    async def tally(self) -> dict[str, Any]:
        """The simulator's account of the traffic."""
        return await self.simulator("GET", "tally")  # type: ignore[no-any-return]

    async def until_accepted(self, count: int, timeout_s: float) -> None:
        """Until the simulator has accepted so many calls."""
        await eventually(lambda: self._accepted(count), timeout_s, every_s=0.1)

    async def _accepted(self, count: int) -> bool:
        found = (await self.tally())["accepted"]
        assert found >= count, f"{found} of {count} accepted"
        return True

    async def until_sent(
        self,
        timeout_s: float,
        phone_number_ids: Sequence[str] | None = None,
        types: Sequence[str] = ("text", "template"),
    ) -> None:
        """Until nothing of these numbers (of all) waits or is being called. While people talk there is always a text."""

        async def nothing_left() -> bool:
            left = await self.db.fetchval(queries.left, phone_number_ids or self.phone_number_ids, types)
            assert not left, f"{left} messages wait"
            return True

        await eventually(nothing_left, timeout_s, every_s=0.5)

    async def account(self) -> Account:
        """Compare the hub's records of every message with the simulator's."""
        states = {row["id"].hex: row["state"] for row in await self.db.fetch(queries.outgoing)}
        counts: dict[str, int] = {}
        told: dict[str, Any] = {}
        for ids in chunks(list(states), CHUNK):
            told = await self.simulator("POST", "accepted", {"ids": ids})
            counts |= told["accepted"]
        tally = await self.tally()
        sent = {message for message, state in states.items() if state in SENT_STATES}
        # A failed message may have been accepted first: some failures come by webhook.
        open_ = {message for message, state in states.items() if state in ("queued", "claimed", "cancelled")}
        return Account(
            states=Counter(states.values()),
            refusals=tally["refusals"],
            accepted=tally["accepted"],
            not_sent=[message for message in sent if not counts[message]],
            sent_unseen=[message for message in open_ if counts[message]],
            unknown_unsent=[i for i, state in states.items() if state == "unknown" and not counts[i]],
            twice=told.get("more_than_once", {}),
        )

    async def age_claims(self) -> int:
        """Make what a killed sender has claimed look a minute old: how many there were."""
        tag = await self.db.execute(queries.age_claims, 60.0)
        return int(tag.rpartition(" ")[2])

    async def until_doubts_are_settled(self, timeout_s: float) -> None:
        """Until every message of unknown outcome that Meta did accept is known by its status."""

        async def settled() -> bool:
            ids = [row["id"].hex for row in await self.db.fetch(queries.unknown)]
            counts = (await self.simulator("POST", "accepted", {"ids": ids}))["accepted"]
            left = [message for message, count in counts.items() if count]
            assert not left, f"{len(left)} accepted messages are unknown"
            return True

        await eventually(settled, timeout_s, every_s=0.5)


@asynccontextmanager
async def running_pool(engines: Engines, size: Size) -> AsyncIterator[Pool]:
    """A pool on these engines, its senders not started yet; all of it is stopped at the end."""
    pool = Pool(engines, size)
    try:
        await pool.begin()
        yield pool
    finally:
        await pool.end()


def following(first: str, offset: int) -> str:
    """The id that the simulator gives its nth account, portfolio or number."""
    return str(int(first) + offset)


def chunks(items: list[str], size: int) -> Iterable[list[str]]:
    """The items in lists of at most `size`."""
    return (items[at : at + size] for at in range(0, len(items), size))
