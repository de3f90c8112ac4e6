"""silver, board: what people decide (baselines, benefits and costs, exchange rates, names of segments) and what the API counts of
itself, copied from PostgreSQL."""

import asyncio
import time

import dagster as dg

from assets.daily import CUSTOMERS, state_table
from assets.silver.business.copying import copy_whole
from assets.warehouse import Warehouse
from hub_api.platform import sqlfile
from hub_api.settings import Settings

queries = sqlfile.load(__package__, "copies.sql")


@state_table("silver", CUSTOMERS, [])
def kpi_baseline(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per stored baseline; see sql/kpi_baseline.table.sql."""
    return _copied(warehouse, "kpi_baseline")


@state_table("silver", CUSTOMERS, [])
def benefits_and_costs(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per benefit or cost that somebody entered; see sql/benefits_and_costs.table.sql."""
    return _copied(warehouse, "benefits_and_costs")


@state_table("silver", CUSTOMERS, [])
def exchange_rates(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per exchange rate; see sql/exchange_rates.table.sql."""
    return _copied(warehouse, "exchange_rates")


@state_table("silver", CUSTOMERS, [])
def service_levels(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per hour in which the API answered; see sql/service_levels.table.sql."""
    return _copied(warehouse, "service_levels")


@state_table("silver", CUSTOMERS, [], name="segments")
def segment_names(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per segment; see sql/segments.table.sql."""
    return _copied(warehouse, "segments")


BOARD = (kpi_baseline, benefits_and_costs, exchange_rates, service_levels, segment_names)


def edits(settings: Settings) -> str:
    """A text that is another one as soon as somebody has changed what these tables copy (of service levels: once a day)."""
    return asyncio.run(_edits(settings))


async def _edits(settings: Settings) -> str:
    import asyncpg

    db = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=20, command_timeout=20)
    try:
        return str(await db.fetchval(queries.edits))
    finally:
        await db.close()


def _copied(warehouse: Warehouse, table: str) -> dg.MaterializeResult[None]:
    started = time.monotonic()
    rows = copy_whole(warehouse, table, getattr(queries, table))
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, "seconds": time.monotonic() - started})
