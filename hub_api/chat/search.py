"""Search in messages, in Portuguese: newest month first, stopping as soon as there is enough to show."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from hub_api.auth.principal import Principal
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Pool, Row

queries = sqlfile.load(__package__, "search.sql")


async def search_messages(
    db: Pool, caller: Principal, words: str, *, before: datetime | None = None, limit: int = 50
) -> list[Row]:
    """Up to `limit` messages that the caller sees and that match `words` (websearch syntax: "frase exata", -sem, or), the newest first.

    `before` is where the last page ended. A month is one partition, so a search that finds enough in the newest months
    touches no older ones.
    """
    span = await db.fetchrow(queries.months)
    found: list[Row] = []
    for start, end in _months(span["first"], span["last"]) if span and span["first"] else ():
        if before is not None and start >= before:
            continue
        until = min(end, before) if before else end
        found += await db.fetch(queries.search_month, *caller.scope, words, start, until, limit - len(found))
        if len(found) >= limit:
            break
    return found


def _months(first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    """From `last` back to `first`: begin and end of each month, UTC as the partitions are."""
    year, month = last.year, last.month
    while (year, month) >= (first.year, first.month):
        following = (year + month // 12, month % 12 + 1)
        yield datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
