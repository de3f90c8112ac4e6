"""gold, forecast: contacts to come with the people they need, and figures out of the ordinary."""

import dagster as dg

from assets.daily import CUSTOMERS, FRESH, daily_table, days_of
from assets.gold.forecast.anomalies import find_anomalies
from assets.gold.forecast.volume import forecast_day
from assets.warehouse import Warehouse

# In the nightly job of whole days: a forecast at noon would take the evening for silence.


@daily_table("gold", CUSTOMERS, [("gold", "conversation_facts")], freshness=FRESH)
def volume_forecast(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per day of making, hour ahead and queue; see sql/volume_forecast.table.sql."""
    rows = 0
    for day in days_of(context):
        made = forecast_day(warehouse, day)
        rows += sum(warehouse.replace_days_from("gold.volume_forecast", made, [day]).values())
    return dg.MaterializeResult(metadata={"rows_of_run": rows})


@daily_table("gold", CUSTOMERS, [("gold", "conversation_facts")], freshness=FRESH)
def kpi_anomalies(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per figure out of the ordinary; see sql/kpi_anomalies.table.sql."""
    days = days_of(context)
    made = [row for day in days for row in find_anomalies(warehouse, day)]
    rows = warehouse.replace_days_from("gold.kpi_anomalies", made, days)
    return dg.MaterializeResult(metadata={"rows_of_run": sum(rows.values())})
