"""Writes recorded rows to PostgreSQL by COPY, in transactions short enough for the relay's horizon."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection, Pool
from hub_api.simulator.history.operator import PLANS, Operator
from hub_api.simulator.history.recorder import COLUMNS

MICROS = 1_000_000

_PLAN = ["external_id", "name", "kind", "speed_mbps", "data_gb", "price_micros"]
_CONTRACT = [
    "external_id",
    "phone",
    "customer_id",
    "plan_id",
    "status",
    "city",
    "state_code",
    "region_code",
    "started_on",
    "ended_on",
]
_INVOICE = [
    "external_id",
    "contract_id",
    "reference_month",
    "amount_micros",
    "currency",
    "due_on",
    "status",
    "barcode",
    "pix_code",
    "pdf_url",
]
_PAYMENT = ["external_id", "invoice_id", "amount_micros", "currency", "method", "paid_at"]
_OUTAGE = ["external_id", "region_code", "service", "started_at", "expected_end_at", "ended_at", "cause"]
_TICKET = ["external_id", "contract_id", "kind", "status", "opened_at", "scheduled_for", "closed_at", "summary"]


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
        for table, columns, records in (
            ("contracts", _CONTRACT, contracts),
            ("invoices", _INVOICE, operator.invoices),
            ("payments", _PAYMENT, operator.payments),
            ("outages", _OUTAGE, outages),
            ("service_tickets", _TICKET, operator.tickets),
        ):
            await db.copy_records_to_table(table, records=records, columns=columns)


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
        email = f"{name.split()[0].lower()}@example.com"
        await db.execute(
            "INSERT INTO users (id, email, name, role) VALUES ($1, $2, $3, 'agent') ON CONFLICT (lower(email)) DO NOTHING",
            uuid7(), email, name,
        )  # fmt: skip
        agents.append(await db.fetchval("SELECT id FROM users WHERE lower(email) = $1", email))
    return agents


async def reserve_protocols(pool: Pool, count: int) -> Iterator[int]:
    """`count` protocol numbers that nobody else will get."""
    last = await pool.fetchval("SELECT setval('protocol_number', nextval('protocol_number') + $1)", count)
    return iter(range(last - count, last + 1))
