"""An account of ours at the simulator, whose webhooks reach the hub when a test has one."""

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
    """A simulator that limits management calls, and reviews when a test says so."""
    async with Simulator(test_config(enforce_limits=frozenset({"management"}), template_review_s=3_600)) as running:
        yield running


@pytest.fixture
def settings(database_url: str, redis_url: str, sim: Simulator) -> Settings:
    """Settings whose Meta is the simulator."""
    return make_settings(database_url, redis_url, meta_base_url=sim.url)


@pytest.fixture
async def account_id(services: Services) -> UUID:
    """Our account, with a number."""
    await add_our_number(services)
    return await services.db.fetchval("SELECT id FROM whatsapp_accounts")
