"""A simulated history is consistent, reproducible by seed, and holds its causes in behaviour."""

import json
from random import SystemRandom

import pytest

from hub_api.errors import Conflict
from hub_api.platform.services import open_services
from hub_api.simulator.history.run import Plan, make_history
from tests.support.hub import make_settings

SEED = SystemRandom().randrange(1_000_000)  # drawn at run time: nothing may depend on a lucky seed
FINGERPRINT = """
SELECT md5(string_agg(row::text, '|' ORDER BY row::text)) FROM (
    SELECT (id, created_at, conversation_id, direction, author, content, state, delivered_at, read_at) AS row FROM messages
    UNION ALL SELECT (id, opened_at, customer_id, state::text, satisfaction::text, ''::text, ''::text, resolved_at, closed_at) FROM conversations
) AS rows
"""


@pytest.fixture
async def empty_hub(database_url, redis_url):
    async with open_services(make_settings(database_url, redis_url), lambda events: (), "test") as services:
        yield services


async def test_a_history_fits_its_own_events_and_the_schema(empty_hub, tmp_path):
    counts = await make_history(empty_hub, Plan(days=10, customers=300, seed=SEED), manifest=tmp_path / "manifest.json")
    fetchval = empty_hub.db.fetchval
    assert counts["conversations"] == await fetchval("SELECT count(*) FROM conversations") > 20
    assert await fetchval("SELECT count(*) FROM messages") == await fetchval("SELECT count(*) FROM message_key")
    folded = await fetchval("""
        SELECT count(*) FROM conversations c
        JOIN LATERAL (
            SELECT payload ->> 'to_state' AS state FROM events
            WHERE aggregate_id = c.id AND type = 'conversation.state_changed' ORDER BY aggregate_version DESC LIMIT 1
        ) AS last ON last.state = c.state
    """)
    assert folded == counts["conversations"], f"seed {SEED}: rows and folded events differ"
    illegal = await fetchval("""
        SELECT count(*) FROM events e WHERE type = 'conversation.state_changed' AND NOT EXISTS (
            SELECT FROM conversation_transition t
            WHERE t.from_state = e.payload ->> 'from_state' AND t.to_state = e.payload ->> 'to_state')
    """)
    assert illegal == 0, f"seed {SEED}: a transition the live hub would refuse"
    assert await fetchval("SELECT count(*) FROM messages_default") == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["seed"] == SEED and manifest["rows"] == counts


async def test_the_same_seed_makes_the_same_history(databases, redis_url):
    prints = []
    for seed in (SEED, SEED, SEED + 1):
        url = databases.create()
        async with open_services(make_settings(url, redis_url), lambda events: (), "test") as services:
            await make_history(services, Plan(days=4, customers=150, seed=seed))
            prints.append(await services.db.fetchval(FINGERPRINT))
        databases.drop(url)
    assert prints[0] == prints[1] != prints[2]


async def test_history_is_refused_where_there_are_customers_already(empty_hub):
    await make_history(empty_hub, Plan(days=2, customers=5, seed=SEED))
    with pytest.raises(Conflict, match="already has customers"):
        await make_history(empty_hub, Plan(days=2, customers=5, seed=SEED))


async def test_waiting_lowers_satisfaction_as_planted(empty_hub):
    await make_history(empty_hub, Plan(days=30, customers=4000, seed=SEED))
    slope = await empty_hub.db.fetchval("""
        SELECT regr_slope(satisfaction, extract(epoch FROM first_response_at - queued_at) / 600)
        FROM conversations WHERE satisfaction IS NOT NULL AND first_response_at IS NOT NULL
    """)
    assert -0.9 < slope < -0.05, f"seed {SEED}: slope per ten minutes is {slope}"
