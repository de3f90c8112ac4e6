"""gold, service: what happened in each conversation and message, and the figures of each hour and day."""

import dagster as dg

from assets.daily import FRESH, daily_table, rebuild
from assets.warehouse import Warehouse, load_sql

SQL = "assets.gold.service"


@daily_table(
    "gold",
    "service",
    [
        ("silver", "conversations"),
        ("silver", "messages"),
        ("silver", "conversation_states"),
        ("gold", "business_calendar"),
    ],
    freshness=FRESH,
)
def conversation_facts(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per conversation; formulas and units are in sql/conversation_facts.table.sql."""
    return rebuild(context, warehouse, "gold.conversation_facts", load_sql(SQL, "conversation_facts.sql"))


@daily_table(
    "gold",
    "service",
    [("gold", "conversation_facts"), ("silver", "messages"), ("silver", "conversation_states")],
    freshness=FRESH,
)
def message_facts(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per message without its words: where, for whom, what became of it; see sql/message_facts.table.sql."""
    return rebuild(context, warehouse, "gold.message_facts", load_sql(SQL, "message_facts.sql"))


@daily_table("gold", "service", [("gold", "message_facts"), ("bronze", "events")], freshness=FRESH)
def opt_outs(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per opt-out beside the message that came before it; see sql/opt_outs.table.sql."""
    return rebuild(context, warehouse, "gold.opt_outs", load_sql(SQL, "opt_outs.sql"))


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
    return rebuild(context, warehouse, "gold.service_kpi_hourly", load_sql(SQL, "service_kpi_hourly.sql"))


@daily_table("gold", "service", [("gold", "conversation_facts"), ("silver", "conversation_states")], freshness=FRESH)
def backlog_changes(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """Comings and goings of open conversations; their sum is the backlog; see sql/backlog_changes.table.sql."""
    return rebuild(context, warehouse, "gold.backlog_changes", load_sql(SQL, "backlog_changes.sql"))


@daily_table("gold", "service", [("gold", "conversation_facts")], freshness=FRESH)
def sla_daily(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per day, queue, priority and promise; formulas and units are in sql/sla_daily.table.sql."""
    return rebuild(context, warehouse, "gold.sla_daily", load_sql(SQL, "sla_daily.sql"))
