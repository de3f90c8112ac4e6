"""A simulated history is the same in PostgreSQL, whose rows it is, and in the warehouse, which heard of it by events."""

import asyncio
from datetime import datetime, timedelta

import pytest

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import connect
from hub_api.platform.services import open_services
from hub_api.simulator.history.run import Plan, make_history
from pipelines.materialize import days_between, materialize
from tests.support.chance import drawn_seed
from tests.support.hub import make_settings
from tests.support.tables import made_of

SEED = drawn_seed()
DAYS = 5
TALKS = """
SELECT (v.opened_at AT TIME ZONE 'America/Sao_Paulo')::date AS day, count(*), count(v.first_response_at), coalesce(sum(v.satisfaction), 0),
    count(v.nps), coalesce(sum(v.nps), 0), sum(m.inbound), sum(m.outbound)
FROM conversations v
JOIN (
    SELECT conversation_id, count(*) FILTER (WHERE direction = 'in') AS inbound, count(*) FILTER (WHERE direction = 'out') AS outbound
    FROM messages GROUP BY conversation_id
) AS m ON m.conversation_id = v.id
WHERE v.is_demand  -- what a campaign began, and nobody answered, is no conversation yet
GROUP BY day ORDER BY day
"""
FACTS = """
SELECT day, count(), count(first_response_seconds), ifNull(sum(satisfaction), 0), count(nps), ifNull(sum(nps), 0), sum(messages_in), sum(messages_out)
FROM gold.conversation_facts GROUP BY day ORDER BY day
"""


@pytest.mark.usefixtures("data_settings")
async def test_every_day_has_the_same_figures_on_both_sides(database_url, redis_url, warehouse_server):
    settings = make_settings(database_url, redis_url, clickhouse_url=warehouse_server.url())
    async with open_services(settings, lambda events: (), "test") as services:
        counts = await make_history(services, Plan(DAYS, customers=600, seed=SEED))
        talks = [tuple(row) for row in await services.db.fetch(TALKS)]
        business = {
            kind: await services.db.fetchval(f"SELECT count(*) FROM {kind}")
            for kind in ("plans", "contracts", "invoices", "payments", "outages")
        }
    assert await relay_until_empty(settings) == counts["events"]
    today = datetime.now(settings.zone).date()
    days, only = days_between(today - timedelta(days=DAYS + 2), today), made_of("gold/conversation_facts")
    await asyncio.to_thread(materialize, settings, days, only=only)
    client = connect(settings.clickhouse_url)
    assert client.query(FACTS).result_rows == talks, f"seed {SEED}"
    heard = client.query(
        "SELECT kind, uniqExact(aggregate_id) FROM bronze.events WHERE type = 'business.recorded' GROUP BY kind"
    ).result_rows
    client.close()
    assert business.items() <= dict(heard).items(), f"seed {SEED}"
