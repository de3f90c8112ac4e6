"""Frozen lists from the warehouse: the segment's own people, with columns and habits; the same hash each time; taken over when dead."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub_api import campaign_jobs
from hub_api.campaigns.lists import freeze
from hub_api.platform.clickhouse import connect
from hub_api.platform.ids import uuid7
from hub_api.simulator.server import Simulator
from tests.auth.people import call
from tests.campaigns.engine.stage import ALWAYS, CAMPAIGNS, Stage, on_stage
from tests.models_ml.segmentation.world import IDS, World, make_world
from tests.support.data import empty
from tests.support.hub import make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse

EVERYBODY: dict[str, Any] = {"type": "not", "of": {"type": "consent", "scope": "marketing", "state": "refused"}}


@pytest.fixture
def world(warehouse_server: EmbeddedWarehouse) -> Iterator[World]:
    empty(warehouse_server.url())
    client = connect(warehouse_server.url())
    yield make_world(client)
    client.close()
    empty(warehouse_server.url())


@pytest.fixture
async def stage(
    database_url: str, redis_url: str, sim: Simulator, warehouse_server: EmbeddedWarehouse, world: World
) -> AsyncIterator[Stage]:
    """A stage with this warehouse, whose customers PostgreSQL knows too."""
    settings = make_settings(database_url, redis_url, meta_base_url=sim.url, clickhouse_url=warehouse_server.url())
    async with running_hub(settings) as hub:
        await hub.fetch(
            "INSERT INTO customers (id, name, phone, state_code) SELECT id, 'Ana Lima', '+55119876543' || n, 'SP' "
            "FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, n)",
            IDS,
        )
        yield await on_stage(hub)


async def test_the_list_is_the_segments_people_with_what_their_message_needs(stage: Stage) -> None:
    variables = {"body.1": {"source": "feature.city", "fallback": "sua cidade"}}
    message = {"name": "a", "template_name": "boas_vindas", "template_language": "pt_BR", "variables": variables}
    plan = {
        "name": "Aviso", "lane": "utility", "audience": {"definition": EVERYBODY}, "variants": [message],
        "schedule": {**ALWAYS, "best_hour": True},
    }  # fmt: skip
    status, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=plan)
    assert status == 201, made
    _, preview = await call(
        stage.hub, "POST", "/api/v1/segments/preview", stage.marketer.headers, json={"definition": EVERYBODY}
    )
    _, checked = await call(stage.hub, "POST", f"{CAMPAIGNS}/{made['id']}/check", stage.marketer.headers)
    assert checked["problems"] == [] and checked["members"] == preview["members"] > 0, checked
    runs = []
    for occurrence in ("once", "again"):
        run_id = uuid7()
        await stage.hub.fetch(
            "INSERT INTO campaign_runs (id, campaign_id, occurrence) VALUES ($1, $2, $3)",
            run_id,
            made["id"],
            occurrence,
        )
        assert await freeze.freeze(stage.hub.services, campaign_jobs.CHANNEL, run_id) == preview["members"]
        runs.append(await stage.hub.services.db.fetchrow("SELECT * FROM campaign_runs WHERE id = $1", run_id))
    first, second = runs
    assert first["members_sha256"] == second["members_sha256"] and first["state"] == "frozen"
    assert str(first["as_of"]) == preview["as_of"] and first["asset_version"] and first["definition"]
    members = await stage.hub.fetch(
        "SELECT * FROM campaign_recipients WHERE run_id = $1 ORDER BY customer_id", first["id"]
    )
    assert hashlib.sha256(b"".join(row["customer_id"].bytes for row in members)).digest() == first["members_sha256"]
    assert {key for row in members for key in row["variables"] or {}} <= {"feature.city"}
    assert await freeze.freeze(stage.hub.services, campaign_jobs.CHANNEL, first["id"]) is None, "it is frozen for good"


async def test_a_freeze_that_died_is_taken_over_and_one_that_lives_is_not(stage: Stage) -> None:
    people = await stage.people(5)
    plan = await stage.plan(people)
    _, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=plan)
    run_id = uuid7()
    await stage.hub.fetch(
        "INSERT INTO campaign_runs (id, campaign_id, occurrence, last_turn_at) VALUES ($1, $2, 'once', $3)",
        run_id, made["id"], datetime.now(UTC) - timedelta(seconds=20),
    )  # fmt: skip
    assert await freeze.freeze(stage.hub.services, campaign_jobs.CHANNEL, run_id) is None
    await stage.hub.fetch(
        "INSERT INTO campaign_recipients (campaign_id, run_id, customer_id, variant, position, state) VALUES ($1, $2, $3, '', 0, 'pending')",
        made["id"], run_id, uuid7(),
    )  # fmt: skip
    await stage.hub.fetch("UPDATE campaign_runs SET last_turn_at = now() - interval '2 minutes'")
    assert await freeze.freeze(stage.hub.services, campaign_jobs.CHANNEL, run_id) == 5
    assert await stage.hub.fetchval("SELECT count(*) FROM campaign_recipients WHERE run_id = $1", run_id) == 5
