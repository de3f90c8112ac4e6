"""Writes recorded rows to PostgreSQL by COPY, in transactions short enough for the relay's horizon."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection, Pool
from hub_api.simulator.history.recorder import COLUMNS


async def store_rows(pool: Pool, rows: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
    """Copy the recorder's rows in one transaction."""
    async with pool.acquire() as db, db.transaction():
        for table, records in rows.items():
            await db.copy_records_to_table(table, records=records, columns=COLUMNS[table])


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
