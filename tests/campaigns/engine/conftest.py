"""A hub whose Meta is the simulator, with people and templates for campaigns."""

from collections.abc import AsyncIterator

import pytest

from hub_api.settings import Settings
from hub_api.simulator.server import Simulator
from tests.campaigns.engine.stage import Stage, on_stage
from tests.support.data import empty
from tests.support.hub import make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse
from tests.whatsapp.send.conftest import sim

__all__ = ["sim"]


@pytest.fixture
def settings(database_url: str, redis_url: str, sim: Simulator) -> Settings:
    """Settings whose Meta is the simulator, and whose links may lead to the shop."""
    return make_settings(
        database_url, redis_url, meta_base_url=sim.url, send_timeout_s=10.0, link_hosts=("loja.example.com",)
    )


@pytest.fixture
def with_warehouse(database_url: str, redis_url: str, sim: Simulator, warehouse_server: EmbeddedWarehouse) -> Settings:
    """Settings whose Meta is the simulator, with the session's warehouse, emptied: for modules whose `settings` are these."""
    empty(warehouse_server.url())
    return make_settings(
        database_url, redis_url, meta_base_url=sim.url, send_timeout_s=10.0, clickhouse_url=warehouse_server.url()
    )


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """See stage.py; in a hub with the module's own `settings` where it has some."""
    async with running_hub(settings) as hub:
        yield await on_stage(hub)
