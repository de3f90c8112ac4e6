"""(a) The gateway: webhooks a second durably accepted, beside its limit and the usual ways, rounds interleaved."""

import asyncio
import copy
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import asyncpg

from tests.benchmarks.load import Result, http_post, run_load
from tests.benchmarks.report import Row
from tests.benchmarks.stack import engines, serving
from tests.support.hub import fixture, signed

HUB = "hub_api.app:create_app_from_env"
GATEWAYS = ("gateway", "gateway, two processes")
VARIANTS = {  # factory and processes
    "gateway": (HUB, 1),
    "store nothing": ("tests.benchmarks.servers:store_nothing", 1),
    "plain route, one INSERT": ("tests.benchmarks.servers:plain_route", 1),
    "pywa server": ("tests.benchmarks.servers:pywa_server", 1),
    "gateway, two processes": (HUB, 2),
}
ROUNDS, REQUESTS = 5, 6_000
_numbers: Iterator[int] = count()


def requests(url: str, how_many: int) -> list[bytes]:
    """Signed deliveries of one text message each, all with their own wamid and sender."""
    template, made = fixture("text.json"), []
    for number in (next(_numbers) for _ in range(how_many)):
        body = copy.deepcopy(template)
        message = body["entry"][0]["changes"][0]["value"]["messages"][0]
        message["id"] = f"wamid.BENCH{number:012d}"
        post = signed(body)
        made.append(http_post(f"{url}/webhooks/whatsapp", post["data"], post["headers"].items()))
    return made


async def stored(database_url: str) -> int:
    """Webhooks in the inbox."""
    db = await asyncpg.connect(database_url)
    try:
        return await db.fetchval("SELECT count(*) FROM webhook_event")
    finally:
        await db.close()


async def run(scale: float) -> list[Row]:
    """Rates of each variant as medians over interleaved rounds; latencies of the gateway by connections and at a rate."""
    return await asyncio.to_thread(_run, max(300, int(REQUESTS * scale)))


def _run(size: int) -> list[Row]:
    with engines() as stack, ExitStack() as servers:
        environment = stack.environment()
        urls = {
            name: servers.enter_context(serving(factory, environment, workers=processes))
            for name, (factory, processes) in VARIANTS.items()
        }
        rates: dict[str, list[float]] = {name: [] for name in VARIANTS}
        for url in urls.values():
            run_load(url, requests(url, size // 5), connections=64)
        for _ in range(ROUNDS):
            for name, url in urls.items():
                before = asyncio.run(stored(stack.database_url))
                result = run_load(url, requests(url, size), connections=64)
                if name in GATEWAYS:
                    kept = asyncio.run(stored(stack.database_url)) - before
                    assert kept == result.accepted, f"{result.accepted} were acknowledged and {kept} stored"
                rates[name].append(result.per_second)
        median = {name: statistics.median(values) for name, values in rates.items()}
        rows = [Row("gateway, 64 connections", f"{median['gateway']:,.0f}/s", note="all stored")]
        rows += [
            Row(f"gateway / {name}", f"{median[name]:,.0f}/s", median["gateway"] / median[name], name, floor)
            for name, floor in (("plain route, one INSERT", 2.5), ("store nothing", 0.5), ("pywa server", None))
        ]
        two = median["gateway, two processes"]
        rows.append(
            Row("gateway, two processes, 64 connections", f"{two:,.0f}/s", two / median["gateway"], "one process")
        )
        for name in GATEWAYS:
            rows += [
                _latency(f"{name}, {connections} connections", run_load(urls[name], requests(urls[name], size), connections=connections))
                for connections in (64, 256, 1000)
            ]  # fmt: skip
            half = median[name] / 2
            at_half = run_load(urls[name], requests(urls[name], size), connections=1000, rate=half)
            what = f"{name}, 1000 connections at {half:,.0f}/s (half of capacity)"
            rows.append(_latency(what, at_half, "p95 floor 200 ms, aim 50"))
    return rows


def _latency(what: str, result: Result, note: str = "") -> Row:
    figure = f"{result.per_second:,.0f}/s  p50 {result.p50_ms:.1f}  p95 {result.p95_ms:.1f}  p99 {result.p99_ms:.1f} ms"
    return Row(what, figure, note=f"{note} {result.statuses} errors {result.errors}".strip())
