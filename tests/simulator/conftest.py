"""A simulator with a clock that only the test moves, Ana who uses it, and what became of a message to her."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.simulator import ANA, ANA_BSUID, Receiver, Sender, test_config

START = 1_796_000_000.0  # 30 November 2026


DAY = 86_400.0


TEXT = {"type": "text", "text": {"body": "Olá"}}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def sim(receiver: Receiver) -> AsyncIterator[Simulator]:
    config = test_config(webhook_url=receiver.url, speed=0.0, start_at=START, hidden_phone="omit")
    async with Simulator(config) as running:
        running.core.world.register([NewUser(ANA, name="Ana Souza", bsuid=ANA_BSUID)])
        yield running


@pytest.fixture
async def send(sim: Simulator) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession() as session:
        yield Sender(sim, session)


def ana(sim: Simulator):
    return sim.core.world.find_user(ANA)


def opens_window(sim: Simulator, address: str = ANA) -> None:
    sim.core.world.find_user(address).pair(PHONE_NUMBER_ID).wrote_at = sim.core.clock.now()


async def fate(sim: Simulator, receiver: Receiver, answer: dict[str, Any]) -> list[Any]:
    """The statuses of an accepted message after a minute: names, or codes of failures."""
    wamid = answer["messages"][0]["id"]
    sim.core.clock.advance(60)
    await sim.core.settled()
    found = [s for s in receiver.statuses() if s["id"] == wamid]
    return [s["errors"][0]["code"] if s["status"] == "failed" else s["status"] for s in found]


def interactive(kind: str, action: dict[str, Any], text: str = "Menu", **more: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action, **more}}


def otp(code: str) -> list[dict[str, Any]]:
    parameter = [{"type": "text", "text": code}]
    return [
        {"type": "body", "parameters": parameter},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": parameter},
    ]
