"""The warehouse is dropped and rebuilt from the lake and PostgreSQL: every table is what it was, row by row."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_api.analytics.rebuild import restore_events
from hub_api.analytics.relay import LOCK, connect_postgres
from hub_api.platform.lake.restore import Corrupted, restore
from hub_api.platform.lake.write import read_manifests
from hub_api.settings import Settings
from pipelines.board import copy_board
from tests.lake.conftest import Built

pytestmark = pytest.mark.timeout(900)  # the history is made and built in the first test's setup


DATABASES = ("raw", "bronze", "silver", "gold")


def drop_everything(history: Built) -> None:
    client = history.client()
    for database in DATABASES:
        client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
        client.command(f"CREATE DATABASE {database}")
    client.close()


def run_rebuild(settings: Settings) -> subprocess.CompletedProcess[str]:
    """`hub warehouse rebuild`, as an operator runs it."""
    env = {
        **os.environ,
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url.get_secret_value(),
        "HUB_REDIS_URL": settings.redis_url.get_secret_value(),
        "HUB_CLICKHOUSE_URL": settings.clickhouse_url.get_secret_value(),
        "HUB_SECRET_KEY": settings.secret_key.get_secret_value(),
        "HUB_META_APP_SECRET": settings.meta_app_secret.get_secret_value(),
        "HUB_META_VERIFY_TOKEN": settings.meta_verify_token.get_secret_value(),
    }
    command = [sys.executable, "-m", "hub_api", "warehouse", "rebuild"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=840)


async def rebuilt_while_a_relay_holds_its_lock(history: Built) -> subprocess.CompletedProcess[str]:
    relay = await connect_postgres(history.settings)
    await relay.fetchval("SELECT pg_try_advisory_lock($1)", LOCK)
    try:
        return await asyncio.to_thread(run_rebuild, history.settings)
    finally:
        relay.terminate()


@pytest.fixture
def detached(history: Built) -> Iterator[None]:
    """PostgreSQL has lost its older events, as by a month that was detached: the lake is their only place."""
    asyncio.run(
        _run(
            history, "CREATE TABLE kept AS TABLE events", f"DELETE FROM events WHERE occurred_at < '{history.days[-4]}'"
        )
    )
    yield
    asyncio.run(
        _run(
            history,
            "INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM kept ON CONFLICT DO NOTHING",
            "DROP TABLE kept",
        )
    )


async def _run(history: Built, *statements: str) -> None:
    db = await connect_postgres(history.settings)
    for statement in statements:
        await db.execute(statement)
    await db.close()


def test_a_lost_warehouse_comes_back_equal_row_by_row(history: Built, lake: Path, detached: None) -> None:
    asyncio.run(_run(history, "INSERT INTO kpi_baseline (kpi, value, note) VALUES ('csat', 4.1, 'antes')"))
    copy_board(history.settings)  # in no lake: a rebuild copies it from PostgreSQL
    before = history.hashes()
    assert {table for table, _ in before} >= {
        "raw.events",
        "bronze.events",
        "gold.conversation_facts",
        "silver.kpi_baseline",
    }
    drop_everything(history)
    done = asyncio.run(rebuilt_while_a_relay_holds_its_lock(history))
    assert done.returncode == 0, done.stdout + done.stderr
    days = len(read_manifests(history.settings)["raw.events"].days)
    assert f"events: {days} days from the lake" in done.stdout
    # Today's events are in PostgreSQL only: they came by the comparison with it.
    assert "every day of every table is as the lake has it" in done.stdout
    assert history.hashes() == before
    # What was brought back once is there: again, nothing is added.
    assert asyncio.run(restore_events(history.settings)) == (0, 0)
    assert history.hashes() == before


def test_a_damaged_file_is_refused_and_nothing_of_it_is_inserted(history: Built, lake: Path) -> None:
    day = max(read_manifests(history.settings)["gold.service_kpi_hourly"].days)
    file = lake / "gold" / "service_kpi_hourly" / f"day={day}" / "data.parquet"
    kept, client = file.read_bytes(), history.client()
    gone = f"ALTER TABLE gold.service_kpi_hourly DELETE WHERE day = '{day}' SETTINGS mutations_sync = 2"
    client.command(gone)
    file.write_bytes(kept[:100] + b"x" + kept[101:])
    try:
        with pytest.raises(Corrupted, match=day):
            asyncio.run(restore(history.settings, ["gold.service_kpi_hourly"]))
        counted = f"SELECT count() FROM gold.service_kpi_hourly WHERE day = '{day}'"
        assert client.command(counted) == 0
        file.write_bytes(kept)
        assert asyncio.run(restore(history.settings, ["gold.service_kpi_hourly"])) == {"gold.service_kpi_hourly": 1}
        assert client.command(counted) > 0
    finally:
        file.write_bytes(kept)
        client.close()
