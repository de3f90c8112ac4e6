"""Counting what becomes of sends, for breakers, speed and operators: rows are added where it happens, summed on a clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "tally.sql")

KEEP = timedelta(days=8)
RAW_FOR, MINUTES_FOR = timedelta(minutes=2), timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Tally:
    """`count` outcomes of a number: accepted, refused (by the call), unknown, delivered, read, failed (by a status),
    opt_out. `code` is Meta's; `template` its name and language with a slash between."""

    number_id: UUID
    outcome: str
    template: str | None = None
    code: int | None = None
    count: int = 1


async def count(tx: Transaction, tallies: Sequence[Tally]) -> None:
    """Add them, with the transaction in which they happened."""
    if tallies:
        await tx.db.execute(
            queries.count,
            [one.number_id for one in tallies],
            [one.template for one in tallies],
            [one.outcome for one in tallies],
            [one.code for one in tallies],
            [one.count for one in tallies],
        )


async def add_up(services: Services) -> None:
    """Sum what is older than two minutes by minute, older than three hours by hour; forget it after eight days."""
    now = datetime.now(UTC)
    async with services.transaction() as tx:
        await tx.db.execute(queries.add_up, 1, "minute", (now - RAW_FOR).replace(second=0, microsecond=0))
        hour = (now - MINUTES_FOR).replace(minute=0, second=0, microsecond=0)
        await tx.db.execute(queries.add_up, 2, "hour", hour)
        await tx.db.execute(queries.forget, now - KEEP)
