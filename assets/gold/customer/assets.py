"""gold, customers: what each did by day, and what is known of each at the end of a day."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import dagster as dg

from assets.daily import CUSTOMERS, FRESH, daily_table, days_of
from assets.warehouse import Warehouse, load_sql

BUSINESS = [("silver", "customers"), ("silver", "contracts"), ("silver", "invoices"), ("silver", "service_tickets")]
# Newest days kept whole; of older ones the last day of each week.
RECENT = timedelta(days=8)
SUNDAY = 7
# A share of the customers whose rows are joined at once: some 300 MB.
CUSTOMERS_A_SELECT = 250_000


@daily_table(
    "gold",
    CUSTOMERS,
    [
        *BUSINESS,
        ("silver", "outages"),
        ("gold", "conversation_facts"),
        ("gold", "message_sentiment"),
        ("silver", "messages"),
        ("silver", "conversations"),
    ],
)
def customer_actions_daily(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per day, customer, action and detail; see sql/customer_actions_daily.table.sql."""
    days = days_of(context)
    also = changed_days(warehouse, days)
    rows = build_actions(warehouse, [*days, *also])
    for day in days:
        context.add_asset_metadata({"dagster/partition_row_count": rows[day]}, partition_key=day)
    return dg.MaterializeResult(metadata={"rows_of_run": sum(rows.values()), "days_built_too": len(also)})


@daily_table("gold", CUSTOMERS, [*BUSINESS, ("gold", "customer_actions_daily")], freshness=FRESH)
def customer_features(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per customer and kept day; columns and units are in sql/customer_features.table.sql."""
    rows = build_features(warehouse, days_of(context))
    for day, count in rows.items():
        context.add_asset_metadata({"dagster/partition_row_count": count}, partition_key=day)
    return dg.MaterializeResult(metadata={"rows_of_run": sum(rows.values()), "days_kept": len(rows)})


def build_actions(warehouse: Warehouse, days: Sequence[str]) -> dict[str, int]:
    """Rebuild these days of gold.customer_actions_daily; rows per day."""
    sql = load_sql(__package__, "customer_actions_daily.sql")
    return warehouse.replace_days("gold.customer_actions_daily", sql, sorted(days))


def changed_days(warehouse: Warehouse, days: Sequence[str]) -> list[str]:
    """Other days of the last 400 whose actions have changed: the operator told of them during `days` (a payment of last
    week), or their customers were merged since."""
    last = date.fromisoformat(max(days))
    start = max(last - timedelta(days=400), warehouse.settings.history_start)
    rows = warehouse.rows(load_sql(__package__, "changed_days.sql"), days, start=start)
    return [day.isoformat() for (day,) in rows]


def build_features(warehouse: Warehouse, days: Sequence[str]) -> dict[str, int]:
    """Build those of `days` that are kept, and drop what is kept no longer; rows per day that was built.

    A day is built alone: its SELECT reads every customer.
    """
    table = "gold.customer_features"
    held = {day for (day,) in warehouse.rows(f"SELECT DISTINCT day FROM {table}")}  # noqa: S608 - our own constant
    asked = {date.fromisoformat(day) for day in days}
    newest = max(held | asked)
    people = int(warehouse.rows("SELECT count() FROM silver.customers")[0][0])
    built: dict[str, int] = {}
    for day in sorted(kept(asked, newest)):
        built |= warehouse.replace_days(
            table,
            load_sql(__package__, "customer_features.sql"),
            [day.isoformat()],
            buckets=1 + people // CUSTOMERS_A_SELECT,
        )
    for day in sorted(held - kept(held, newest)):
        warehouse.drop_day(table, day.isoformat())
    return built


def kept(days: Iterable[date], newest: date) -> set[date]:
    """Those of `days` that stay when `newest` is the newest: the last eight days, and the Sundays before."""
    return {day for day in days if newest - day < RECENT or day.isoweekday() == SUNDAY}
