"""silver: messages and conversations as they are, folded from their events by version."""

import dagster as dg

from assets.daily import daily_table, rebuild
from assets.warehouse import Warehouse, load_sql

EVENTS = [("bronze", "events")]


@daily_table("silver", "events", EVENTS)
def messages(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per message with what became of it; see sql/messages.table.sql."""
    return rebuild(context, warehouse, "silver.messages", load_sql(__package__, "messages.sql"))


@daily_table("silver", "events", [*EVENTS, ("silver", "messages")])
def message_labels(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per message, teacher and day of the label, of messages that still have words; see sql/message_labels.table.sql."""
    return rebuild(context, warehouse, "silver.message_labels", load_sql(__package__, "message_labels.sql"))


@daily_table("silver", "events", EVENTS)
def conversations(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per conversation, by the day of its opening; see sql/conversations.table.sql."""
    return rebuild(context, warehouse, "silver.conversations", load_sql(__package__, "conversations.sql"))


@daily_table("silver", "events", EVENTS)
def conversation_states(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per step of a conversation, by the day of the step; see sql/conversation_states.table.sql."""
    return rebuild(context, warehouse, "silver.conversation_states", load_sql(__package__, "conversation_states.sql"))
