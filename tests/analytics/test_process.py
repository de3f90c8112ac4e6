"""The relay as the process that `hub relay` starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg

from hub_api.settings import Settings
from tests.analytics.conftest import postgres_ids, warehouse_ids, write
from tests.support.waiting import eventually


async def test_sigterm_ends_the_process_with_its_batch_finished_and_its_metrics_left(
    data_settings: Settings, db: asyncpg.Connection, tmp_path: Path
) -> None:
    names = ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token")
    values = {f"HUB_{name.upper()}": getattr(data_settings, name).get_secret_value() for name in names}
    environment = {**os.environ, **values, "HUB_HOME": str(tmp_path), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-m", "hub_api", "relay"], env=environment)
    try:
        await write(db, 3)
        await eventually(lambda: len(warehouse_ids(data_settings)) == 3, timeout_s=60)
        await write(db, 40)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
    assert await db.fetchval("SELECT pending_xid IS NULL FROM relay_cursor")
    relayed = await db.fetchval("SELECT relayed_count FROM relay_cursor")
    assert warehouse_ids(data_settings) == (await postgres_ids(data_settings))[:relayed]
    assert f"counter_{process.pid}.db" in {file.name for file in tmp_path.iterdir()}
