"""Months of PostgreSQL's `events` that are over leave it for the lake, proved there first, and come back when asked.

A month is detached (a short lock), then compared: PostgreSQL with the warehouse by count and a hash of every column, the
warehouse with the lake by the hash of each day, the lake's files with their SHA-256. Only then its table is dropped, in the
transaction that writes down what it held; when anything differs it is attached again. A run that dies in between leaves a
detached table, with which the next one begins; an erasure meanwhile finds it in its count of survivors and comes again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from hub_api.errors import Conflict, HubError, NotFound, Unavailable
from hub_api.platform import sqlfile
from hub_api.platform.clickhouse import BACKFILL, connect
from hub_api.platform.lake import manifest as manifests
from hub_api.platform.lake.restore import events_aside, fetch
from hub_api.platform.lake.store import clean_spool, open_store
from hub_api.platform.lake.tables import EVENTS, Table, states, tables
from hub_api.platform.lake.write import locked, same
from hub_api.platform.pgtypes import Connection
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "archive.sql")
questions = sqlfile.load(__package__, "archive.clickhouse.sql")

CURSOR = "raw.events"
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"  # inserts of events queue behind a lock that waits
LOCK_TRIES = 20
# A column of `events` and what raw.events has for it, in one order.
_COLUMNS = {
    **{name: name for name in ("seq", "id", "xid", "type", "aggregate_type", "aggregate_id", "aggregate_version")},
    "occurred_at": "occurred_at",
    "payload": "payload",
    "trace_id": "nullIf(trace_id, '')",
    "created_at": "recorded_at",
}


class NotProved(HubError):
    """A month of events is not in the lake as PostgreSQL has it; it stays in PostgreSQL."""

    code = "month_not_proved"


@dataclass(frozen=True)
class Month:
    """A month of events, its count and the hash of every column, and the days of the lake that hold it."""

    month: date
    events: int
    hash: str
    days: Sequence[date]


async def archive(settings: Settings, today: date | None = None) -> list[Month]:
    """Take the months out of PostgreSQL that are older than HUB_EVENTS_MONTHS before `today` (UTC); those that left, oldest
    first. Harmless to repeat. A month that has left once is let alone: a person brought it back, or wrote old events anew.

    Raises NotProved for the first month that is not in the lake to the last event: it stays, and so do those after it.
    """
    today = today or datetime.now(UTC).date()
    if not settings.events_months:
        return []
    limit = _months_before(today, settings.events_months)
    async with locked(settings), _session(settings) as db:
        known = {row["month"] for row in await db.fetch(queries.list_archived)}
        return [
            await _leave(settings, db, row["month"], row["name"], attached=row["attached"])
            for row in await db.fetch(queries.months)
            if row["month"] < limit and row["month"] not in known
        ]


async def _leave(settings: Settings, db: Connection, month: date, name: str, *, attached: bool) -> Month:
    if waiting := await db.fetchval(_of(queries.unrelayed, name), CURSOR):
        raise NotProved(f"{waiting} events of {month:%Y-%m} have not reached the warehouse: is the relay well?")
    if attached:
        await asyncio.to_thread(_in_lake, settings, month)  # for nothing it need not be detached at all
        await _alter(db, f"ALTER TABLE events DETACH PARTITION {name}")
    try:
        days, theirs = await asyncio.to_thread(_in_lake, settings, month)
        ours = await _fingerprint(db, name)
        if ours != theirs:
            raise NotProved(
                f"events of {month:%Y-%m}: PostgreSQL has {ours[0]}, the warehouse and the lake {theirs[0]}, or other ones; "
                "raw/events tells which days differ (`python -m pipelines.materialize`)"
            )
    except BaseException:
        await _alter(db, _attached(name, month))
        raise
    async with db.transaction():
        await db.execute(queries.record, month, *ours, days)
        await db.execute(f"DROP TABLE {name}")
    log.info("events_archived", month=f"{month:%Y-%m}", events=ours[0], days=len(days))
    return Month(month, *ours, days)


def _in_lake(settings: Settings, month: date) -> tuple[list[date], tuple[int, str]]:
    """The days of the lake with events recorded in the month, and their count and hash. Raises NotProved unless each day is
    there, as the warehouse has it and as it was written."""
    store, spool = open_store(settings), clean_spool(settings)
    client = connect(settings.clickhouse_url, BACKFILL, timeout_s=3600)
    try:
        table, known = _events(client), manifests.load(store, spool, EVENTS)
        bounds = _bounds(month)
        days = [day for (day,) in client.query(questions.days, {**bounds, "timezone": settings.timezone}).result_rows]
        for day in days:
            there = known.days.get(day) if known else None
            if there is None or not same(there, states(client, table, settings.timezone, day).get(day)):
                raise NotProved(f"the lake has not the events of {day} as the warehouse has them: run `hub lake sync`")
            fetch(store, there, spool / "day.parquet")
        found = _theirs(client, EVENTS, bounds)
    finally:
        client.close()
    return [date.fromisoformat(day) for day in days], found


async def bring_back(settings: Settings, month: date) -> Month:
    """Put a month of events back into PostgreSQL, from the lake alone: loaded aside, compared, then attached. What was erased
    meanwhile comes back as it is now. The clock leaves the month alone until `archive_again`.

    Raises NotFound for a month that never left, Conflict for one that is there, Corrupted for a damaged file and NotProved
    when the lake's files do not hold it whole; nothing is changed then.
    """
    name, aside = f"events_{month:%Y%m}", f"events_back_{month:%Y%m}"
    async with locked(settings), _session(settings) as db:
        row = await db.fetchrow(queries.archived, month)
        if row is None:
            raise NotFound(f"no events of {month:%Y-%m} have been archived")
        if await db.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
            raise Conflict(f"PostgreSQL has a month {month:%Y-%m} of events already")
        await db.execute(f"DROP TABLE IF EXISTS {aside}")
        await db.execute(
            f"CREATE TABLE {aside} (LIKE events INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS)"
        )
        try:
            lake = await _load(settings, db, aside, month, row["days"])
            found = await _fingerprint(db, aside)
            if found != lake or found[0] != row["events"]:
                raise NotProved(
                    f"{row['events']} events of {month:%Y-%m} left, the lake has {lake[0]}, {found[0]} arrived"
                )
            async with db.transaction():
                await db.execute(f"ALTER TABLE {aside} RENAME TO {name}")
                await db.execute(_attached(name, month))
                await db.execute(queries.mark_returned, month)
        finally:
            await db.execute(f"DROP TABLE IF EXISTS {aside}")
    log.info("events_brought_back", month=f"{month:%Y-%m}", events=found[0], unchanged=found[1] == row["hash"])
    return Month(month, *found, row["days"])


async def archive_again(settings: Settings, month: date) -> None:
    """Let the clock take a month out again that was brought back. Raises NotFound."""
    async with _session(settings) as db:
        if await db.fetchval(queries.forget_returned, month) is None:
            raise NotFound(f"no events of {month:%Y-%m} were brought back")


async def list_archived(settings: Settings) -> list[dict[str, Any]]:
    """Every month that has left: month, events, archived_at, returned_at."""
    async with _session(settings) as db:
        return [dict(row) for row in await db.fetch(queries.list_archived)]


async def _load(settings: Settings, db: Connection, into: str, month: date, days: Sequence[date]) -> tuple[int, str]:
    """Copy the month's events out of the lake's days, a commit for each: the relay waits for the oldest transaction."""
    store, spool, bounds = open_store(settings), clean_spool(settings), _bounds(month)
    client = connect(settings.clickhouse_url, BACKFILL, timeout_s=3600)
    count, total = 0, 0
    try:
        known = manifests.load(store, spool, EVENTS)
        for day in days:
            there = known.days.get(day.isoformat()) if known else None
            if there is None:
                raise NotProved(f"the lake has no events of {day}")
            fetch(store, there, spool / "day.parquet")
            with events_aside(settings, client, _events(client), spool / "day.parquet") as aside:
                part = _theirs(client, aside, bounds)
                sql = questions.rows.replace("/*table*/", aside).replace("/*columns*/", ", ".join(_COLUMNS.values()))
                lines = client.raw_query(sql, bounds, settings={"max_result_rows": 0}, fmt="TabSeparated")
            await db.copy_to_table(into, source=_once(lines), columns=list(_COLUMNS), format="text")
            count, total = count + part[0], total + int(part[1])
    finally:
        client.close()
    return count, str(total)


async def _once(lines: bytes) -> AsyncIterator[bytes]:
    yield lines


def _events(client: "Client") -> Table:
    found = next((table for table in tables(client) if table.name == EVENTS), None)
    if found is None:
        raise Unavailable("the warehouse has no events yet: run `hub migrate`")
    return found


def _theirs(client: "Client", table: str, bounds: dict[str, Any]) -> tuple[int, str]:
    ((count, hash_),) = client.query(questions.fingerprint.replace("/*table*/", table), bounds).result_rows
    return count, hash_


async def _fingerprint(db: Connection, name: str) -> tuple[int, str]:
    row = await db.fetchrow(_of(queries.fingerprint, name), timeout=3600)
    assert row is not None  # noqa: S101 - an aggregate always has a row
    return row["count"], row["hash"]


def _attached(name: str, month: date) -> str:
    low, high = _bounds(month).values()
    return f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"


async def _alter(db: Connection, statement: str) -> None:
    """Change the partitions of `events` when nobody is in the way; gives up after a minute."""
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            async with db.transaction():
                await db.execute(LOCK_TIMEOUT)
                await db.execute(statement)
        except asyncpg.LockNotAvailableError:
            if not tries_left:
                raise
            await asyncio.sleep(1)
        else:
            return


def _of(query: str, name: str) -> str:
    """A query about one month's table; names are made of digits here or by the schema, so they need no quotes."""
    return query.replace("{events}", name)


def _bounds(month: date) -> dict[str, datetime]:
    """A month as partitions have it: UTC, its end left out."""
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    return {"from": first, "to": datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)}


def _months_before(today: date, months: int) -> date:
    index = today.year * 12 + today.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[Connection]:
    """A session of its own: what it does takes minutes, and a pool's would be missed."""
    db = await asyncpg.connect(settings.database_url.get_secret_value(), server_settings={"timezone": "UTC"})
    try:
        yield db
    finally:
        await db.close()
