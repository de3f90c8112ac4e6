"""From the lake back into the warehouse: a day is verified by the hash of its file, then inserted, then compared."""

import asyncio
import hashlib
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hub_api.errors import HubError
from hub_api.platform.clickhouse import BACKFILL, connect, render_ddl
from hub_api.platform.lake import manifest as manifests
from hub_api.platform.lake.manifest import Day, Manifest
from hub_api.platform.lake.store import Store, clean_spool, open_store
from hub_api.platform.lake.tables import EVENTS, Table, states, tables
from hub_api.platform.lake.write import locked, read_manifests, same
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# What is inserted again after a loss must not be taken for a repetition of the insert before it.
_INSERT = {"insert_deduplicate": 0}
_ASIDE = f"{EVENTS}__from_lake"


class Corrupted(HubError):
    """A file of the lake is not what its manifest says."""

    code = "lake_corrupted"


async def restore(settings: Settings, only: Collection[str] | None = None) -> dict[str, int]:
    """Insert what the lake has and the warehouse lacks, of all tables or `only` these; days inserted, by table.

    A day of which the warehouse has rows already stays as it is; of events, those are added that it does not have. Raises
    Corrupted for a file that is not as it was written: nothing of it is inserted. Harmless to repeat.
    """
    async with locked(settings):
        return await asyncio.to_thread(_restore, settings, only)


def _restore(settings: Settings, only: Collection[str] | None) -> dict[str, int]:
    store, spool = open_store(settings), clean_spool(settings)
    client = connect(settings.clickhouse_url, BACKFILL, timeout_s=3600)
    try:
        found = {}
        for table in tables(client):
            wanted = only is None or table.name in only
            if wanted and (manifest := manifests.load(store, spool, table.name)):
                found[table.name] = _table(settings, client, store, spool, table, manifest)
    finally:
        client.close()
    return {table: count for table, count in found.items() if count}


def _table(settings: Settings, client: "Client", store: Store, spool: Path, table: Table, manifest: Manifest) -> int:
    have, count = states(client, table, manifest.timezone), 0
    for day, known in sorted(manifest.days.items()):
        state = have.get(day)
        if same(known, state) or (state is not None and table.name != EVENTS):
            continue
        file = spool / "day.parquet"
        fetch(store, known, file)
        if table.name == EVENTS:
            _add_events(settings, client, table, manifest.timezone, day, file)
        else:
            _insert(client, table.name, table, file)
        count += 1
    return count


def _add_events(settings: Settings, client: "Client", table: Table, timezone: str, day: str, file: Path) -> None:
    """Those events of the file that the warehouse does not have: the relay may have brought some again."""
    with events_aside(settings, client, table, file) as aside:
        columns = ", ".join(name for name, *_ in table.columns)
        client.command(
            f"INSERT INTO {EVENTS} ({columns}) SELECT {columns} FROM {aside} "  # noqa: S608 - our own names
            f"WHERE id NOT IN (SELECT id FROM {EVENTS} WHERE {table.of_day})",
            parameters={"timezone": timezone, "day": day},
            settings=_INSERT,
        )


@contextmanager
def events_aside(settings: Settings, client: "Client", table: Table, file: Path) -> Iterator[str]:
    """The events of a file in a table like raw.events, gone when the block ends; its name. Under the lake's lock."""
    ddl = (f"DROP TABLE IF EXISTS {_ASIDE} /*ON CLUSTER*/ SYNC", f"CREATE TABLE {_ASIDE} /*ON CLUSTER*/ AS {EVENTS}")
    for statement in ddl:
        client.command(render_ddl(statement, settings.clickhouse_cluster))
    try:
        _insert(client, _ASIDE, table, file)
        yield _ASIDE
    finally:
        client.command(render_ddl(ddl[0], settings.clickhouse_cluster))


def _insert(client: "Client", into: str, table: Table, file: Path) -> None:
    columns = [name for name, *_ in table.columns]
    with file.open("rb") as content:
        client.raw_insert(into, column_names=columns, insert_block=content, fmt="Parquet", settings=_INSERT)


def fetch(store: Store, known: Day, file: Path) -> None:
    """Copy a day out of the store. Raises Corrupted unless it is as it was written, NotFound when it is not there."""
    store.fetch(known.file, file)
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != known.sha256:
        raise Corrupted(
            f"{known.file} is not as it was written ({known.written_at}): take it from a backup of the lake"
        )


def damaged(settings: Settings) -> Iterator[str]:
    """Files of the lake that are missing or not as they were written, by reading every one; and those that no manifest
    knows. Blocks."""
    store = open_store(settings)
    known = {one.file: one for manifest in read_manifests(settings).values() for one in manifest.days.values()}
    there = {name for name in store.names() if name.endswith(".parquet")}
    yield from sorted(there - known.keys())
    with tempfile.TemporaryDirectory() as spool:
        for name, one in sorted(known.items()):
            try:
                fetch(store, one, Path(spool) / "day.parquet")
            except HubError:
                yield name
