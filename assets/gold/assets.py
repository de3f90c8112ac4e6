"""gold: which days are complete, and which have gone stale since."""

from datetime import datetime

import dagster as dg

from assets.daily import daily_table, days_of
from assets.warehouse import Warehouse, load_sql
from hub_api.settings import Calendar


@daily_table(
    "gold", "service", [("gold", "conversation_facts"), ("gold", "service_kpi_hourly"), ("gold", "message_costs_daily")]
)
def built_days(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """The days of the run are complete: written last, so that a run that failed half-way leaves its days stale."""
    parameters = warehouse.parameters(days_of(context), **_horizon(warehouse.settings))
    sql = f"INSERT INTO gold.built_days (day, batch) {load_sql(__package__, 'built_days.sql')}"
    warehouse.client.command(sql, parameters=parameters)
    return dg.MaterializeResult(metadata={"days_of_run": len(parameters["days"])})


def stale_days(warehouse: Warehouse) -> dict[str, int]:
    """Days up to today whose gold tables lack events that raw.events has, with the newest relay batch they lack."""
    horizon = _horizon(warehouse.settings)
    rows = warehouse.rows(load_sql(__package__, "stale_days.sql"), first=horizon["start"], last=horizon["today"])
    return {day.isoformat(): int(batch) for day, batch in rows}


def _horizon(calendar: Calendar) -> dict[str, object]:
    return {"start": calendar.history_start, "today": datetime.now(calendar.zone).date()}
