"""(k) The lake: writing every day of a simulated history, writing nothing again, reading it, and back into a new warehouse."""

import asyncio
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import apply_schema, connect
from hub_api.platform.lake.restore import restore
from hub_api.platform.lake.tables import EVENTS
from hub_api.platform.lake.write import bring_up_to_date, read_manifests
from hub_api.platform.services import open_services
from hub_api.settings import Settings
from hub_api.simulator.history.run import Plan, make_history
from tests.benchmarks.report import Row
from tests.benchmarks.stack import engines
from tests.support.hub import make_settings
from tests.support.warehouse import EmbeddedWarehouse

DAYS, CUSTOMERS = 90, 20_000
ROUNDS = 5
PER_DAY = (
    "SELECT day, count(*) AS opened, median(first_response_seconds) AS median FROM {source} GROUP BY day ORDER BY day"
)


async def run(scale: float) -> list[Row]:
    """Seconds, bytes of an event, and reading by DuckDB and Polars beside the same query on the warehouse."""
    from pipelines.materialize import days_between, materialize

    with engines() as stack, EmbeddedWarehouse() as warehouse, tempfile.TemporaryDirectory() as home:
        settings = make_settings(stack.database_url, stack.redis_url, clickhouse_url=warehouse.url(), home=Path(home))
        await asyncio.to_thread(apply_schema, settings)
        async with open_services(settings, lambda events: (), "bench") as services:
            await make_history(services, Plan(DAYS, max(200, int(CUSTOMERS * scale)), seed=1))
        await relay_until_empty(settings, deadline_s=600)
        last = datetime.now(settings.zone).date() - timedelta(days=1)
        await asyncio.to_thread(materialize, settings, days_between(last - timedelta(days=DAYS), last))
        rows = await _written(settings)
        rows += _read(settings)
        with EmbeddedWarehouse() as other:
            again = settings.model_copy(update={"clickhouse_url": type(settings.clickhouse_url)(other.url())})
            await asyncio.to_thread(apply_schema, again)
            began = time.perf_counter()
            days = (await restore(again, [EVENTS]))[EVENTS]
            seconds, events = time.perf_counter() - began, _events(settings)[0]
            rows.append(Row(f"{days} days of events into an empty warehouse", f"{seconds:.1f} s", note=f"{events / seconds:,.0f} rows/s"))  # fmt: skip
    return rows


async def _written(settings: Settings) -> list[Row]:
    began = time.perf_counter()
    written = await bring_up_to_date(settings)
    seconds = time.perf_counter() - began
    days = [day for table in written.values() for day in table.values()]
    total, size = sum(day.rows for day in days), sum(day.bytes for day in days)
    began = time.perf_counter()
    await bring_up_to_date(settings)
    again = time.perf_counter() - began
    events, bytes_ = _events(settings)
    return [
        Row(f"lake written: {len(days):,} files, {total:,} rows, {size / 1e6:.1f} MB", f"{seconds:.1f} s", note=f"{total / seconds:,.0f} rows/s"),
        Row("lake written again, nothing to do", f"{again:.1f} s"),
        Row(f"bytes of an event on disk, of {events:,}", f"{bytes_ / events:.0f} B"),
    ]  # fmt: skip


def _events(settings: Settings) -> tuple[int, int]:
    days = read_manifests(settings)[EVENTS].days.values()
    return sum(day.rows for day in days), sum(day.bytes for day in days)


def _read(settings: Settings) -> list[Row]:
    files = str(settings.home / "lake/gold/conversation_facts/*/data.parquet")
    client, found = connect(settings.clickhouse_url), []
    readers = {
        "ClickHouse": lambda: client.query(PER_DAY.format(source="gold.conversation_facts")).result_rows,
        "DuckDB": lambda: duckdb.sql(PER_DAY.format(source=f"read_parquet('{files}', hive_partitioning=true)")).fetchall(),
        "Polars": lambda: (
            pl.scan_parquet(files, hive_partitioning=True)
            .group_by("day").agg(pl.len(), pl.col("first_response_seconds").median()).sort("day").collect()
        ),
    }  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(ROUNDS):
        for name, read in readers.items():
            began = time.perf_counter()
            read()
            times[name].append(time.perf_counter() - began)
    client.close()
    medians = {name: sorted(values)[ROUNDS // 2] for name, values in times.items()}
    for name in ("DuckDB", "Polars"):
        ratio = medians["ClickHouse"] / medians[name]
        found.append(Row(f"conversations a day, by {name}", f"{medians[name] * 1000:.0f} ms", ratio, "ClickHouse"))
    return found
