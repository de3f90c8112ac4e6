"""(f) Building the tables: one day and 90 days of a simulated history, each in one run."""

import asyncio
import sys
import time
from datetime import datetime, timedelta

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import apply_schema, connect
from hub_api.platform.services import open_services
from hub_api.simulator.history.run import Plan, make_history
from tests.benchmarks.report import Row
from tests.benchmarks.stack import Engines, engines
from tests.support.hub import make_settings
from tests.support.warehouse import EmbeddedWarehouse

DAYS, CUSTOMERS = 90, 20_000


async def run(scale: float) -> list[Row]:
    """Seconds of each run, the rows it read and wrote."""
    from pipelines.materialize import days_between, materialize

    with engines() as stack, EmbeddedWarehouse() as warehouse:
        settings = make_settings(stack.database_url, stack.redis_url, clickhouse_url=warehouse.url())
        await asyncio.to_thread(apply_schema, settings)
        began = time.perf_counter()
        async with open_services(settings, lambda events: (), "bench") as services:
            counts = await make_history(services, Plan(DAYS, max(200, int(CUSTOMERS * scale)), seed=1))
        made = time.perf_counter() - began
        began = time.perf_counter()
        relayed = await relay_until_empty(settings, deadline_s=600)
        rows = [
            Row(f"history: {counts['conversations']:,} conversations, {counts['messages']:,} messages", f"{made:.0f} s", note=f"{counts['events'] / made:,.0f} events/s"),
            Row(f"relayed {relayed:,} events", f"{time.perf_counter() - began:.1f} s"),
        ]  # fmt: skip
        last = datetime.now(settings.zone).date() - timedelta(days=2)
        one = days_between(last, last)
        ninety = days_between(last - timedelta(days=DAYS - 1), last)
        for what, days in (("90 days, first build", ninety), ("90 days again", ninety), ("one day", one)):
            began = time.perf_counter()
            await asyncio.to_thread(materialize, settings, days, with_customers=True)
            rows.append(Row(f"build {what}", f"{time.perf_counter() - began:.1f} s"))
        began = time.perf_counter()
        await _build_by_command(stack, warehouse, one[0])
        rows.append(Row("build one day, a process of its own", f"{time.perf_counter() - began:.1f} s"))
        client = connect(settings.clickhouse_url.get_secret_value())
        tables = ("gold.conversation_facts", "gold.service_kpi_hourly")
        rows += [Row(table, f"{client.command(f'SELECT count() FROM {table}'):,} rows") for table in tables]
        client.close()
    return rows


async def _build_by_command(stack: Engines, warehouse: EmbeddedWarehouse, day: str) -> None:
    """What a run costs with its start: the interpreter, Dagster and the definitions."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pipelines.materialize", day, env=stack.environment(HUB_CLICKHOUSE_URL=warehouse.url()),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"building {day} failed: {said[-2000:].decode(errors='replace')}")
