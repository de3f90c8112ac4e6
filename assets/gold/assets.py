"""gold: which days are complete, and which have gone stale since."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import dagster as dg

from assets.daily import daily_table, days_of
from assets.warehouse import Warehouse, load_sql
from hub_api.settings import Calendar

BUILT_DAYS = dg.AssetKey(["gold", "built_days"])


class Lack(NamedTuple):
    """What a stale day lacks: everything up to this relay batch; `came_late`: events of its own or of days that it is made of,
    and not only what became of its conversations since."""

    batch: int
    came_late: bool


def make_built_days(tables: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset gold.built_days, which is built after these tables and not when a blocking check of one has failed."""

    @daily_table("gold", "service", [(key.path[0], key.path[1]) for key in tables])
    def built_days(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult[None]:
        """The days of the run are complete: written last, so that a run that failed half-way leaves its days stale."""
        parameters = warehouse.parameters(days_of(context), **_horizon(warehouse.settings))
        sql = f"INSERT INTO gold.built_days (day, batch) {load_sql(__package__, 'built_days.sql')}"
        warehouse.client.command(sql, parameters=parameters)
        return dg.MaterializeResult(metadata={"days_of_run": len(parameters["days"])})

    return built_days


def stale_days(warehouse: Warehouse, *, looks_back: bool = False) -> dict[str, Lack]:
    """Days up to today whose gold tables lack events that raw.events has, with what they lack.

    `looks_back`: some table does (`assets.daily.daily_table`).
    """
    horizon = _horizon(warehouse.settings)
    sql = load_sql(__package__, "stale_days.sql")
    rows = warehouse.rows(sql, first=horizon["start"], last=horizon["today"], looks_back=looks_back)
    return {day.isoformat(): Lack(int(batch), bool(late)) for day, batch, late in rows}


def _horizon(calendar: Calendar) -> dict[str, object]:
    return {"start": calendar.history_start, "today": datetime.now(calendar.zone).date()}
