"""silver, business: customers and the operator's data as they are now, copied from PostgreSQL."""

import time

import dagster as dg

from assets.daily import CUSTOMERS, state_table
from assets.silver.business.copying import copy_whole
from assets.warehouse import Warehouse


@state_table("silver", CUSTOMERS, [])
def customers(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per customer who is not erased, the merged ones with whom they live on as; see sql/customers.table.sql."""
    return _copied(warehouse, "customers")


@state_table("silver", CUSTOMERS, [])
def contracts(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per contract with its plan; see sql/contracts.table.sql."""
    return _copied(warehouse, "contracts")


@state_table("silver", CUSTOMERS, [])
def invoices(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per invoice with when it was settled; see sql/invoices.table.sql."""
    return _copied(warehouse, "invoices")


@state_table("silver", CUSTOMERS, [])
def service_tickets(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per service ticket; see sql/service_tickets.table.sql."""
    return _copied(warehouse, "service_tickets")


@state_table("silver", CUSTOMERS, [])
def outages(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per outage of a network region; see sql/outages.table.sql."""
    return _copied(warehouse, "outages")


def _copied(warehouse: Warehouse, table: str) -> dg.MaterializeResult[None]:
    started = time.monotonic()
    rows = copy_whole(warehouse, table)
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, "seconds": time.monotonic() - started})
