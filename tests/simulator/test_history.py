"""A simulated history is consistent, reproducible by seed, and holds its causes in behaviour."""

import json
from datetime import datetime, time, timedelta

import pytest

from hub_api.errors import Conflict, Invalid
from hub_api.platform.services import open_services
from hub_api.simulator.history.run import Plan, cut_off, make_history
from tests.support.chance import drawn_seed
from tests.support.hub import make_settings

SEED = drawn_seed()
FINGERPRINT = """
SELECT md5(string_agg(row, '|' ORDER BY row)) FROM (
    SELECT (id, created_at, conversation_id, direction, author, content, state, delivered_at, read_at)::text AS row FROM messages
    UNION ALL SELECT (id, opened_at, customer_id, state, satisfaction, nps, resolved_at, closed_at)::text FROM conversations
    UNION ALL SELECT (id, name, phone, state_code)::text FROM customers
    UNION ALL SELECT (customer_id, kind, value)::text FROM customer_identities
    UNION ALL SELECT contracts::text FROM contracts UNION ALL SELECT invoices::text FROM invoices
    UNION ALL SELECT payments::text FROM payments UNION ALL SELECT outages::text FROM outages
    UNION ALL SELECT service_tickets::text FROM service_tickets
    UNION ALL SELECT (customer_id, scope, granted, occurred_at)::text FROM consent_ledger
    UNION ALL SELECT (type, aggregate_id, aggregate_version, occurred_at)::text FROM events
    UNION ALL SELECT payload::text FROM events WHERE type LIKE 'experiment.%' OR type = 'goal.recorded'
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
    begun = await fetchval("SELECT count(*) FROM conversations WHERE NOT is_demand")  # by us: no event tells of them
    assert folded + begun == counts["conversations"], f"seed {SEED}: rows and folded events differ"
    illegal = await fetchval("""
        SELECT count(*) FROM events e WHERE type = 'conversation.state_changed' AND NOT EXISTS (
            SELECT FROM conversation_transition t
            WHERE t.from_state = e.payload ->> 'from_state' AND t.to_state = e.payload ->> 'to_state')
    """)
    assert illegal == 0, f"seed {SEED}: a transition the live hub would refuse"
    assert await fetchval("SELECT count(*) FROM messages_default") == 0
    assert await fetchval(r"SELECT count(*) FROM customers WHERE phone ~ '^\+55\d{11}$'") == counts["customers"] == 300
    assert (
        await fetchval(
            "SELECT count(*) FROM contracts c JOIN customers p ON p.id = c.customer_id AND p.phone = c.phone"
        )
        == counts["contracts"]
        == 300
    )
    assert counts["events"] == await fetchval("SELECT count(*) FROM events")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["seed"] == SEED and manifest["rows"] == counts


async def test_nothing_in_a_history_lies_in_the_future_or_outside_its_days(empty_hub):
    zone = empty_hub.settings.zone
    last = datetime.now(zone).date() - timedelta(days=40)
    plan = Plan(days=12, customers=2_000, seed=SEED, until=last)
    await make_history(empty_hub, plan)
    assert plan.first_day(zone) == last - timedelta(days=11)
    begin, end = [datetime.combine(last + timedelta(days=days), time(), zone) for days in (-11, 1)]
    span = await empty_hub.db.fetchrow("SELECT min(opened_at), max(opened_at) FROM conversations")
    assert begin <= span["min"] and span["max"] < end
    newest = await empty_hub.db.fetchval("""
        SELECT greatest((SELECT max(occurred_at) FROM events), (SELECT max(read_at) FROM messages),
            (SELECT max(closed_at) FROM conversations), (SELECT max(paid_at) FROM payments), (SELECT max(ended_at) FROM outages),
            (SELECT max(closed_at) FROM service_tickets))
    """)
    assert newest < end + timedelta(hours=6), f"seed {SEED}"
    oldest = await empty_hub.db.fetchval("SELECT min(occurred_at) FROM events WHERE type = 'business.recorded'")
    assert begin <= oldest


async def test_days_that_are_not_over_are_refused(empty_hub):
    today = datetime.now(empty_hub.settings.zone).date()
    with pytest.raises(Invalid, match="ends on"):
        await make_history(empty_hub, Plan(days=2, customers=5, seed=SEED, until=today))


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


async def test_a_history_that_was_cut_off_is_told_with_what_to_do(empty_hub, tmp_path):
    manifest, plan = tmp_path / "manifest.json", Plan(days=4, customers=50, seed=SEED)

    def cut(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await make_history(empty_hub, plan, manifest=manifest, progress=cut)
    assert "empty HUB_HOME" in (cut_off(manifest) or "") and not manifest.exists()
    with pytest.raises(Conflict, match="was cut off"):
        await make_history(empty_hub, plan, manifest=manifest)


async def test_a_whole_history_leaves_no_mark(empty_hub, tmp_path):
    await make_history(empty_hub, Plan(days=2, customers=5, seed=SEED), manifest=tmp_path / "manifest.json")
    assert cut_off(tmp_path / "manifest.json") is None
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]
