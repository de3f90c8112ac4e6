"""The schema: runs once, runs again without change, and refuses an edited past."""

import asyncio

import asyncpg
import pytest

from hub_api.platform import migrate
from hub_api.platform.migrate import MigrationChanged


async def test_a_second_run_of_the_migrations_changes_nothing(empty_database_url):
    first = await migrate.migrate(empty_database_url)
    assert first == [migration.name for migration in migrate.all_migrations()]
    assert await migrate.migrate(empty_database_url) == []


async def test_of_two_runners_at_once_one_works_and_the_other_waits(empty_database_url):
    ran = await asyncio.gather(migrate.migrate(empty_database_url), migrate.migrate(empty_database_url))
    assert sorted(map(len, ran)) == [0, len(migrate.all_migrations())]


async def test_an_edited_migration_is_refused(database_url):
    db = await asyncpg.connect(database_url)
    await db.execute("UPDATE schema_migration SET sha256 = 'other' WHERE name = '0001_pre_foundation.sql'")
    with pytest.raises(MigrationChanged, match="0001_pre_foundation"):
        await migrate.pending(db)
    await db.close()


async def test_partitions_are_made_from_last_month_to_three_months_ahead(database_url):
    db = await asyncpg.connect(database_url)
    months = await db.fetchval(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass AND inhrelid::regclass::text ~ '_[0-9]{6}$'"
    )
    assert months == 5
    await db.close()
