"""gold, number: how our WhatsApp numbers fare."""

import dagster as dg

from assets.daily import FRESH, daily_table, rebuild
from assets.warehouse import Warehouse, load_sql


@daily_table("gold", "service", [("gold", "message_facts")], freshness=FRESH)
def number_health_hourly(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per hour, number, category and currency; units are in sql/number_health_hourly.table.sql."""
    sql = load_sql("assets.gold.number", "number_health_hourly.sql")
    return rebuild(context, warehouse, "gold.number_health_hourly", sql)
