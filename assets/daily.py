"""What the daily tables share: their partitions, who owns them, how they fail, and the one way they are rebuilt."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster import AssetCheckExecutionContext, AssetExecutionContext

from assets.warehouse import Warehouse
from hub_api.settings import load_calendar

_CALENDAR = load_calendar()


def _with_keys_counted_once(days: dg.DailyPartitionsDefinition) -> dg.DailyPartitionsDefinition:
    """The same days, whose keys are kept until there is another one.

    For each check Dagster counts out every day of its table since 2009, 50 ms of a core, to find that they are too many to
    be looked at (`SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD`): two seconds of every run.
    """
    counted = type(days).get_partition_keys
    kept: dict[str | None, Sequence[str]] = {}

    def get_partition_keys(*arguments: Any, **named: Any) -> Sequence[str]:
        if arguments or named:
            return counted(days, *arguments, **named)
        last = days.get_last_partition_key()  # by the time that the caller evaluates for
        if last not in kept:
            kept.clear()
            kept[last] = counted(days)
        return kept[last]

    object.__setattr__(days, "get_partition_keys", get_partition_keys)  # a record, otherwise frozen
    return days


# Today is a partition too: it is rebuilt every hour while it fills.
DAILY = _with_keys_counted_once(
    dg.DailyPartitionsDefinition(
        start_date=_CALENDAR.history_start.isoformat(), timezone=_CALENDAR.timezone, end_offset=1
    )
)

# The hourly run builds today's partition: two missed runs are a failure, one is a warning.
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=3), warn_window=timedelta(minutes=90))

RETRY = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)

Context = AssetExecutionContext | AssetCheckExecutionContext
START_TAG, END_TAG, DAY_TAG = (
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
    "dagster/partition",
)
LOOKS_BACK = "hub/looks_back"
CUSTOMERS = "customers"  # the group of what reads PostgreSQL's present state: a job of its own


def daily_table(
    layer: str,
    group: str,
    deps: Sequence[tuple[str, str]],
    *,
    freshness: dg.FreshnessPolicy | None = None,
    check_specs: Sequence[dg.AssetCheckSpec] = (),
    looks_back: bool = False,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Declares a function as the asset `layer`/its name, with partitions by business day. All days of a run are one
    execution: 90 days cost little more than one.

    `looks_back`: a day's rows are made of events of earlier days too, and not only of its own conversations (a customer's
    past, say). One such table is enough: a late event then makes all days since its own stale, not only those on which
    its conversation was active.
    """
    with warnings.catch_warnings():  # backfill policies are "in beta" since 2023
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.asset(
            key_prefix=layer,
            group_name=group,
            deps=[dg.AssetKey(key) for key in deps],
            partitions_def=DAILY,
            backfill_policy=dg.BackfillPolicy.single_run(),
            retry_policy=RETRY,
            freshness_policy=freshness,
            check_specs=check_specs,
            metadata={LOOKS_BACK: looks_back},
            owners=["team:data"],
            kinds={"clickhouse"},
        )


def state_table(
    layer: str,
    group: str,
    deps: Sequence[tuple[str, str]],
    *,
    freshness: dg.FreshnessPolicy | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Declares a function as the asset `layer`/its name (or `name`): a table of what is so now, without partitions."""
    return dg.asset(
        name=name,
        key_prefix=layer,
        group_name=group,
        deps=[dg.AssetKey(key) for key in deps],
        retry_policy=RETRY,
        freshness_policy=freshness,
        metadata=metadata,
        owners=["team:data"],
        kinds={"clickhouse"},
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
    context: AssetExecutionContext, warehouse: Warehouse, table: str, sql: str, **parameters: Any
) -> dg.MaterializeResult[None]:
    """Replace the run's days of `table` by what the SELECT says; row counts go to each day's metadata."""
    started = time.monotonic()
    return _rebuilt(context, warehouse.replace_days(table, sql, days_of(context), **parameters), started)


def rebuild_from(
    context: AssetExecutionContext, warehouse: Warehouse, table: str, rows: Sequence[Mapping[str, Any]]
) -> dg.MaterializeResult[None]:
    """Replace the run's days of `table` by rows that were made in this process; row counts go to each day's metadata."""
    started = time.monotonic()
    return _rebuilt(context, warehouse.replace_days_from(table, rows, days_of(context)), started)


def _rebuilt(context: AssetExecutionContext, rows: Mapping[str, int], started: float) -> dg.MaterializeResult[None]:
    for day, count in rows.items():
        context.add_asset_metadata({"dagster/partition_row_count": count}, partition_key=day)
    return dg.MaterializeResult(
        metadata={"rows_of_run": sum(rows.values()), "days_of_run": len(rows), "seconds": time.monotonic() - started}
    )
