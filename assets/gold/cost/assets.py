"""gold, cost: what our messages cost."""

import dagster as dg

from assets.daily import FRESH, daily_table, rebuild
from assets.warehouse import Warehouse, load_sql


@daily_table("gold", "cost", [("silver", "messages")], freshness=FRESH)
def message_costs_daily(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per day, number, category, billing and currency; units are in sql/message_costs_daily.table.sql."""
    return rebuild(context, warehouse, "gold.message_costs_daily", load_sql(__package__, "message_costs_daily.sql"))


@daily_table("gold", "cost", [("gold", "conversation_facts")], freshness=FRESH)
def cost_daily(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per day, number, queue and currency: what a resolved conversation costs; see sql/cost_daily.table.sql."""
    return rebuild(context, warehouse, "gold.cost_daily", load_sql(__package__, "cost_daily.sql"))
