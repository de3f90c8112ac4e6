"""(i) An agent's day over REST: 1,000 clients at once, each with a request every five seconds, over a year of messages; the
time of each route, and of the slowest statements that PostgreSQL ran for them."""

import asyncio
import json
from collections.abc import Callable
from random import Random
from uuid import UUID

import asyncpg

from hub_api import roles
from hub_api.auth import sessions
from hub_api.auth.identify import open_door
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import create_pool
from tests.benchmarks.bench_queries import fill
from tests.benchmarks.load import Result, http_request, run_load
from tests.benchmarks.report import Row
from tests.benchmarks.stack import Engines, add_numbers, engines, serving
from tests.support.hub import make_settings

MESSAGES, CLIENTS, REST_S, SECONDS = 1_000_000, 1_000, 5.0, 30
AGENTS, TALKS_OF_ONE = 50, 20
BAR_MS, QUERY_BAR_MS = 200.0, 50.0
WORDS = ("internet", "boleto", "fatura vencida", "sinal", "vocab19990")

# The newest conversations are open, each with an agent of one team's queue, and may be written to.
OPEN = """
UPDATE conversations c SET state = 'assigned', agent_id = $1, queue_id = $2, last_customer_message_at = now(), opened_at = now()
WHERE id = ANY ($3::uuid[])
"""
SLOWEST = """
SELECT regexp_replace(query, '\\s+', ' ', 'g') AS query, calls, mean_exec_time AS mean, max_exec_time AS worst
FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid AND d.datname = current_database()
WHERE query NOT ILIKE '%pg_stat_statements%' ORDER BY max_exec_time DESC LIMIT 5
"""


async def run(scale: float) -> list[Row]:
    """p50, p95 and worst of each route in milliseconds at a fixed arrival rate, and flat out; statements of PostgreSQL."""
    clients = max(50, int(CLIENTS * scale))
    with engines(shared_preload_libraries="pg_stat_statements") as stack:
        await add_numbers(stack, "http://127.0.0.1:1")
        pool = await create_pool(stack.database_url, size=4, name="bench")
        await pool.execute("CREATE EXTENSION pg_stat_statements")
        await fill(pool, int(MESSAGES * scale))
        environment = stack.environment(HUB_USER_RATE_PER_MINUTE="100000000", HUB_SEND_PER_MINUTE="100000000")
        tokens, talks = await _agents(pool, stack)
        with serving("hub_api.app:create_app_from_env", environment, workers=2) as url:
            day = _day(url, tokens, talks, Random(1))
            await asyncio.to_thread(_play, url, day(min(2_000, clients * 2)), 64, None)
            await pool.execute("SELECT pg_stat_statements_reset()")
            rate = clients / REST_S
            steady = await asyncio.to_thread(_play, url, day(int(rate * SECONDS)), clients, rate)
            slowest = await pool.fetch(SLOWEST)
            flat_out = await asyncio.to_thread(_play, url, day(int(rate * SECONDS)), clients, None)
        await pool.close()
    rows = [
        Row(label, f"{count:,}x  p50 {p50:.1f}  p95 {p95:.1f}  worst {worst:.0f} ms", BAR_MS / p95, f"bar of {BAR_MS:.0f} ms over p95", 1.0)
        for label, (count, p50, p95, worst) in sorted(steady.by_label.items())
    ]  # fmt: skip
    rows.append(Row(f"all, {clients:,} clients, {rate:,.0f}/s", f"p50 {steady.p50_ms:.1f}  p95 {steady.p95_ms:.1f} ms", BAR_MS / steady.p95_ms, f"bar of {BAR_MS:.0f} ms over p95", 1.0))  # fmt: skip
    rows.append(Row(f"flat out, {clients:,} clients", f"{sum(flat_out.statuses.values()) / flat_out.seconds:,.0f}/s  p95 {flat_out.p95_ms:.0f} ms"))  # fmt: skip
    for one in slowest:
        figure = f"{one['calls']:,}x  mean {one['mean']:.1f}  worst {one['worst']:.1f} ms"
        rows.append(Row(f"statement: {one['query'][:60]}", figure, QUERY_BAR_MS / one["mean"], f"bar of {QUERY_BAR_MS:.0f} ms over the mean", 1.0))  # fmt: skip
    return rows


async def _agents(pool: asyncpg.Pool, stack: Engines) -> tuple[list[str], list[list[UUID]]]:
    """An access token of each agent, and the conversations he has."""
    team, queue = uuid7(), uuid7()
    await pool.execute("INSERT INTO teams (id, name) VALUES ($1, 'Bench')", team)
    await pool.execute("INSERT INTO queues (id, key, name, team_id) VALUES ($1, 'bench', 'Bench', $2)", queue, team)
    newest = [row["id"] for row in await pool.fetch("SELECT id FROM conversations ORDER BY id DESC LIMIT $1", AGENTS * TALKS_OF_ONE)]  # fmt: skip
    tokens, talks = [], []
    async with roles.services(make_settings(stack.database_url, stack.redis_url), "bench") as services:
        door = await services.shared(open_door)
        for n in range(AGENTS):
            async with services.transaction() as tx:
                user = uuid7()
                await tx.db.execute("INSERT INTO users (id, email, name, role) VALUES ($1, $2, $3, 'agent')", user, f"a{n}@example.com", f"Agente {n}")  # fmt: skip
                await tx.db.execute("INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)", team, user)
                opened = await sessions.open_session(tx, user, "bearer", ["password"])
                mine = newest[n::AGENTS]
                await tx.db.execute(
                    "SET LOCAL session_replication_role = replica"
                )  # closed ones open again: no step of theirs
                await tx.db.execute(OPEN, user, queue, mine)
            tokens.append(await door.access_token(opened))
            talks.append(mine)
    return tokens, talks


def _day(url: str, tokens: list[str], talks: list[list[UUID]], rng: Random) -> Callable[[int], list[tuple[str, bytes]]]:
    """Makes so many requests as agents send them over a day: label and bytes."""
    api = f"{url}/api/v1"

    def get(path: str) -> tuple[str, str, bytes]:
        return "GET", f"{api}{path}", b""

    def post(path: str, **body: object) -> tuple[str, str, bytes]:
        return "POST", f"{api}{path}", json.dumps(body).encode()

    kinds: list[tuple[int, str, Callable[[UUID], tuple[str, str, bytes]]]] = [
        (20, "GET conversations", lambda talk: get("/conversations?limit=50")),
        (5, "GET conversations, queued", lambda talk: get("/conversations?state=queued&limit=50")),
        (10, "GET conversation", lambda talk: get(f"/conversations/{talk}")),
        (28, "GET its messages", lambda talk: get(f"/conversations/{talk}/messages?limit=50")),
        (5, "GET its notes", lambda talk: get(f"/conversations/{talk}/notes")),
        (4, "GET canned replies", lambda talk: get("/canned-replies")),
        (3, "GET queues", lambda talk: get("/queues")),
        (3, "GET search of messages", lambda talk: get(f"/messages/search?q={rng.choice(WORDS).replace(' ', '+')}")),
        (2, "GET customer by phone", lambda talk: get(f"/customers?phone=5511{900_000_000 + rng.randrange(1_000)}")),
        (15, "POST message", lambda talk: post(f"/conversations/{talk}/messages", type="text", text="Olá! Já verifico.")),
        (5, "POST note", lambda talk: post(f"/conversations/{talk}/notes", text="Cliente pede retorno amanhã.")),
    ]  # fmt: skip

    def draw(count: int) -> list[tuple[str, bytes]]:
        made = []
        for n in range(count):
            _, label, make = rng.choices(kinds, weights=[weight for weight, _, _ in kinds])[0]
            agent = n % len(tokens)
            method, address, body = make(rng.choice(talks[agent]))
            headers = [("Authorization", f"Bearer {tokens[agent]}"), ("Content-Type", "application/json")]
            made.append((label, http_request(method, address, body, headers)))
        return made

    return draw


def _play(url: str, requests: list[tuple[str, bytes]], connections: int, rate: float | None) -> Result:
    result = run_load(
        url, [raw for _, raw in requests], labels=[label for label, _ in requests], connections=connections, rate=rate
    )
    refused = {status: count for status, count in result.statuses.items() if not status.startswith("2")}
    if refused or result.errors:
        raise RuntimeError(f"not every request was answered: {refused}, {result.errors} connections lost")
    return result
