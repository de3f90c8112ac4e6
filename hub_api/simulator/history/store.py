"""Writes recorded rows to PostgreSQL by COPY, in transactions short enough for the relay's horizon."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection, Pool
from hub_api.simulator.history.operator import PLANS, Operator
from hub_api.simulator.history.recorder import COLUMNS

MICROS = 1_000_000

_INSERT_PLAN = """
INSERT INTO plans (external_id, name, kind, speed_mbps, data_gb, price_micros) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (external_id) DO NOTHING
"""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "contracts": (
        "external_id", "phone", "customer_id", "plan_id", "status", "city", "state_code", "region_code", "started_on", "ended_on",
    ),
    "invoices": (
        "external_id", "contract_id", "reference_month", "amount_micros", "currency", "due_on", "status", "barcode", "pix_code", "pdf_url",
    ),
    "payments": ("external_id", "invoice_id", "amount_micros", "currency", "method", "paid_at"),
    "outages": ("external_id", "region_code", "service", "started_at", "expected_end_at", "ended_at", "cause"),
    "service_tickets": ("external_id", "contract_id", "kind", "status", "opened_at", "scheduled_for", "closed_at", "summary"),
}  # fmt: skip


async def store_rows(pool: Pool, rows: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
    """Copy the recorder's rows in one transaction."""
    async with pool.acquire() as db, db.transaction():
        for table, records in rows.items():
            await db.copy_records_to_table(table, records=records, columns=COLUMNS[table])


async def store_operator(pool: Pool, operator: Operator) -> None:
    """Copy the operator's business data; plans that exist already stay."""
    plans = [
        (key, name, kind, speed, gigabytes, round(price * MICROS)) for key, name, kind, speed, gigabytes, price in PLANS
    ]
    contracts = [
        (
            person.contract, person.phone, person.id, person.plan, "cancelled" if person.cancelled_on else "active", person.city,
            person.state_code, person.region, person.since, person.cancelled_on,
        )
        for person in operator.people
    ]  # fmt: skip
    outages = [
        (outage.id, outage.region, "fiber", outage.started_at, outage.ended_at, outage.ended_at, outage.cause)
        for outage in operator.outages
    ]
    async with pool.acquire() as db, db.transaction():
        await db.executemany(_INSERT_PLAN, plans)
        for table, records in (
            ("contracts", contracts),
            ("invoices", operator.invoices),
            ("payments", operator.payments),
            ("outages", outages),
            ("service_tickets", operator.tickets),
        ):
            await db.copy_records_to_table(table, records=records, columns=_COLUMNS[table])


async def ensure_queue(db: Connection, key: str, name: str) -> UUID:
    """The queue's id; made when it is not there."""
    await db.execute(
        "INSERT INTO queues (id, key, name) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING", uuid7(), key, name
    )
    return await db.fetchval("SELECT id FROM queues WHERE key = $1", key)  # type: ignore[no-any-return]


async def ensure_agents(db: Connection, names: Sequence[str]) -> list[UUID]:
    """The agents' ids in the order of `names`; made when they are not there."""
    agents = []
    for name in names:
        email = f"{name.lower().replace(' ', '.')}@example.com"
        await db.execute(
            "INSERT INTO users (id, email, name, role) VALUES ($1, $2, $3, 'agent') ON CONFLICT (lower(email)) DO NOTHING",
            uuid7(), email, name,
        )  # fmt: skip
        agents.append(await db.fetchval("SELECT id FROM users WHERE lower(email) = $1", email))
    return agents


async def ensure_months(db: Connection, months: Iterable[date]) -> None:
    """Make the partitions of messages for these months, so that old rows do not end in DEFAULT."""
    for month in sorted({day.replace(day=1) for day in months}):
        await db.execute("SELECT ensure_partitions('messages', $1, $1)", month)


async def reserve_protocols(pool: Pool, count: int) -> Iterator[int]:
    """`count` protocol numbers that nobody else will get."""
    last = await pool.fetchval("SELECT setval('protocol_number', nextval('protocol_number') + $1)", count)
    return iter(range(last - count, last + 1))
