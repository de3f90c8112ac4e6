"""The stack that users start, for tests that hurt it, and the account of what it may not lose or double."""

import asyncio
import signal
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import asyncpg
import clickhouse_connect
import psutil
import pytest

from hub_api.embedded.ports import free_port, release
from hub_api.embedded.values import PORTS
from hub_api.settings import Settings
from hub_api.simulator.demo import connect_number
from tests.support.meta import Meta, bsuid_of, new_people, phone_of
from tests.support.outbox import ASTRAY
from tests.support.stack import Stack
from tests.support.waiting import wait_until

DEADLINE_S = 90

# Customers of these tests write by webhooks of our own, so the simulator knows of no open window.
NO_LIMITS: dict[str, list[str]] = {"limits": []}

WAITING = """
    SELECT (SELECT count(*) FROM webhook_event WHERE split_at IS NULL) AS webhooks, (SELECT count(*) FROM inbox_item) AS items,
        (SELECT count(*) FROM bot_turn) AS turns, (SELECT count(*) FROM outbox WHERE state = 'queued') AS queued
"""
STORED = "SELECT wamid, count(*) AS n FROM messages WHERE wamid = ANY($1) GROUP BY wamid"
UNANSWERED = """
    SELECT count(*) FROM message_key k JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
    WHERE k.wamid = ANY($1) AND NOT EXISTS (
        SELECT FROM messages a WHERE a.conversation_id = m.conversation_id AND a.author = 'bot'
    )
"""


def own_ports() -> dict[str, str]:
    """Ports for one stack, from a wide range: those that a killed supervisor gives back for a moment are nobody's first
    choice. The stack reserves them itself when it starts."""
    chosen = [free_port() for _ in PORTS]
    for port in chosen:
        release(port)
    return {name: str(port) for (name, _), port in zip(PORTS.values(), chosen, strict=True)}


class FaultStack(Stack):
    """A running stack with a number at the simulator, and questions about what became of its webhooks."""

    without = "demo,dagster,superset"

    def begin(self) -> None:
        """Start everything but Dagster and the demo's traffic, and make the simulator's number ours."""
        self.up("--demo", "--without", self.without, timeout_s=180)
        self.env_now = self.environment()
        asyncio.run(connect_number(Settings(_env_file=self.home / "hub.env"), self.env_now["HUB_SIM_TOKEN"]))
        asyncio.run(self.simulator("POST", "limits", NO_LIMITS))

    def meta(self, **options: Any) -> Meta:
        """Meta, delivering to this stack's API."""
        url = f"http://127.0.0.1:{self.env_now['HUB_API_PORT']}/webhooks/whatsapp"
        return Meta(url, secret=self.env_now["HUB_META_APP_SECRET"], **options)

    def people(self, how_many: int) -> list[int]:
        """People nobody wrote for yet, known to the simulator as ones who read and do not answer."""
        people = new_people(how_many)
        users = [{"phone": phone_of(n), "bsuid": bsuid_of(n), "traits": {"turns": 99}} for n in people]
        asyncio.run(self.simulator("POST", "users", {"users": users}))
        return people

    async def simulator(self, method: str, path: str, body: Any = None) -> Any:
        """The simulator's control API."""
        url = f"{self.env_now['HUB_META_BASE_URL']}/_sim/{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
            return await answer.json()

    def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Rows of the stack's PostgreSQL."""

        async def fetch() -> list[asyncpg.Record]:
            db = await asyncpg.connect(self.env_now["HUB_DATABASE_URL"], timeout=5)
            try:
                return await db.fetch(query, *args)
            finally:
                await db.close()

        return asyncio.run(fetch())

    def value(self, query: str, *args: object) -> Any:
        """One value of the stack's PostgreSQL."""
        return self.rows(query, *args)[0][0]

    def kill(self, part: str) -> None:
        """kill -9 to the part's process and everything below it."""
        process = psutil.Process(self.state_of(part)["pid"])
        for victim in [*process.children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGKILL)

    def state_of(self, part: str) -> dict[str, Any]:
        """A part's entry in state.json."""
        return next(entry for entry in self.state()["parts"] if entry["name"] == part)

    def restarts(self) -> dict[str, int]:
        """How often each part was started again."""
        return {part["name"]: part["restarts"] for part in self.state()["parts"]}

    def all_ready(self) -> bool:
        """Every part runs."""
        return {part["state"] for part in self.state()["parts"]} <= {"ready", "done"}

    def prove(self, acknowledged: Collection[str]) -> None:
        """Every acknowledged wamid is handled once, answered once, and every event is in the warehouse once."""
        patience_s = DEADLINE_S + len(acknowledged) / 10
        wait_until(self._nothing_waits, patience_s, every_s=0.2)
        rows = self.rows(STORED, list(acknowledged))
        assert {row["wamid"] for row in rows} == set(acknowledged), "acknowledged and lost"
        assert {row["n"] for row in rows} == {1}, "handled twice"
        assert self.value(UNANSWERED, list(acknowledged)) == 0, "customers were never answered"
        assert asyncio.run(self.simulator("GET", "accepted"))["more_than_once"] == {}, "sent twice"
        assert self.value(ASTRAY) == 0, "the outbox and the messages disagree"
        wait_until(self._warehouse_is_level, patience_s, every_s=0.3)

    def _nothing_waits(self) -> bool:
        waiting = dict(self.rows(WAITING)[0])
        assert not any(waiting.values()), f"still waiting: {waiting}"
        return True

    def _warehouse_is_level(self) -> bool:
        with clickhouse_connect.get_client(dsn=self.env_now["HUB_CLICKHOUSE_URL"]) as client:
            found, distinct = client.query("SELECT count(), uniqExact(id) FROM raw.events").result_rows[0]
        assert found == distinct, "events are doubled"
        return bool(found == self.value("SELECT count(*) FROM events"))


@pytest.fixture(scope="session")
def stack() -> Iterator[FaultStack]:
    """One stack for all tests that can share it: each leaves it ready."""
    with FaultStack(**own_ports()) as running:
        running.begin()
        yield running
        running.stop()
