"""kill -9 of each part in the middle of load: what was acknowledged is handled once, nothing is sent twice, every event
is in the warehouse once. The stack is the one users start; its supervisor brings the killed part back."""

import asyncio
import os
import signal

import psutil
import pytest
import redis

from tests.faults.conftest import DEADLINE_S, FaultStack
from tests.support.meta import wamid_of
from tests.support.waiting import eventually, wait_until

MESSAGES = int(os.environ.get("HUB_TEST_KILL_MESSAGES", "240"))  # make soak: 10,000

pytestmark = pytest.mark.timeout(300 + MESSAGES / 5)


@pytest.mark.parametrize("parts", ["worker-1 worker-2", "scheduler", "relay", "warehouse", "valkey", "postgres"])
def test_a_killed_part_costs_nothing(stack: FaultStack, parts: str) -> None:
    meta, people = stack.meta(), stack.people(MESSAGES)
    restarts = {part: stack.state_of(part)["restarts"] for part in parts.split()}

    async def fault() -> None:
        wamids = [wamid_of(number) for number in people]
        handled = "SELECT count(*) FROM message_key WHERE wamid = ANY($1)"
        await eventually(lambda: asyncio.to_thread(lambda: stack.value(handled, wamids) > MESSAGES // 4), DEADLINE_S)
        for part in restarts:
            await asyncio.to_thread(stack.kill, part)

    asyncio.run(meta.deliver_while(people, fault, after=MESSAGES // 4))
    wait_until(lambda: all(stack.state_of(part)["restarts"] > restarts[part] for part in restarts), DEADLINE_S)
    assert len(meta.acknowledged) == MESSAGES
    stack.prove(meta.acknowledged)
    wait_until(stack.all_ready, DEADLINE_S)


def test_ingest_killed_three_times_at_64_in_flight_loses_nothing_it_acknowledged(stack: FaultStack) -> None:
    meta = stack.meta(in_flight=64)

    async def fault() -> None:
        """First one of the two processes, which its sibling outlives; then the whole part, twice."""
        first = psutil.Process(stack.state_of("api")["pid"])
        server = next(child for child in first.children() if "spawn_main" in " ".join(child.cmdline()))
        server.send_signal(signal.SIGKILL)
        for _ in range(2):
            accepted = len(meta.acknowledged)
            await eventually(lambda accepted=accepted: len(meta.acknowledged) > accepted + MESSAGES // 6, DEADLINE_S)
            await asyncio.to_thread(stack.kill, "api")

    asyncio.run(meta.deliver_while(stack.people(MESSAGES * 2), fault, after=MESSAGES // 6, every_s=0))
    assert len(meta.acknowledged) == MESSAGES * 2
    assert meta.answers[0] > 0, "the kills were felt"
    wait_until(stack.all_ready, DEADLINE_S)
    stack.prove(meta.acknowledged)


def test_a_flushed_valkey_costs_nothing(stack: FaultStack) -> None:
    meta = stack.meta()

    async def fault() -> None:
        with redis.Redis.from_url(stack.env_now["HUB_REDIS_URL"]) as client:
            for _ in range(3):
                client.flushall()
                await asyncio.sleep(0.1)

    asyncio.run(meta.deliver_while(stack.people(MESSAGES), fault, after=MESSAGES // 6))
    stack.prove(meta.acknowledged)
