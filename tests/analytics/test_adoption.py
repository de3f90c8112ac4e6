"""After a restore: PostgreSQL in another cluster, in another life, or a warehouse that has lost something."""

import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from hub_api.analytics.relay import relay_until_empty
from hub_api.embedded.postgres import installed_programs
from hub_api.platform import rawevents
from hub_api.platform.clickhouse import connect
from hub_api.settings import Settings
from tests.analytics.conftest import postgres_ids, session, step, warehouse_ids, write
from tests.support.postgres import Databases, EmbeddedPostgres

# So that the old cluster's transaction ids lie above the new one's, as they do after years of work.
USE_UP_TRANSACTION_IDS = "DO $$ BEGIN FOR i IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


@pytest.fixture(scope="module")
def other_cluster() -> Iterator[Databases]:
    with EmbeddedPostgres() as server:
        yield Databases(server.url())


def dump(settings: Settings) -> bytes:
    command = [installed_programs() / "pg_dump", "--dbname", settings.database_url.get_secret_value()]
    return subprocess.run(command, check=True, capture_output=True).stdout


def restore(cluster: Databases, script: bytes, settings: Settings) -> Settings:
    url = cluster.create(empty=True)
    command = [installed_programs() / "psql", "--quiet", "-v", "ON_ERROR_STOP=1", "--dbname", url]
    done = subprocess.run(command, check=False, input=script, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert urlsplit(url).port != urlsplit(settings.database_url.get_secret_value()).port
    return settings.model_copy(update={"database_url": type(settings.database_url)(url)})


async def dying(*_: object, **__: object) -> None:
    raise ConnectionError("the process dies here")


@pytest.mark.parametrize("dump_in_a_batch", [False, True], ids=["between batches", "in the middle of a batch"])
async def test_a_dump_restored_into_another_cluster_loses_and_doubles_nothing(
    data_settings: Settings,
    db: asyncpg.Connection,
    other_cluster: Databases,
    monkeypatch: pytest.MonkeyPatch,
    dump_in_a_batch: bool,
) -> None:
    await db.execute(USE_UP_TRANSACTION_IDS)
    await write(db, 20)
    await step(data_settings, batch_rows=12)
    if dump_in_a_batch:  # the batch is written, its answer lost: the dump has its bounds
        with monkeypatch.context() as patch, pytest.raises(ConnectionError):
            patch.setattr(rawevents, "carry", dying)
            await step(data_settings, batch_rows=3)
    script = dump(data_settings)
    await step(data_settings, batch_rows=2)  # relayed after the dump: in the restored cluster it looks unsent

    restored = restore(other_cluster, script, data_settings)
    new = await session(restored)
    assert await new.fetchval("SELECT pg_current_xact_id()::text::bigint < (SELECT max(xid)::text::bigint FROM events)")
    await write(new, 5)  # the application is faster than the relay
    assert await relay_until_empty(restored) > 5

    in_postgresql = await postgres_ids(restored)
    assert len(in_postgresql) == 25
    assert sorted(warehouse_ids(restored)) == sorted(in_postgresql)

    # Ids of old transactions come into reach as the new cluster's counter grows: they stay settled.
    await new.execute("UPDATE events SET xid = pg_snapshot_xmin(pg_current_snapshot()) WHERE seq <= 12")
    await write(new, 3)
    assert await relay_until_empty(restored) == 3
    assert len(warehouse_ids(restored)) == 28
    await new.close()


async def test_unsent_events_keep_their_order_after_a_restore(
    data_settings: Settings, db: asyncpg.Connection, other_cluster: Databases
) -> None:
    await write(db, 4)
    await step(data_settings)
    for _ in range(6):
        await write(db)
    unsent = (await postgres_ids(data_settings))[4:]
    restored = restore(other_cluster, dump(data_settings), data_settings)
    await relay_until_empty(restored)
    assert warehouse_ids(restored)[4:] == unsent


async def test_a_warehouse_restored_from_an_older_copy_gets_what_it_lost(
    data_settings: Settings, db: asyncpg.Connection
) -> None:
    await write(db, 30)
    await relay_until_empty(data_settings, batch_rows=10)
    client = connect(data_settings.clickhouse_url)
    client.command("DELETE FROM raw.events WHERE batch > 2")
    client.close()
    assert len(warehouse_ids(data_settings)) == 20
    await write(db, 1)
    assert await relay_until_empty(data_settings) == 11
    assert sorted(warehouse_ids(data_settings)) == sorted(await postgres_ids(data_settings))


async def test_a_promoted_standby_is_adopted_without_sending_anything_again(
    data_settings: Settings, db: asyncpg.Connection
) -> None:
    await write(db, 3)
    await relay_until_empty(data_settings)
    await db.execute("UPDATE relay_cursor SET timeline = timeline + 1")  # the cursor speaks of another life
    await write(db, 2)
    assert await relay_until_empty(data_settings) == 2
    assert sorted(warehouse_ids(data_settings)) == sorted(await postgres_ids(data_settings))
