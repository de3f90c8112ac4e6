"""Forward-only schema: `hub_api/migrations/NNNN_pre|post_*.sql` in order, each once, one runner at a time.

`pre` files are safe before the new code runs, `post` files after the old code has gone. A file that starts with
`-- transaction: none` runs statement by statement outside a transaction (CREATE INDEX CONCURRENTLY) and must be
repeatable. A file that has run must not change: its hash is kept.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources

import asyncpg

from hub_api.errors import HubError
from hub_api.platform.pgtypes import Connection
from hub_api.settings import Settings

LOCK = 7_215_001  # pg_advisory_lock: any constant that nobody else uses

PARTITIONED = ("messages", "webhook_event", "events", "audit_log")
MONTHS_AHEAD = 3


class MigrationChanged(HubError):
    """A file that has already run was edited; write a new file instead."""

    code = "migration_changed"


@dataclass(frozen=True)
class Migration:
    """One file of the schema's history."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Identity of the text that ran."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def all_migrations() -> list[Migration]:
    """Every migration in the order of its number."""
    files = [file for file in resources.files("hub_api.migrations").iterdir() if file.name.endswith(".sql")]
    return [
        Migration(file.name, file.read_text(encoding="utf-8")) for file in sorted(files, key=lambda file: file.name)
    ]


async def pending(db: Connection) -> list[Migration]:
    """What has not run yet. Raises MigrationChanged when a file differs from what ran."""
    if not await db.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL"):
        return all_migrations()
    ran = {row["name"]: row["sha256"] for row in await db.fetch("SELECT name, sha256 FROM schema_migration")}
    for migration in all_migrations():
        if migration.name in ran and ran[migration.name] != migration.sha256:
            raise MigrationChanged(
                f"{migration.name} has run and was changed since: restore it and write a new migration"
            )
    return [migration for migration in all_migrations() if migration.name not in ran]


async def migrate(url: str) -> list[str]:
    """Bring the PostgreSQL at `url` to the newest schema with its partitions; returns the names of the files that ran."""
    async with _only_runner(url) as db:
        return await _bring_up(db)


@asynccontextmanager
async def _only_runner(url: str) -> AsyncIterator[Connection]:
    """A connection that holds the lock of migrations: others wait until it closes."""
    db = await asyncpg.connect(url)
    try:
        await db.execute("SELECT pg_advisory_lock($1)", LOCK)
        yield db
    finally:
        await db.close()


async def _bring_up(db: Connection) -> list[str]:
    await db.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration "
        "(name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    ran = []
    for migration in await pending(db):
        await _apply(db, migration)
        ran.append(migration.name)
    await make_partitions(db)
    return ran


async def _apply(db: Connection, migration: Migration) -> None:
    record = "INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)"
    if migration.sql.startswith("-- transaction: none"):
        for statement in migration.sql.split(";\n"):
            if statement.strip():
                await db.execute(statement)
        await db.execute(record, migration.name, migration.sha256)
        return
    async with db.transaction():
        await db.execute(migration.sql)
        await db.execute(record, migration.name, migration.sha256)
    await db.execute("RESET ALL")


async def make_partitions(db: Connection, since: date | None = None, today: date | None = None) -> int:
    """Months from `since` (the month before `today` unless given) to three months ahead; returns how many were made."""
    today = today or datetime.now(UTC).date()
    first = since or date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
    month_index = today.year * 12 + today.month - 1 + MONTHS_AHEAD
    last = date(month_index // 12, month_index % 12 + 1, 1)
    made = 0
    for table in PARTITIONED:
        made += await db.fetchval("SELECT ensure_partitions($1, $2, $3)", table, first, last)
    return made


def run(settings: Settings, *, check: bool = False) -> list[str]:
    """The command `hub migrate`: PostgreSQL, then ClickHouse, one runner at a time; names of what ran. With `check` only
    the names of what would run: files of PostgreSQL, tables that ClickHouse lacks.

    Raises Unavailable when the warehouse does not answer.
    """
    return asyncio.run(_run(settings, check))


async def _run(settings: Settings, check: bool) -> list[str]:
    from hub_api.platform.clickhouse import apply_schema, missing_tables

    url = settings.database_url.get_secret_value()
    if check:
        db = await asyncpg.connect(url)
        try:
            files = [migration.name for migration in await pending(db)]
        finally:
            await db.close()
        return [*files, *await asyncio.to_thread(missing_tables, settings)]
    async with _only_runner(url) as runner:
        return [*await _bring_up(runner), *await asyncio.to_thread(apply_schema, settings)]
