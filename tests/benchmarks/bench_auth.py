"""(g) What it costs to know who calls: CPU of a request with a session or a key over the same route
open to all; sign-ins a second; rows of the audit log a second, with their sealing."""

import asyncio
import json
import statistics
import time
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import asyncpg
import psutil

from hub_api import roles
from hub_api.auth import audit, audit_chain
from hub_api.auth.api_keys import create_key
from hub_api.auth.passwords import THREADS, Passwords
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services
from tests.benchmarks.load import http_post, run_load
from tests.benchmarks.report import Row
from tests.benchmarks.stack import Engines, engines, serving
from tests.support.hub import make_settings

HUB = "tests.benchmarks.servers:hub_with_open_route"
ROUNDS, REQUESTS, SIGN_INS, AUDIT_ROWS = 5, 2_000, 200, 4_000
EMAIL, PASSWORD = "bench@example.com", "quatro girafas no telhado"
AIM_MS = 0.5
NOISE_MS = 0.01  # less than that is not told apart from nothing


async def run(scale: float) -> list[Row]:
    """CPU milliseconds of the server process for a request, as medians over interleaved rounds."""
    with engines() as stack:
        key = await _prepare(stack.database_url)
        environment = stack.environment(
            HUB_SIGNIN_PER_MINUTE="100000000",
            HUB_USER_RATE_PER_MINUTE="100000000",
            HUB_KEY_RATE_PER_MINUTE="100000000",
        )
        with serving(HUB, environment) as url:
            token = await _sign_in(url)
            rows = await asyncio.to_thread(_measure, url, token, key, max(200, int(REQUESTS * scale)), scale)
        return rows + await _audit(stack, max(500, int(AUDIT_ROWS * scale)))


async def _prepare(database_url: str) -> str:
    """A user who can sign in, and a key."""
    passwords = Passwords()
    db = await asyncpg.connect(database_url)
    user: UUID = uuid7()
    await db.execute(
        "INSERT INTO users (id, email, name, role, password_hash, password_changed_at) VALUES ($1, $2, 'Bench', 'agent', $3, now())",
        user, EMAIL, await passwords.hash(PASSWORD),
    )  # fmt: skip
    key = await create_key(db, "bench", ["account:use"])
    await db.close()
    return key


async def _sign_in(url: str) -> str:
    body = {"email": EMAIL, "password": PASSWORD}
    async with aiohttp.ClientSession() as session, session.post(f"{url}/api/v1/auth/login", json=body) as answer:
        return (await answer.json())["access_token"]


async def _audit(stack: Engines, count: int) -> list[Row]:
    """Rows of the audit log a second, each in a transaction of its own beside the same row in a table without a chain; then
    the sealer over all of them."""
    written: dict[bool, list[float]] = {True: [], False: []}
    async with roles.services(make_settings(stack.database_url, stack.redis_url), "bench") as services:
        await services.db.execute("CREATE TABLE plain_log (id uuid PRIMARY KEY, actor text, action text, detail jsonb)")
        await audit_chain.seal(services)
        for _ in range(ROUNDS):
            for chained in (True, False):
                began = time.perf_counter()
                await asyncio.gather(*(_write(services, chained, count // 16) for _ in range(16)))
                written[chained].append(count // 16 * 16 / (time.perf_counter() - began))
        began = time.perf_counter()
        sealed = await audit_chain.seal(services)
        seal_s = time.perf_counter() - began
        assert sealed == count // 16 * 16 * ROUNDS, sealed
    chained, plain = statistics.median(written[True]), statistics.median(written[False])
    both = 1 / (1 / chained + seal_s / sealed)
    return [
        Row("audit rows, 16 at once", f"{chained:,.0f}/s", chained / plain, "the same row in a plain table"),
        Row("sealing them", f"{sealed / seal_s:,.0f}/s", note="one sealer: linked by SHA-256, the head signed"),
        Row("written and sealed", f"{both:,.0f}/s"),
    ]


async def _write(services: Services, chained: bool, count: int) -> None:
    detail = {"reason": "bench", "user_id": str(uuid7())}
    for _ in range(count):
        async with services.transaction() as tx:
            if chained:
                await audit.write(tx, "user:bench", "bench.done", "bench", uuid7(), detail=detail)
            else:
                await tx.db.execute("INSERT INTO plain_log VALUES ($1, $2, $3, $4)", uuid7(), "user:bench", "b", detail)


def _measure(url: str, token: str, key: str, size: int, scale: float) -> list[Row]:
    server = _process(urlsplit(url).port or 0)
    kinds = {
        "open route": _get(url, "/bench/me"),
        "with a session": _get(url, "/api/v1/auth/me", token),
        "with a key": _get(url, "/api/v1/auth/me", key),
    }
    cpu: dict[str, list[float]] = {name: [] for name in kinds}
    rates: dict[str, list[float]] = {name: [] for name in kinds}
    for request in kinds.values():
        run_load(url, [request] * (size // 5), connections=16)
    for _ in range(ROUNDS):
        for name, request in kinds.items():
            before = server.cpu_times()
            result = run_load(url, [request] * size, connections=16)
            after = server.cpu_times()
            assert result.accepted == size, f"{name}: {result.statuses}"
            cpu[name].append((after.user + after.system - before.user - before.system) / size * 1000)
            rates[name].append(result.per_second)
    median = {name: statistics.median(values) for name, values in cpu.items()}
    rows = [Row("open route", f"{median['open route']:.3f} ms CPU, {statistics.median(rates['open route']):,.0f}/s")]
    for name in ("with a session", "with a key"):
        over = median[name] - median["open route"]
        figure = f"+{over:.3f} ms CPU, {statistics.median(rates[name]):,.0f}/s"
        rows.append(Row(name, figure, AIM_MS / max(over, NOISE_MS), f"aim of {AIM_MS} ms over it", 1.0))
    login = http_post(
        f"{url}/api/v1/auth/login",
        json.dumps({"email": EMAIL, "password": PASSWORD}).encode(),
        [("Content-Type", "application/json")],
    )
    count = max(40, int(SIGN_INS * scale))
    result = run_load(url, [login] * count, connections=16)
    assert result.accepted == count, result.statuses
    figure = f"{result.per_second:,.1f}/s  p95 {result.p95_ms:,.0f} ms"
    rows.append(Row("sign-ins, 16 at once", figure, note=f"argon2id 19 MiB in {THREADS} threads"))
    return rows


def _get(url: str, path: str, credential: str | None = None) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
    if credential:
        lines.append(f"Authorization: Bearer {credential}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _process(port: int) -> psutil.Process:
    """The server that listens on this port."""
    for child in psutil.Process().children(recursive=True):
        if "tests.benchmarks.serve" in child.cmdline() and str(port) in child.cmdline():
            return child
    raise RuntimeError(f"no server of ours listens on port {port}")
