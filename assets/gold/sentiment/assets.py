"""gold, sentiment: what each message of a customer says, and how his mood went in each conversation."""

import time

import dagster as dg

from assets.daily import FRESH, daily_table, days_of, rebuild
from assets.gold.sentiment.read import read_days
from assets.models.train import reader_of
from assets.warehouse import Warehouse, load_sql


@daily_table("gold", "sentiment", [("silver", "messages"), ("models", "messages")], freshness=FRESH)
def message_sentiment(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per message of a customer with words, read by the promoted models (trained here when there are none yet);
    units are in sql/message_sentiment.table.sql."""
    began = time.monotonic()
    reader = reader_of(warehouse.settings, context.log.info)
    rows, read = read_days(warehouse, reader, days_of(context))
    for day, count in rows.items():
        context.add_asset_metadata({"dagster/partition_row_count": count}, partition_key=day)
    return dg.MaterializeResult(
        metadata={
            "rows_of_run": sum(rows.values()),
            "days_of_run": len(rows),
            "read_now": read,
            "model": reader.version,
            "seconds": time.monotonic() - began,
        }
    )


@daily_table("gold", "sentiment", [("gold", "message_sentiment"), ("silver", "conversations")], freshness=FRESH)
def conversation_sentiment(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per conversation in which the customer wrote; formulas are in sql/conversation_sentiment.table.sql."""
    return rebuild(
        context, warehouse, "gold.conversation_sentiment", load_sql(__package__, "conversation_sentiment.sql")
    )
