"""gold, calendar: when service is open."""

import dagster as dg

from assets.daily import daily_table
from assets.gold.calendar.build import build_calendar
from assets.warehouse import Warehouse


@daily_table("gold", "service", [])
def business_calendar(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """Hours of service of each day, from HUB_BUSINESS_HOURS and the holidays of Brazil. A day counts those before it, so
    every run makes it whole, whatever days it is for."""
    return dg.MaterializeResult(metadata={"dagster/row_count": build_calendar(warehouse)})
