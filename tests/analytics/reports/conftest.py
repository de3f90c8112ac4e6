"""A hub with a warehouse of three days, a mail sink, and a number at the simulator with a template for reports."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from hub_api.simulator.config import WABA_ID
from hub_api.simulator.demo import connect_number
from hub_api.simulator.model import Template
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.templates.sync import sync_templates
from tests.assets.conftest import Given
from tests.assets.test_kpi_tables import random_events
from tests.support.data import empty
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.simulator import TOKEN, test_config
from tests.support.warehouse import EmbeddedWarehouse

DAYS = ["2026-03-10", "2026-03-11", "2026-03-12"]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(test_config(), smtp_port=0) as simulator:
        yield simulator


@pytest.fixture
async def hub(
    database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse, sim: Simulator
) -> AsyncIterator[Hub]:
    empty(warehouse_server.url())
    settings = make_settings(
        database_url, redis_url, clickhouse_url=warehouse_server.url(), meta_base_url=sim.url,
        smtp_url=f"smtp://127.0.0.1:{sim.core.post.smtp_port}",
    )  # fmt: skip
    async with running_hub(settings) as running:
        yield running


@pytest.fixture
async def built(hub: Hub) -> None:
    """Three days of random talks in the warehouse, the last one complete."""

    def build() -> None:
        given = Given(hub.services.settings)
        given(*random_events(Random(7)))
        given.build(*DAYS)
        given.warehouse.client.command("INSERT INTO gold.built_days (day, batch) VALUES ('2026-03-12', 1)")
        given.warehouse.close()

    await asyncio.to_thread(build)


@pytest.fixture
async def number(hub: Hub, sim: Simulator) -> None:
    """Our number, and the template `relatorio` with a document above its body."""
    header = {"type": "HEADER", "format": "DOCUMENT", "example": {"header_handle": ["4::aW"]}}
    components: list[dict[str, Any]] = [header, {"type": "BODY", "text": "Segue o relatório do período."}]
    template = Template("9001", "relatorio", "pt_BR", "UTILITY", components)
    sim.core.world.wabas[WABA_ID].templates[(template.name, template.language)] = template
    await connect_number(hub.services.settings, TOKEN)
    await sync_templates(hub.services, await hub.fetchval("SELECT id FROM whatsapp_accounts"))


async def mails(hub: Hub, sim: Simulator) -> list[dict[str, Any]]:
    """What the sink has, oldest first."""
    async with hub.session.get(f"{sim.url}/_sim/post.json") as answer:
        return list(reversed(await answer.json(content_type=None)))
