"""A hub whose Meta is the simulator, with people and templates for campaigns."""

from collections.abc import AsyncIterator

import pytest

from hub_api.settings import Settings
from hub_api.simulator.server import Simulator
from tests.campaigns.engine.stage import Stage, on_stage
from tests.support.hub import make_settings, running_hub
from tests.whatsapp.send.conftest import sim

__all__ = ["sim"]


@pytest.fixture
def settings(database_url: str, redis_url: str, sim: Simulator) -> Settings:
    """Settings whose Meta is the simulator, and whose links may lead to the shop."""
    return make_settings(
        database_url, redis_url, meta_base_url=sim.url, send_timeout_s=10.0, link_hosts=("loja.example.com",)
    )


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """See stage.py."""
    async with running_hub(settings) as hub:
        yield await on_stage(hub)
