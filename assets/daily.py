"""What the daily tables share: their partitions, who owns them, how they fail, and the one way they are rebuilt."""

import time
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster import AssetCheckExecutionContext, AssetExecutionContext

from assets.warehouse import Warehouse
from hub_api.settings import load_calendar

_CALENDAR = load_calendar()

# Today is a partition too: it is rebuilt every hour while it fills.
DAILY = dg.DailyPartitionsDefinition(
    start_date=_CALENDAR.history_start.isoformat(), timezone=_CALENDAR.timezone, end_offset=1
)

# Arguments of every daily table. All days of a run are one SELECT: 90 days cost little more than one.
TABLE: dict[str, Any] = {
    "partitions_def": DAILY,
    "backfill_policy": dg.BackfillPolicy.single_run(),
    "retry_policy": dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL),
    "owners": ["team:data"],
    "kinds": {"clickhouse"},
}
# The hourly run builds today's partition: two missed runs are a failure, one is a warning.
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=3), warn_window=timedelta(minutes=90))

Context = AssetExecutionContext | AssetCheckExecutionContext
START_TAG, END_TAG, DAY_TAG = (
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
    "dagster/partition",
)


def days_of(context: Context) -> list[str]:
    """The business days of the run, as partition keys in order. Checks, which have no partitions, cover the run's days too."""
    tags = context.run.tags
    if DAY_TAG in tags:
        return [tags[DAY_TAG]]
    if START_TAG not in tags:
        raise ValueError("this run names no day: start it with a partition, or with a range of partitions")
    return list(DAILY.get_partition_keys_in_range(dg.PartitionKeyRange(tags[START_TAG], tags[END_TAG])))


def rebuild(
    context: AssetExecutionContext, warehouse: Warehouse, table: str, sql: str
) -> dg.MaterializeResult[None]:
    """Replace the run's days of `table` by what the SELECT says; row counts go to each day's metadata."""
    started = time.monotonic()
    rows = warehouse.replace_days(table, sql, days_of(context))
    for day, count in rows.items():
        context.add_asset_metadata({"dagster/partition_row_count": count}, partition_key=day)
    return dg.MaterializeResult(
        metadata={"rows_of_run": sum(rows.values()), "days_of_run": len(rows), "seconds": time.monotonic() - started}
    )

