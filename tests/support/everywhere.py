"""Look for texts in every store of a hub with other programs than the hub's own: psql, the ClickHouse interface, Redis, grep.

Nothing here knows a table or a file by name, so that a store's later parts are searched as they are.
"""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import asyncpg
import clickhouse_connect
import duckdb
import redis

from hub_api.embedded.postgres import installed_programs
from tests.support.waiting import run_async

TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1
"""
WAREHOUSE_TABLES = """
SELECT concat(database, '.`', name, '`') FROM system.tables
WHERE engine LIKE '%MergeTree' AND lower(database) NOT IN ('system', 'information_schema') ORDER BY 1
"""


@dataclass
class Everywhere:
    """The stores of one hub. `folders` are searched file by file, less the paths of `engines`, whose doors are used instead."""

    database_url: str
    redis_url: str
    clickhouse_url: str
    folders: list[Path] = field(default_factory=list)
    engines: tuple[str, ...] = ("postgres", "warehouse/engine")
    searched: dict[str, int] = field(default_factory=dict)  # bytes of the last search, by place

    def hits(self, texts: Iterable[str]) -> dict[str, int]:
        """Lines (rows, keys, files) in which one of `texts` stands, by place; places without any are left out."""
        needles = sorted(set(texts))
        self.searched = {}
        found = {**self._postgresql(needles), **self._redis(needles), **self._warehouse(needles)}
        for folder in self.folders:
            found |= self._files(folder, needles)
        return {place: count for place, count in found.items() if count}

    def hits_in_postgresql(self, texts: Iterable[str]) -> dict[str, int]:
        """The same of the database alone."""
        return {place: count for place, count in self._postgresql(sorted(set(texts))).items() if count}

    def hits_in_warehouse(self, texts: Iterable[str]) -> dict[str, int]:
        """The same of the warehouse alone."""
        return {place: count for place, count in self._warehouse(sorted(set(texts))).items() if count}

    def _postgresql(self, needles: list[str]) -> dict[str, int]:
        # COPY prints bytea as hex, and a backslash twice.
        patterns = [*needles, *(needle.encode().hex() for needle in needles)]
        found = {}
        for (table,) in run_async(self._tables()):
            command = [installed_programs() / "psql", "-qX", "--dbname", self.database_url]
            command += ["-c", f"COPY (SELECT * FROM {table}) TO STDOUT"]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as psql:
                found[f"postgresql {table}"] = self._count(f"postgresql {table}", psql.stdout, patterns)
            assert psql.returncode == 0, f"{table} could not be read"
        return found

    async def _tables(self) -> list[asyncpg.Record]:
        db = await asyncpg.connect(self.database_url)
        try:
            return await db.fetch(TABLES)
        finally:
            await db.close()

    def _warehouse(self, needles: list[str]) -> dict[str, int]:
        found = {}
        with clickhouse_connect.get_client(dsn=self.clickhouse_url) as client:
            for (table,) in client.query(WAREHOUSE_TABLES).result_rows:
                stream = client.raw_stream(f"SELECT * FROM {table}", fmt="TSVRaw")
                found[f"warehouse {table}"] = self._count(f"warehouse {table}", stream, needles)
        return found

    def _redis(self, needles: list[str]) -> dict[str, int]:
        raw, found, size = [needle.encode() for needle in needles], 0, 0
        with redis.Redis.from_url(self.redis_url) as client:
            for key in client.scan_iter(count=1000):
                held = key + b" " + _redis_value(client, key)
                size += len(held)
                found += any(needle in held for needle in raw)
        self.searched["redis"] = size
        return {"redis": found}

    def _files(self, folder: Path, needles: list[str]) -> dict[str, int]:
        found = {}
        # Engines remove files while we look; what they merge is searched through their own doors too.
        files = sorted(Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
        for file in files:
            if not file.is_file() or self._is_engines(folder, file):
                continue
            try:
                opened = _content(file)
            except FileNotFoundError:
                continue
            with opened as content:
                place = f"file {file.relative_to(folder)}"
                # A file's name may tell as much as its content.
                found[place] = self._count(place, content, needles) + any(needle in str(file) for needle in needles)
        return found

    def _is_engines(self, folder: Path, file: Path) -> bool:
        return any(file.is_relative_to(folder / engine) for engine in self.engines)

    def _count(self, place: str, stream: object, needles: list[str]) -> int:
        """Lines of a stream with one of the needles, by `grep`, which looks for hundreds of them in one pass."""
        command = ["grep", "-c", "-a", "-F", "-e", "\n".join(needles)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"LC_ALL": "C"}) as grep:
            size = 0
            while block := stream.read(1 << 20):
                size += len(block)
                grep.stdin.write(block)
            grep.stdin.close()
            count = int(grep.stdout.read())
        assert grep.returncode in (0, 1), "grep failed"
        self.searched[place] = size
        return count


def _content(file: Path) -> BinaryIO:
    """The bytes of a file; of Parquet, whose pages are compressed, its rows as text and its own bytes after them."""
    if file.suffix != ".parquet":
        return file.open("rb")
    raw = file.read_bytes()
    with TemporaryDirectory() as aside:  # the file itself may be written anew meanwhile
        copy, rows = Path(aside, "copy.parquet"), Path(aside, "rows.csv")
        copy.write_bytes(raw)
        with duckdb.connect() as engine:
            engine.execute(f"COPY (SELECT * FROM read_parquet('{copy}')) TO '{rows}' (FORMAT csv)")
        return BytesIO(rows.read_bytes() + raw)


def _redis_value(client: redis.Redis, key: bytes) -> bytes:
    match client.type(key):
        case b"string":
            return client.get(key) or b""
        case b"hash":
            return repr(client.hgetall(key)).encode()
        case b"list":
            return b" ".join(client.lrange(key, 0, -1))
        case b"set":
            return b" ".join(client.smembers(key))
        case b"zset":
            return b" ".join(client.zrange(key, 0, -1))
        case b"stream":
            return repr(client.xrange(key)).encode()
        case b"none":
            return b""  # it expired after it was listed
        case other:
            raise AssertionError(f"a kind of key that the search cannot read: {other!r}")
