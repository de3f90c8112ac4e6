"""The simulator as Meta, and services that send to it."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.server import Simulator
from tests.support.hub import make_settings
from tests.support.sending import add_our_number
from tests.support.simulator import test_config


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator without limits and webhooks; a test enforces what it is about."""
    async with Simulator(test_config(enforce_limits=frozenset())) as running:
        yield running


@pytest.fixture
def settings(database_url: str, redis_url: str, sim: Simulator) -> Settings:
    """Settings whose Meta is the simulator."""
    return make_settings(database_url, redis_url, meta_base_url=sim.url, send_timeout_s=10.0)


@pytest.fixture
async def number_id(services: Services) -> UUID:
    """Our number at the simulator, with a limit that no test meets by chance."""
    return await add_our_number(services, throughput_mps=1000)
