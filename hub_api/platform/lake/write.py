"""Bring the lake up to date with the warehouse: days that differ are written again, all others stay untouched.

One writer at a time (an advisory lock in PostgreSQL): else one that had read before an erasure could put its words back
after it. A writer that dies leaves days that differ, which the next one finds.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from hub_api.errors import HubError, Unavailable
from hub_api.platform.clickhouse import BACKFILL, connect
from hub_api.platform.lake import manifest as manifests
from hub_api.platform.lake.manifest import Day, Manifest
from hub_api.platform.lake.store import Store, clean_spool, open_store
from hub_api.platform.lake.tables import EVENTS, State, Table, built_days, states, tables
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

LOCK = 7_215_022  # pg_advisory_lock; the others: grep for 7215 and 7_215
SAVE_EVERY = 50
_TRIES = 5
_END = b"PAR1"
_PARQUET = {
    "output_format_parquet_compression_method": "zstd",
    "output_format_parquet_row_group_size": 200_000,
}


class LakeAhead(HubError):
    """The lake holds what the warehouse has lost: writing would lose it there too."""

    code = "lake_ahead"


@asynccontextmanager
async def locked(settings: Settings) -> AsyncIterator[None]:
    """Be the only one who changes the lake; waits for whoever does."""
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        await db.execute("SELECT pg_advisory_lock($1)", LOCK)
        yield
    finally:
        await db.close()


async def bring_up_to_date(
    settings: Settings, only: Collection[str] | None = None, *, follow: bool = False
) -> dict[str, dict[str, Day]]:
    """Write every day before today, of all tables or `only` these, that differs from what the lake has; what was written,
    by table and day (`bytes` 0: removed, since the day has no rows any more). Harmless to repeat.

    `follow`: only days that the lake already has. Raises LakeAhead rather than overwrite what the warehouse has lost, and
    the drivers' errors when PostgreSQL, the warehouse or the store is away.
    """
    async with locked(settings):
        return await asyncio.to_thread(_bring, settings, only, follow)


def _bring(settings: Settings, only: Collection[str] | None, follow: bool) -> dict[str, dict[str, Day]]:
    store, spool = open_store(settings), clean_spool(settings)
    client = connect(settings.clickhouse_url, BACKFILL, timeout_s=3600)
    try:
        writer = _Writer(settings, store, spool, client)
        wanted = [table for table in tables(client) if only is None or table.name in only]
        return {table.name: changes for table in wanted if (changes := writer.table(table, follow))}
    finally:
        client.close()


class _Writer:
    """One pass over the tables."""

    def __init__(self, settings: Settings, store: Store, spool: Path, client: "Client") -> None:
        self.timezone, self.store, self.spool, self.client = settings.timezone, store, spool, client
        self.today = datetime.now(settings.zone).date().isoformat()
        self.built = built_days(client)

    def table(self, table: Table, follow: bool) -> dict[str, Day]:
        """Bring one table up to date."""
        known = manifests.load(self.store, self.spool, table.name)
        if known is None and follow:
            return {}
        columns = [{"name": name, "type": type_, "comment": comment} for name, type_, comment in table.columns]
        days = known.days if known else {}
        manifest = Manifest(table.name, table.day_of, self.timezone, table.schema_version, columns, days)
        have = {
            day: state for day, state in states(self.client, table, self.timezone).items() if self._over(table, day)
        }
        self._refuse_to_lose(table, manifest, have)
        changes: dict[str, Day] = {}
        for day, state in sorted(have.items()):
            if (follow and day not in days) or same(days.get(day), state):
                continue
            changes[day] = days[day] = self._write(table, day, state)
            if len(changes) % SAVE_EVERY == 0:
                manifests.save(self.store, self.spool, manifest)
        for day in sorted(days.keys() - have.keys()):
            gone = days.pop(day)
            self.store.delete(gone.file)
            changes[day] = Day(gone.file, 0, "0", gone.batch, gone.schema_version, 0, "", _now())
        if changes or (known and known.columns != columns):
            manifests.save(self.store, self.spool, manifest)
        return changes

    def _over(self, table: Table, day: str) -> bool:
        """A day is written once it is over: until then it changes every hour."""
        return not table.day_of or day < self.today

    def _refuse_to_lose(self, table: Table, manifest: Manifest, have: dict[str, State]) -> None:
        lost = []
        for day, known in manifest.days.items():
            state = have.get(day)
            if table.name == EVENTS:
                lost += [day] if state is None or state.rows < known.rows else []
            elif state is None and (not self.built or (table.day_of and known.batch and day not in self.built)):
                # A day that was never built as one (a payment of long ago) may lose its only person by an erasure.
                lost.append(day)
        if lost:
            raise LakeAhead(
                f"the lake holds rows of {table.name} that the warehouse does not have ({len(lost)} days, first {min(lost)}): "
                "bring them back with `hub warehouse rebuild`"
            )

    def _write(self, table: Table, day: str, state: State) -> Day:
        """Write a day as the warehouse has it; a build may swap it meanwhile, so it is looked at before and after."""
        name, order = manifests.file_of(table.name, day), f"ORDER BY {table.order}" if table.order else ""
        sql = f"SELECT * FROM {table.source} WHERE {table.of_day} {order}"  # noqa: S608 - our own names
        for _ in range(_TRIES):
            file = self.spool / "day.parquet"
            size, digest = self._export(sql, day, file)
            after = states(self.client, table, self.timezone, day).get(day)
            if after is not None and after[:2] == state[:2]:
                self.store.put(name, file)
                return Day(name, state.rows, state.hash, after.batch, table.schema_version, size, digest, _now())
            state = after or State(0, "0", 0)
        raise Unavailable(f"{table.name} of {day} changes faster than it can be written")

    def _export(self, sql: str, day: str, file: Path) -> tuple[int, str]:
        parameters = {"timezone": self.timezone, "day": day}
        digest, size, end = hashlib.sha256(), 0, b""
        stream: Any = self.client.raw_stream(sql, parameters, settings=_PARQUET, fmt="Parquet")
        with stream, file.open("wb") as out:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
                size, end = size + len(chunk), (end + chunk)[-len(_END) :]
        if end != _END:
            raise Unavailable("the warehouse broke off while it wrote a day of the lake")
        return size, digest.hexdigest()


def same(known: Day | None, state: State | None) -> bool:
    """Whether a day of the lake is what the warehouse has."""
    return known is not None and state is not None and (known.rows, known.hash) == (state.rows, state.hash)


async def differences(settings: Settings, only: Collection[str] | None = None) -> dict[str, list[str]]:
    """Days of the lake that are not what the warehouse has, by table; tables without any are left out."""
    return await asyncio.to_thread(_differences, settings, only)


def _differences(settings: Settings, only: Collection[str] | None) -> dict[str, list[str]]:
    known = read_manifests(settings)
    known = {table: one for table, one in known.items() if only is None or table in only}
    if not known:
        return {}
    client = connect(settings.clickhouse_url, BACKFILL, timeout_s=3600)
    try:
        there = {table.name: table for table in tables(client)}
        found = {}
        for name, manifest in known.items():
            have = states(client, there[name], manifest.timezone) if name in there else {}
            found[name] = sorted(day for day, one in manifest.days.items() if not same(one, have.get(day)))
    finally:
        client.close()
    return {table: days for table, days in found.items() if days}


def read_manifests(settings: Settings) -> dict[str, Manifest]:
    """Every manifest, by table; empty when there is no lake."""
    with tempfile.TemporaryDirectory() as spool:
        return manifests.load_all(open_store(settings), Path(spool))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
