"""A campaign through the hub's doors on a running pool: customers who consented, a plan, a second person, a start."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import aiohttp
import orjson

from hub_api.auth.keys import create_key
from tests.support.pool import Pool

_PEOPLE = """
WITH people AS (
    INSERT INTO customers (id, name, phone, shard_id, state_code)
    SELECT gen_random_uuid(), 'Cliente ' || n, '5531' || (900000000 + n), n % 8, $2 FROM generate_series(1, $1::int) AS n
    RETURNING id, phone
), identities AS (
    INSERT INTO customer_identities (id, customer_id, kind, value)
    SELECT gen_random_uuid(), id, kind, phone FROM people CROSS JOIN (VALUES ('wa_id'), ('phone')) AS kinds (kind)
), consents AS (
    INSERT INTO consent_ledger (id, customer_id, scope, granted, source, occurred_at)
    SELECT gen_random_uuid(), id, 'marketing', true, 'import', now() - interval '9 days' FROM people
)
SELECT id FROM people
"""


async def begin_campaign(
    pool: Pool, people: int, state: str, before_start: Callable[[], Awaitable[Any]] | None = None
) -> UUID:
    """Start a campaign to `people` new customers; its id. `before_start`: what happens to them before it begins."""
    ids = [str(row["id"]) for row in await pool.db.fetch(_PEOPLE, people, state)]
    upload = await pool.api("POST", "campaign-audiences", {"name": "p.csv", "csv": "customer_id\n" + "\n".join(ids)})
    variable = {"body.1": {"source": "customer.first_name", "fallback": "cliente"}}
    message = {"template_name": "oferta_fibra", "template_language": "pt_BR", "variables": variable}
    made = await pool.api("POST", "campaigns", {
        "name": "Fibra", "audience": {"upload_id": upload["id"]},
        "variants": [{"name": "a", "share": 0.5, **message}, {"name": "b", "share": 0.5, **message}],
        "schedule": {"hours": "1-7 00:00-23:59", "holidays": False}, "pacing": {"runway": min(20_000, max(50, people // 4))},
    })  # fmt: skip
    if before_start is not None:
        await before_start()
    await pool.api("POST", f"campaigns/{made['id']}/submit")
    key = await create_key(pool.db, f"supervisor {made['id']}", ["campaigns:read", "campaigns:approve"])
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as supervisor:
        for verb in ("approve", "start"):
            async with supervisor.post(f"{pool.api_url}/api/v1/campaigns/{made['id']}/{verb}") as answer:
                assert answer.status == 200, await answer.text()
    return UUID(made["id"])


async def recipients(pool: Pool, campaign_id: UUID) -> dict[str, int]:
    """Recipients by state."""
    rows = await pool.db.fetch(
        "SELECT state, count(*) AS n FROM campaign_recipients WHERE campaign_id = $1 GROUP BY state", campaign_id
    )
    return {row["state"]: row["n"] for row in rows}


async def accepted_by_recipient(pool: Pool, campaign_id: UUID) -> dict[str, int]:
    """Calls that the simulator accepted, by message of the campaign."""
    rows = await pool.db.fetch(
        "SELECT m.id FROM messages m JOIN campaign_recipients r ON r.customer_id = m.customer_id "
        "WHERE r.campaign_id = $1 AND m.author = 'campaign'",
        campaign_id,
    )
    told: Any = await pool.simulator("POST", "accepted", {"ids": [row["id"].hex for row in rows]})
    assert orjson.dumps(told["more_than_once"]) == b"{}", "sent twice"
    counts: dict[str, int] = told["accepted"]
    return counts
