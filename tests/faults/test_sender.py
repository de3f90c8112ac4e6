"""Sends under fault: a killed sender, silence after acceptance, an opt-out in mid-campaign. Nothing goes out twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from hub_api.platform.queue import REGISTRY
from hub_api.settings import Settings
from hub_api.simulator import inbound
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.send import outbox, sender
from hub_api.whatsapp.send.jobs import drain_outbox
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.sending import Person, add_our_number, add_people, message, queue, states, text
from tests.support.simulator import test_config
from tests.support.waiting import eventually

BEFORE, DURING, AFTER = "before", "during", "after"


class Gate:
    """A proxy between sender and simulator that can keep requests, or answers, to itself."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.removeprefix("http://").partition(":")
        self._port = int(port)
        self.requests = asyncio.Event()
        self.answers = asyncio.Event()
        self.kept = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self.open()

    def open(self) -> None:
        """Let everything pass that comes from now on; what was kept is lost with its connection."""
        self.kept = 0
        self.requests.set()
        self.answers.set()

    async def __aenter__(self) -> "Gate":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(self._host, self._port)
        task = asyncio.create_task(self._copy(inner_reader, writer, self.answers))
        self._tasks.add(task)
        await self._copy(reader, inner_writer, self.requests)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_pass: asyncio.Event) -> None:
        try:
            while data := await reader.read(65536):
                if not may_pass.is_set():
                    self.kept += 1
                    await may_pass.wait()
                    break  # whoever waited for this is dead
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Meta, with webhooks of its own but no limits."""
    async with Simulator(test_config(enforce_limits=frozenset())) as running:
        yield running


@pytest.fixture
async def gate(sim: Simulator) -> AsyncIterator[Gate]:
    """What stands between the sender and Meta."""
    async with Gate(sim.url) as standing:
        yield standing


@pytest.fixture
def settings(database_url: str, redis_url: str, gate: Gate) -> Settings:
    """A sender's settings; its Meta is behind the gate."""
    return make_settings(database_url, redis_url, meta_base_url=gate.url, send_timeout_s=20.0)


@pytest.fixture
async def hub(settings: Settings, sim: Simulator) -> AsyncIterator[Hub]:
    """The hub, to which the simulator delivers its webhooks."""
    async with running_hub(settings) as running:
        sim.core.webhook_url = f"{running.url}/webhooks/whatsapp"
        yield running


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A real worker process for the outbound queue."""
    secrets = ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token")
    environment = {f"HUB_{name.upper()}": getattr(settings, name).get_secret_value() for name in secrets}
    environment |= {"HUB_META_BASE_URL": settings.meta_base_url, "HUB_SEND_TIMEOUT_S": str(settings.send_timeout_s)}
    command = [sys.executable, "-m", "hub_api", "worker", "--queues", "outbound"]
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


async def handle_webhooks(hub: Hub) -> None:
    """Handle what Meta has delivered so far; sending is left to the worker."""
    await REGISTRY["whatsapp.jobs.split_inbox"].function(hub.services)
    for lane in range(hub.services.settings.inbox_lanes):
        await REGISTRY["whatsapp.jobs.handle_lane"].function(hub.services, lane)


async def ring_all(hub: Hub) -> None:
    """What the sweep does."""
    await hub.services.bells.ring([(drain_outbox, (shard,)) for shard in range(hub.services.settings.outbox_shards)])


async def wait_for(hub: Hub, ids: list[UUID], condition: Callable[[list[str]], bool]) -> list[str]:
    """The messages' states once they fulfil `condition`; rings as the sweep would."""

    async def look() -> list[str] | None:
        found = await states(hub.services, ids)
        if not condition(found):
            await ring_all(hub)
            return None
        return found

    return await eventually(look, timeout_s=60, every_s=0.1)  # type: ignore[no-any-return]


@pytest.mark.parametrize("moment", [BEFORE, DURING, AFTER])
async def test_a_sender_killed_around_the_call_never_sends_twice_and_the_rest_goes_out(
    hub: Hub, sim: Simulator, gate: Gate, settings: Settings, moment: str
) -> None:
    people = await add_people(hub.services, await add_our_number(hub.services, throughput_mps=1000), 40)
    ids = [i for person in people for i in await queue(hub.services, person, text("um"), text("dois"))]
    lock: asyncpg.Connection[Any] | None = None
    async with worker(settings) as victim:
        await wait_for(hub, ids, lambda found: "accepted" in found)
        if moment == BEFORE:
            gate.requests.clear()
        elif moment == DURING:
            gate.answers.clear()
        else:  # it stands still while the message is queued, which needs the lock too
            await wait_for(hub, ids, lambda found: set(found) == {"accepted"})
            victim.send_signal(signal.SIGSTOP)
        await queue(hub.services, people[0], text("três"))
        if moment == AFTER:  # the call is answered, and its record waits for a lock of ours
            lock = await asyncpg.connect(settings.database_url.get_secret_value())
            await lock.execute("BEGIN; LOCK TABLE message_key IN ACCESS EXCLUSIVE MODE")
            victim.send_signal(signal.SIGCONT)

            async def answered_and_not_recorded() -> bool:
                await ring_all(hub)
                claimed = await hub.fetch("SELECT id FROM messages WHERE state = 'claimed'")
                counts = sim.core.ledger.counts(row["id"].hex for row in claimed)
                return bool(counts) and set(counts.values()) == {1}

            await eventually(answered_and_not_recorded)
        else:
            await wait_for(hub, ids, lambda found: gate.kept > 0)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(10)
    if lock is not None:
        await lock.close()
    gate.open()

    in_doubt = await hub.fetch("SELECT id FROM messages WHERE state = 'claimed'")
    assert in_doubt, "the kill came at no interesting moment"
    await hub.fetch("UPDATE messages SET claimed_at = claimed_at - interval '61 seconds' WHERE state = 'claimed'")
    assert await outbox.recover_stale_claims(hub.services) == len(in_doubt)
    async with worker(settings):
        everything = [row["id"] for row in await hub.fetch("SELECT id FROM messages WHERE direction = 'out'")]
        await wait_for(hub, everything, lambda found: not {"queued", "claimed"} & set(found))
    counts = sim.core.ledger.counts(i.hex for i in everything)
    assert max(counts.values()) == 1, "sent twice"

    async def resolved() -> bool:
        await handle_webhooks(hub)
        left = {row["id"] for row in await hub.fetch("SELECT id FROM messages WHERE state = 'unknown'")}
        return left == {i for i in everything if counts[i.hex] == 0}

    await eventually(resolved, timeout_s=30)
    never_sent = [i for i in everything if counts[i.hex] == 0]
    reached = [row["id"] for row in in_doubt if counts[row["id"].hex]]
    assert never_sent if moment == BEFORE else reached, "the kill came at another moment than it should"
    await hub.fetch("UPDATE messages SET claimed_at = claimed_at - interval '15 minutes' WHERE state = 'unknown'")
    listed = await (await hub.get("/api/v1/messages/unknown", headers=hub.auth)).json()
    assert {item["id"] for item in listed["items"]} == {str(i) for i in never_sent}
    sent = [i for i in everything if i not in never_sent]
    assert set(await states(hub.services, sent)) <= {"accepted", "sent", "delivered", "read"}


@pytest.mark.parametrize("kind", ["timeout", "drop_after"])
async def test_silence_after_acceptance_is_resolved_by_the_status_and_never_sent_again(
    hub: Hub, sim: Simulator, gate: Gate, kind: str
) -> None:
    quick = hub.services.settings.model_copy(update={"send_timeout_s": 1.0})
    async with running_hub(quick) as other:
        people = await add_people(other.services, await add_our_number(other.services), 10)
        sim.core.faults.add(Fault(kind, times=10))
        sim.core.webhook_url = None  # the statuses are late
        ids = [i for person in people for i in await queue(other.services, person, text("um"))]
        await other.settled()
        assert await states(other.services, ids) == ["unknown"] * 10
        sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
        for call in list(sim.core.ledger.calls):
            tell(sim, call.wamid)

        async def resolved() -> bool:
            await other.settled()
            return set(await states(other.services, ids)) == {"read"}

        await eventually(resolved)
    assert sim.core.ledger.accepted_calls == 10 and not sim.core.ledger.repeated()
    rows = [await message(hub.services, i) for i in ids]
    assert {row["wamid"] for row in rows} == {call.wamid for call in sim.core.ledger.calls}


def tell(sim: Simulator, wamid: str) -> None:
    """Deliver all statuses of a message again, now that there is somebody to hear them."""
    from hub_api.simulator import statuses

    sent = sim.core.messages[wamid]
    sent.status = "accepted"
    for status in ("sent", "delivered", "read"):
        statuses.move(sim.core, sent, status)


async def test_an_opt_out_in_mid_campaign_stops_what_is_queued_as_soon_as_it_is_committed(
    hub: Hub, sim: Simulator
) -> None:
    people = await add_people(hub.services, await add_our_number(hub.services, throughput_mps=1000), 30)
    sim.core.faults.add(Fault("delay", seconds=0.5))
    # One run sends for a second, so at most the first two rounds: the opt-outs always meet queued messages.
    rounds = [[i for p in people for i in await queue(hub.services, p, promotion(n))] for n in ("um", "dois", "três")]
    sending = asyncio.gather(*(sender.drain(hub.services, shard) for shard in range(8)))
    await eventually(lambda: sim.core.ledger.accepted_calls >= 5)
    for person in people[:10]:
        inbound.write(sim.core, user_of(sim, person), sim.core.world.numbers[PHONE_NUMBER_ID], "text", {"body": "SAIR"})

    async def all_heard() -> list[Any] | None:
        await handle_webhooks(hub)
        heard = await hub.fetch("SELECT customer_id, created_at FROM suppressions WHERE scope = 'marketing'")
        return heard if len(heard) == 10 else None

    heard = await eventually(all_heard)
    committed = datetime.now(UTC)
    assert {row["customer_id"] for row in heard} == {p.id for p in people[:10]}
    await sending
    await hub.settled()
    claimed = await hub.fetch(
        "SELECT max(claimed_at) AS last FROM messages WHERE category = 'marketing' AND customer_id = ANY($1)",
        [p.id for p in people[:10]],
    )
    assert claimed[0]["last"] is None or claimed[0]["last"] <= committed
    found = [await states(hub.services, ids) for ids in rounds]
    assert found[2][:10] == ["cancelled"] * 10
    assert not {"queued", "claimed", "unknown", "failed"} & {state for states_ in found for state in states_}
    assert "cancelled" not in [state for states_ in found for state in states_[10:]]
    assert not sim.core.ledger.repeated()


def promotion(body: str) -> Any:
    """A marketing message."""
    return text(body, category="marketing", priority=3, author="campaign")


def user_of(sim: Simulator, person: Person) -> Any:
    """The simulator's side of a person."""
    return sim.core.world.find_user(person.phone)
