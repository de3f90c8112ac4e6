"""(j) Campaigns: from "send now" to the first message for a million recipients, rows frozen a second beside a raw COPY, memory; the
redirect of a tracked link, and a campaign's live results.

The people have consented, one in ten has not, one in twenty is on a list. Time runs from the start through the freeze to Meta's answer.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from hub_api import campaign_jobs, roles
from hub_api.auth.keys import create_key
from hub_api.campaigns.links import codes
from hub_api.platform.clickhouse import apply_schema, connect
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import create_pool
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.whatsapp.templates.sync import sync_templates
from tests.benchmarks.load import Result, http_request, run_load
from tests.benchmarks.report import Row, peak_memory
from tests.benchmarks.stack import Engines, add_numbers, engines, running, serving, simulating
from tests.support.hub import make_settings
from tests.support.warehouse import EmbeddedWarehouse

PEOPLE, LINKS, MESSAGES = 1_000_000, 50_000, 100_000
REDIRECT_RATE, RESULTS_RATE, SECONDS = 100.0, 0.5, 20
REDIRECT_BAR_MS, RESULTS_BAR_MS = 50.0, 1_000.0
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"

_PEOPLE = """
WITH people AS (
    INSERT INTO customers (id, name, phone, shard_id, state_code)
    SELECT gen_random_uuid(), 'Cliente ' || n, '5531' || (900000000 + n), n % 8, 'SP' FROM generate_series($1::int, $2::int) AS n
    RETURNING id, phone, phone::bigint % 20 AS digit
), consents AS (
    INSERT INTO consent_ledger (id, customer_id, scope, granted, source, occurred_at)
    SELECT gen_random_uuid(), id, 'marketing', true, 'import', now() - interval '9 days' FROM people WHERE digit > 1
), stopped AS (
    INSERT INTO suppressions (customer_id, scope, reason) SELECT id, 'marketing', 'customer' FROM people WHERE digit = 2
)
INSERT INTO customer_identities (id, customer_id, kind, value) SELECT gen_random_uuid(), id, 'phone', phone FROM people
"""
_LIST = """
WITH file AS (
    INSERT INTO campaign_uploads (id, name, columns, rows, accepted, created_by) VALUES ($1, 'bench.csv', '{}', $2, $2, 'bench') RETURNING id
)
INSERT INTO campaign_upload_rows (upload_id, line, customer_id)
SELECT file.id, row_number() OVER (ORDER BY c.id), c.id FROM file, customers c WHERE c.phone LIKE '5531%'
"""
_CAMPAIGN = """
WITH made AS (
    INSERT INTO campaigns (id, name, state, audience, schedule, created_by, edited_by, approved_by, started_at)
    VALUES ($1, 'Bench', 'running', jsonb_build_object('upload_id', $2::text), '{"hours": "1-7 00:00-23:59", "holidays": false}', 'a', 'a', 'b', now())
    RETURNING id
)
INSERT INTO campaign_variants (campaign_id, name, position, template_name, template_language, variables, share)
SELECT id, name, place, 'oferta_fibra', 'pt_BR', '{"body.1": {"source": "customer.first_name", "fallback": "cliente"}}', 0.5
FROM made, (VALUES ('a', 1), ('b', 2)) AS v (name, place)
"""
# What a campaign's messages become, made inside the engine: queued, accepted, delivered and read by most, some clicks and goals.
_EVENTS = """
INSERT INTO raw.events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, recorded_at, trace_id, xid, seq, payload, batch, relayed_at)
SELECT generateUUIDv4(), type, aggregate, if(aggregate = 'message', message, generateUUIDv4(number)), version, at, at, '', 1, number, payload, 1, now64()
FROM (
    SELECT number, toUUID(concat('01990000-0000-7000-8000-', lower(leftPad(hex(number), 12, '0')))) AS message,
        toUUID(concat('01990000-0000-7000-9000-', lower(leftPad(hex(number), 12, '0')))) AS customer,
        now64(6) - toIntervalMinute(number % 180) AS sent, arrayJoin([
            ('message.queued', 'message', 1, sent, concat('{"customer_id":"', toString(customer), '","campaign_id":"', {campaign:String}, '","variant":"', if(number % 2 = 0, 'a', 'b'), '","category":"marketing"}')),
            ('message.state_changed', 'message', 2, sent + 1, concat('{"customer_id":"', toString(customer), '","from_state":"claimed","to_state":"accepted"}')),
            ('message.state_changed', 'message', 3, sent + 3, concat('{"customer_id":"', toString(customer), '","from_state":"accepted","to_state":"delivered","cost_micros":62500,"cost_currency":"USD"}')),
            ('message.state_changed', 'message', 4, sent + 60, concat('{"customer_id":"', toString(customer), '","from_state":"delivered","to_state":"read"}')),
            ('link.clicked', 'link', 1, sent + 90, concat('{"customer_id":"', toString(customer), '","message_id":"', if(number % 10 = 0, toString(message), ''), '"}')),
            ('goal.recorded', 'goal', 1, sent + 120, concat('{"customer_id":"', toString(customer), '","kind":"purchase","value_micros":90000000,"value_currency":"BRL"}'))
        ]) AS one, one.1 AS type, one.2 AS aggregate, one.3 AS version, one.4 AS at, one.5 AS payload
    FROM numbers({n:UInt64})
)
WHERE (aggregate = 'message' OR number % 10 = 0)
"""


async def run(scale: float) -> list[Row]:
    """Figures at a million recipients times `scale`."""
    people = max(2_000, int(PEOPLE * scale))
    with engines() as stack, simulating() as simulator:
        await add_numbers(stack, simulator)
        pool = await create_pool(stack.database_url, size=4, name="bench")
        upload = await _fill(pool, people)
        rows = await _send_now(stack, simulator, pool, upload, people)
        rows += await _redirects(stack, pool, max(2_000, int(LINKS * min(scale * 10, 1))))
        rows += await _results(stack, pool, max(5_000, int(MESSAGES * min(scale * 10, 1))))
        await pool.close()
    return rows


async def _fill(pool: asyncpg.Pool, people: int) -> UUID:
    """The people, and their list as a file's rows."""
    upload = uuid7()
    for first in range(1, people + 1, 50_000):
        await pool.execute(_PEOPLE, first, min(people, first + 49_999), timeout=600)
    await pool.execute(_LIST, upload, people, timeout=1_200)
    await pool.execute("ANALYZE")
    await pool.execute("UPDATE suppression_match SET matched_until = now() - interval '11 minutes'")
    return upload


async def _copy_s(pool: asyncpg.Pool, people: int) -> float:
    """Seconds of a COPY of three ids for each of as many people into a table with nothing on it."""
    await pool.execute("CREATE TABLE bench_copy (campaign_id uuid, run_id uuid, customer_id uuid)")
    campaign_id, run_id = uuid7(), uuid7()
    records = [(campaign_id, run_id, uuid7()) for _ in range(people)]
    began = time.perf_counter()
    await pool.copy_records_to_table("bench_copy", records=records, timeout=600)
    seconds = time.perf_counter() - began
    await pool.execute("DROP TABLE bench_copy")
    return seconds


async def _send_now(stack: Engines, simulator: str, pool: asyncpg.Pool, upload: UUID, people: int) -> list[Row]:
    copied = await _copy_s(pool, people)
    settings = make_settings(stack.database_url, stack.redis_url, meta_base_url=simulator)
    environment = stack.environment(HUB_META_BASE_URL=simulator)
    campaign_id = uuid7()
    async with roles.services(settings, "bench") as services:
        for row in await pool.fetch("SELECT id FROM whatsapp_accounts"):
            await sync_templates(services, row["id"])
        await pool.execute("UPDATE whatsapp_portfolios SET messaging_limit = NULL")
        with running("worker", "--queues", "outbound", environment=environment):
            await asyncio.sleep(5)
            before = _resident(os.getpid())
            began = time.perf_counter()
            await pool.execute(_CAMPAIGN, campaign_id, str(upload))
            await campaign_jobs.watch.function(services)
            run_id = await pool.fetchval("SELECT id FROM campaign_runs WHERE campaign_id = $1", campaign_id)
            await campaign_jobs.freeze.function(services, str(run_id))
            frozen = time.perf_counter() - began
            grown = _resident(os.getpid()) - before
            found = await pool.fetchrow("SELECT members, excluded, state FROM campaign_runs WHERE id = $1", run_id)
            if found is None or found["state"] != "frozen" or found["members"] != people:
                raise RuntimeError(f"not frozen: {found and dict(found)}")
            await campaign_jobs.send.function(services, str(campaign_id))
            first = await _until_first(services, campaign_id, began)
        await pool.execute("UPDATE campaigns SET state = 'cancelled' WHERE id = $1", campaign_id)
    return [
        Row(f"frozen, {people:,} recipients", f"{people / frozen:,.0f} rows/s ({frozen:.1f} s)", copied / frozen, f"raw COPY of three ids, {people / copied:,.0f} rows/s"),
        Row("from send now to Meta's first answer", f"{first:.1f} s", copied / first, f"the same COPY, {copied:.1f} s"),
        Row("memory that the freeze took", f"{grown / 2**20:,.0f} MB", note=f"peak of the process {peak_memory(os.getpid())}, of which the COPY's rows are most"),
    ]  # fmt: skip


async def _until_first(services: Services, campaign_id: UUID, began: float) -> float:
    taken = "SELECT EXISTS (SELECT FROM campaign_recipients r JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at WHERE r.campaign_id = $1 AND r.state = 'queued' AND m.accepted_at IS NOT NULL)"
    end = time.monotonic() + 120
    while not await services.db.fetchval(taken, campaign_id):
        if time.monotonic() > end:
            raise TimeoutError("no message was accepted within two minutes of the freeze")
        await asyncio.sleep(0.02)
    return time.perf_counter() - began


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _redirects(stack: Engines, pool: asyncpg.Pool, links: int) -> list[Row]:
    """p50 and p95 of GET /l/{code}, each code once as a person opens it, at a fixed rate and flat out."""
    settings = make_settings(stack.database_url, stack.redis_url)
    target = uuid7()
    await pool.execute(
        "INSERT INTO link_targets (id, name, url, life_days, created_by) VALUES ($1, 'Bench', 'https://loja.example.com/?hub={click}', 30, 'bench')",
        target,
    )
    people = [row["id"] for row in await pool.fetch("SELECT id FROM customers LIMIT $1", links)]
    async with roles.services(settings, "bench") as services, services.transaction() as tx:
        issued = list((await codes.issue(tx, settings, target, dict.fromkeys(people))).values())
    environment = stack.environment(HUB_LINK_HOSTS='["loja.example.com"]', HUB_LINK_PER_MINUTE="100000000")
    steady_count = min(int(REDIRECT_RATE * SECONDS), len(issued) // 2)
    with serving("hub_api.app:create_app_from_env", environment, workers=2) as url:
        raw = [http_request("GET", f"{url}/l/{code}", b"", [("User-Agent", PHONE)]) for code in issued]
        await asyncio.to_thread(run_load, url, raw[:200], connections=16)
        rest = raw[200:]
        steady = await asyncio.to_thread(run_load, url, rest[:steady_count], connections=64, rate=REDIRECT_RATE)
        flat = await asyncio.to_thread(run_load, url, rest[steady_count : steady_count + 5_000], connections=64)
    for one in (steady, flat):
        _all("302", one)
    return [
        Row(f"redirect of a tracked link, {REDIRECT_RATE:g}/s", f"p50 {steady.p50_ms:.1f}  p95 {steady.p95_ms:.1f} ms", REDIRECT_BAR_MS / steady.p95_ms, f"bar of {REDIRECT_BAR_MS:g} ms over p95", 1.0),
        Row("redirects flat out, 64 connections", f"{sum(flat.statuses.values()) / flat.seconds:,.0f}/s  p95 {flat.p95_ms:.0f} ms"),
    ]  # fmt: skip


async def _results(stack: Engines, pool: asyncpg.Pool, messages: int) -> list[Row]:
    """p50 and p95 of the live results of a campaign, all of whose events are newer than the tables."""
    campaign_id, settings = uuid7(), make_settings(stack.database_url, stack.redis_url)
    await pool.execute(
        "INSERT INTO campaigns (id, name, state, audience, created_by, edited_by, approved_by, created_at) VALUES ($1, 'Results', 'running', '{}', 'a', 'a', 'b', $2)",
        campaign_id, datetime.now(UTC),
    )  # fmt: skip
    key = await create_key(pool, "bench results", ["campaigns:read"])
    with _warehouse(settings) as warehouse_url:
        client = connect(warehouse_url)
        client.command(_EVENTS, parameters={"campaign": str(campaign_id), "n": messages})
        client.close()
        environment = stack.environment(HUB_CLICKHOUSE_URL=warehouse_url, HUB_USER_RATE_PER_MINUTE="100000000")
        with serving("hub_api.app:create_app_from_env", environment, workers=2) as url:
            raw = http_request(
                "GET", f"{url}/api/v1/campaigns/{campaign_id}/results", b"", [("Authorization", f"Bearer {key}")]
            )
            await asyncio.to_thread(run_load, url, [raw] * 2, connections=1)
            steady = await asyncio.to_thread(
                run_load, url, [raw] * int(RESULTS_RATE * SECONDS), connections=4, rate=RESULTS_RATE
            )
    _all("200", steady)
    what = f"live results of {messages:,} messages, {RESULTS_RATE:g}/s"
    return [Row(what, f"p50 {steady.p50_ms:.0f}  p95 {steady.p95_ms:.0f} ms", RESULTS_BAR_MS / steady.p95_ms, f"bar of {RESULTS_BAR_MS:g} ms over p95", 1.0)]  # fmt: skip


@contextmanager
def _warehouse(settings: Settings) -> Iterator[str]:
    with EmbeddedWarehouse() as server:
        apply_schema(
            make_settings(settings.database_url.get_secret_value(), "redis://127.0.0.1:1", clickhouse_url=server.url())
        )
        yield server.url()


def _all(status: str, result: Result) -> None:
    if result.errors or result.statuses.keys() - {status}:
        raise RuntimeError(
            f"not every request was answered {status}: {result.statuses}, {result.errors} connections lost"
        )
