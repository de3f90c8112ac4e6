"""A hub with customers who wrote, and links that may lead to our shop."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from tests.auth.people import add_conversation, call
from tests.support.data import empty
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse

SHOP = "https://loja.example.com"


@dataclass
class Person:
    """A customer with his conversation."""

    id: UUID
    phone: str
    conversation: UUID


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Links may lead to the shop and to whatever is under its other domain."""
    return make_settings(database_url, redis_url, link_hosts=("loja.example.com", ".telecom.example"))


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    """The application on a port."""
    async with running_hub(settings) as running:
        yield running


@pytest.fixture
async def whole(settings: Settings, warehouse_server: EmbeddedWarehouse) -> AsyncIterator[Hub]:
    """The same with the session's warehouse, emptied."""
    empty(warehouse_server.url())
    async with running_hub(settings.model_copy(update={"clickhouse_url": warehouse_server.url()})) as running:
        yield running


async def add_person(hub: Hub, phone: str = "+5511987654321") -> Person:
    """A customer with a phone, whose conversation is with the bot."""
    made = await add_conversation(hub, None, "bom dia")
    await hub.fetch("UPDATE customers SET phone = $2 WHERE id = $1", made["customer"], phone)
    await hub.fetch(
        "INSERT INTO customer_identities (id, customer_id, kind, value) VALUES (gen_random_uuid(), $1, 'phone', $2) "
        "ON CONFLICT DO NOTHING",
        made["customer"], phone,
    )  # fmt: skip
    return Person(made["customer"], phone, made["conversation"])


async def api(hub: Hub, method: str, path: str, **arguments: Any) -> tuple[int, Any]:
    """A call by somebody who may do everything."""
    return await call(hub, method, f"/api/v1{path}", hub.auth, **arguments)


async def add_campaign(hub: Hub) -> UUID:
    """A campaign that was approved and runs, as its rows are."""
    campaign = uuid7()
    await hub.fetch(
        "INSERT INTO campaigns (id, name, state, audience, goal, window_days, created_by, edited_by, approved_by, started_at) "
        "VALUES ($1, 'Turbo', 'running', '{}', 'purchase', 7, 'user:1', 'user:1', 'user:2', now())",
        campaign,
    )
    return campaign


async def address(hub: Hub, campaign: UUID, person: Person, message: UUID | None, state: str = "queued") -> UUID:
    """The person's row in the campaign's frozen list, in a run of its own."""
    run = uuid7()
    await hub.fetch(
        "INSERT INTO campaign_runs (id, campaign_id, occurrence, state, as_of, asset_version, members, members_sha256, frozen_at) "
        "VALUES ($1, $2, $3, 'running', '2026-11-25', 'b7', 1, $4, now())",
        run, campaign, str(run), hashlib.sha256(person.id.bytes).digest(),
    )  # fmt: skip
    await hub.fetch(
        "INSERT INTO campaign_recipients (campaign_id, run_id, customer_id, variant, position, state, message_id, "
        "message_created_at, queued_at) VALUES ($1, $2, $3, 'a', 0, $4, $5, now(), now() - interval '1 minute')",
        campaign, run, person.id, state, message,
    )  # fmt: skip
    return run
