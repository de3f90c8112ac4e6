"""kill -9 of each part of the stack in the middle of a campaign: everybody who may get it gets it once or is listed as unknown, nobody
else does, and the frozen list is what it was. Small in `make test`; 200,000 recipients in `make soak`."""

import asyncio
import hashlib
import os
from contextlib import suppress
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from hub_api.auth.keys import create_key
from tests.campaigns.engine.stage import awake
from tests.faults.campaigning import begin_campaign
from tests.faults.conftest import DEADLINE_S, FaultStack
from tests.support.pool import queries
from tests.support.waiting import eventually, wait_until

PEOPLE = int(os.environ.get("HUB_TEST_CAMPAIGN_PEOPLE", "400"))
PARTS = ("api", "relay", "worker-1", "scheduler", "valkey", "worker-2", "postgres")
PACE = max(20, PEOPLE // 100)  # messages a second
PATIENCE_S = 240 + PEOPLE / 20

pytestmark = pytest.mark.timeout(300 + PATIENCE_S)

# A tenth has not consented, a tenth is on a list of suppressions, a twentieth is talking with a person: by the last digits.
_INELIGIBLE = """
WITH people AS (SELECT id, phone::bigint % 20 AS digit FROM customers WHERE phone LIKE '5531%'),
no_consent AS (
    DELETE FROM consent_ledger l USING people p WHERE l.customer_id = p.id AND p.digit IN (1, 2) RETURNING 1
), stopped AS (
    INSERT INTO suppressions (customer_id, scope, reason) SELECT id, 'marketing', 'customer' FROM people WHERE digit IN (3, 4) RETURNING 1
), gone AS (
    UPDATE customers c SET status = 'blocked' FROM people p WHERE c.id = p.id AND p.digit = 5 RETURNING 1
)
SELECT (SELECT count(*) FROM no_consent) + (SELECT count(*) FROM stopped) + (SELECT count(*) FROM gone)
"""
_REASONS = "SELECT CASE WHEN phone::bigint % 20 IN (1, 2) THEN 'no_consent' WHEN phone::bigint % 20 IN (3, 4) THEN 'suppressed' ELSE 'gone' END AS reason, count(*) AS n FROM customers WHERE phone LIKE '5531%' AND phone::bigint % 20 BETWEEN 1 AND 5 GROUP BY 1"
_LEFT = "SELECT count(*) FROM campaign_recipients WHERE campaign_id = $1 AND state IN ('sent', 'unknown', 'failed')"
_STATES = "SELECT state, excluded_for, count(*) AS n FROM campaign_recipients WHERE campaign_id = $1 GROUP BY 1, 2"
_MEMBERS = "SELECT customer_id FROM campaign_recipients WHERE campaign_id = $1 AND step = 0 ORDER BY customer_id"
_MESSAGES = """
SELECT m.id, r.state, r.customer_id FROM campaign_recipients r JOIN messages m ON m.customer_id = r.customer_id AND m.author = 'campaign'
WHERE r.campaign_id = $1
"""


class Doors:
    """The stack's API and PostgreSQL, as tests/faults/campaigning.py uses a pool's."""

    def __init__(self, stack: FaultStack, db: asyncpg.Connection, http: aiohttp.ClientSession) -> None:
        self.stack, self.db, self.http = stack, db, http
        self.api_url = f"http://127.0.0.1:{stack.env_now['HUB_API_PORT']}"

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call that must succeed."""
        async with self.http.request(method, f"{self.api_url}/api/v1/{path}", json=body) as answer:
            assert answer.status < 400, f"{method} {path}: {answer.status} {await answer.text()}"
            return await answer.json()


async def begin(stack: FaultStack) -> UUID:
    """Consenting people, a fifth and more of whom may not be written to, and a campaign to all of them."""
    db = await asyncpg.connect(stack.env_now["HUB_DATABASE_URL"])
    try:
        # Slow enough to die in the middle of it when it is small; no quota, and no look at Meta's numbers that brings them back.
        await db.execute("UPDATE whatsapp_numbers SET throughput_mps = $1, next_check_at = 'infinity'", PACE)
        await db.execute("UPDATE whatsapp_portfolios SET messaging_limit = NULL")
        key = await create_key(db, "campaign kills", ["*"])
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
            doors = Doors(stack, db, http)
            (account,) = [row["id"] for row in await db.fetch("SELECT id FROM whatsapp_accounts")]
            await doors.api("POST", f"whatsapp/accounts/{account}/templates/sync")
            return await begin_campaign(doors, PEOPLE, awake(), before_start=lambda: db.fetchval(_INELIGIBLE))  # type: ignore[arg-type]
    finally:
        await db.close()


def hash_of(rows: list[asyncpg.Record]) -> bytes:
    return hashlib.sha256(b"".join(row["customer_id"].bytes for row in rows)).digest()


async def kill_each(stack: FaultStack, campaign_id: UUID, eligible: int) -> None:
    """Each part in its turn, spread over the campaign."""
    for turn, part in enumerate(PARTS, start=1):
        wanted = eligible * turn // (len(PARTS) + 1)

        async def so_far(wanted: int = wanted) -> bool:
            left = await asyncio.to_thread(stack.value, _LEFT, campaign_id)
            assert left >= wanted, f"{left} of {wanted} have left"
            return True

        await eventually(so_far, PATIENCE_S, every_s=0.3)
        await asyncio.to_thread(stack.kill, part)


def test_a_campaign_outlives_the_death_of_every_part(stack: FaultStack) -> None:
    before = {part: stack.state_of(part)["restarts"] for part in PARTS}
    campaign_id = asyncio.run(begin(stack))
    reasons = {row["reason"]: row["n"] for row in stack.rows(_REASONS)}
    eligible = PEOPLE - sum(reasons.values())
    frozen = wait_until(
        lambda: stack.rows("SELECT members_sha256, members FROM campaign_runs WHERE campaign_id = $1 AND frozen_at IS NOT NULL", campaign_id),
        PATIENCE_S,
    )[0]  # fmt: skip
    asyncio.run(kill_each(stack, campaign_id, eligible))

    def over() -> bool:
        with suppress(Exception):  # a message whose sender died is in doubt after a minute; these look a minute old
            stack.rows(queries.age_claims, 60.0)
        states = {row["state"]: row["n"] for row in stack.rows(_STATES, campaign_id) if row["excluded_for"] is None}
        assert not states.keys() & {"pending", "queued"}, states
        return bool(stack.value("SELECT state = 'completed' FROM campaigns WHERE id = $1", campaign_id))

    wait_until(over, PATIENCE_S, every_s=0.5)
    wait_until(lambda: all(stack.state_of(part)["restarts"] > before[part] for part in PARTS), DEADLINE_S)
    states = [dict(row) for row in stack.rows(_STATES, campaign_id)]
    assert {row["excluded_for"]: row["n"] for row in states if row["excluded_for"]} == reasons
    reached = {row["state"]: row["n"] for row in states if row["excluded_for"] is None}
    assert reached.keys() <= {"sent", "unknown"} and sum(reached.values()) == eligible
    messages = stack.rows(_MESSAGES, campaign_id)
    told = asyncio.run(stack.simulator("POST", "accepted", {"ids": [row["id"].hex for row in messages]}))
    assert told["more_than_once"] == {}, "sent twice"
    calls: dict[UUID, int] = {}
    for row in messages:
        calls[row["customer_id"]] = calls.get(row["customer_id"], 0) + told["accepted"][row["id"].hex]
    sent = {row["customer_id"] for row in messages if row["state"] == "sent"}
    assert all(calls[one] == 1 for one in sent), "counted as sent: once each"
    assert all(n <= 1 for n in calls.values()) and len(calls) == eligible, "nobody twice, nobody ineligible"
    after = stack.rows("SELECT members_sha256, members FROM campaign_runs WHERE campaign_id = $1", campaign_id)[0]
    members = stack.rows(_MEMBERS, campaign_id)
    assert dict(after) == dict(frozen) and hash_of(members) == after["members_sha256"] and len(members) == PEOPLE
    print(f"campaign of {PEOPLE}: {reached}, left out {reasons}; killed {', '.join(PARTS)}")
    stack.rows("UPDATE whatsapp_numbers SET throughput_mps = 80, next_check_at = now() RETURNING id")
    wait_until(stack.all_ready, DEADLINE_S)
