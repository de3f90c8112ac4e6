"""gold, agent: what each agent did, hour by hour."""

import dagster as dg

from assets.daily import FRESH, daily_table, rebuild
from assets.warehouse import Warehouse, load_sql

SQL = "assets.gold.agent"
SILVER = [("silver", "messages"), ("silver", "conversation_states")]


@daily_table("gold", "service", SILVER)
def agent_days(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per agent and day: the first and the last act; see sql/agent_days.table.sql."""
    return rebuild(context, warehouse, "gold.agent_days", load_sql(SQL, "agent_days.sql"))


@daily_table("gold", "service", [*SILVER, ("gold", "agent_days"), ("gold", "conversation_facts")])
def agent_work_hourly(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per hour, agent and conversation; units are in sql/agent_work_hourly.table.sql."""
    return rebuild(context, warehouse, "gold.agent_work_hourly", load_sql(SQL, "agent_work_hourly.sql"))


@daily_table("gold", "service", [("gold", "agent_work_hourly")], freshness=FRESH)
def agent_kpi_hourly(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per hour and agent; formulas and units are in sql/agent_kpi_hourly.table.sql."""
    return rebuild(context, warehouse, "gold.agent_kpi_hourly", load_sql(SQL, "agent_kpi_hourly.sql"))
