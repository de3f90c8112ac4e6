"""bronze: the events of raw with typed columns, each once."""

import dagster as dg

from assets.daily import daily_table, days_of, rebuild
from assets.warehouse import Warehouse, load_sql

_RECORD = """
INSERT INTO bronze.built_days (day, batch) SELECT arrayJoin({days:Array(Date)}), {batch:UInt64}
"""


@daily_table("bronze", "events", [("raw", "events")])
def events(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """Events with their fields as typed columns, each event once, by business day; see sql/events.table.sql."""
    batch = warehouse.newest_batch()  # what comes meanwhile is left for the next run, which it makes due
    result = rebuild(context, warehouse, "bronze.events", load_sql(__package__, "events.sql"), batch=batch)
    warehouse.client.command(_RECORD, parameters=warehouse.parameters(days_of(context), batch=batch))
    return result
