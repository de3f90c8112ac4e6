"""gold, service: what happened in each conversation, and the figures of each hour."""

import dagster as dg

from assets.daily import FRESH, daily_table, rebuild
from assets.warehouse import Warehouse, load_sql


@daily_table("gold", "service", [("silver", "conversations"), ("silver", "messages")], freshness=FRESH)
def conversation_facts(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per conversation; formulas and units are in sql/conversation_facts.table.sql."""
    return rebuild(context, warehouse, "gold.conversation_facts", load_sql(__package__, "conversation_facts.sql"))


@daily_table(
    "gold",
    "service",
    [("gold", "conversation_facts"), ("silver", "messages"), ("silver", "conversation_states")],
    freshness=FRESH,
)
def service_kpi_hourly(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per hour and queue; formulas and units are in sql/service_kpi_hourly.table.sql."""
    return rebuild(context, warehouse, "gold.service_kpi_hourly", load_sql(__package__, "service_kpi_hourly.sql"))
