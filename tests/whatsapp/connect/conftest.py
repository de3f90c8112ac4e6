"""The simulator as Meta, the hub with its workers, and one run of the steps against them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub_api import connect_operations
from hub_api.settings import Settings
from hub_api.simulator.config import PHONE_NUMBER_ID, TOKEN
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.connect import texts
from hub_api.whatsapp.connect.run import Outcome
from hub_api.whatsapp.connect.setup import Answers
from tests.support.hub import Hub, make_settings
from tests.support.simulator import test_config

PHONE = "+5511987654321"


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(test_config(enforce_limits=frozenset({"payment"}), asynchronous_codes=frozenset())) as running:
        yield running


@pytest.fixture
def settings(database_url: str, redis_url: str, sim: Simulator, tmp_path: Path) -> Settings:
    return make_settings(database_url, redis_url, meta_base_url=sim.url, home=tmp_path / "home")


@pytest.fixture
async def live(hub: Hub, sim: Simulator) -> AsyncIterator[Hub]:
    """The hub with its workers running, and the simulator's webhooks on their way to it."""
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"

    async def work() -> None:
        while True:
            await hub.settled()
            await asyncio.sleep(0.02)

    worker = asyncio.create_task(work())
    yield hub
    worker.cancel()


async def connect(settings: Settings, url: str | None, *, skip: tuple[str, ...] = (), **given: Any) -> list[Outcome]:
    answers = Answers(
        **{
            "token": TOKEN,
            "url": url,
            "phone_number_id": PHONE_NUMBER_ID,
            "test_to": PHONE,
            "message_within_s": 20,
            **given,
        }
    )
    return await connect_operations.connected(settings, answers, lambda _: None, skip=skip)


def failed(outcomes: list[Outcome]) -> dict[str, str]:
    for outcome in outcomes:
        for language in ("pt", "en"):
            assert texts.found(outcome, language) and (texts.remedy(outcome, language) or outcome.state != "failed")
    return {outcome.step: outcome.code for outcome in outcomes if outcome.state == "failed"}
