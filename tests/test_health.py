"""What `/metrics` shows when processes come and go."""

import asyncio
import json
import subprocess
import sys

from prometheus_client import REGISTRY

from hub_api.platform.services import count_connections, open_services
from hub_api.settings import Settings
from tests.support.hub import running_hub
from tests.support.waiting import eventually

KILLED_API = """
import os
from hub_api.platform.metrics import database_connections, webhooks_accepted
database_connections.set(7)
webhooks_accepted.inc(3)
os.kill(os.getpid(), 9)
"""


async def test_a_killed_process_leaves_its_counts_and_not_its_connections(settings: Settings, tmp_path):
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", KILLED_API], env=environment, check=False)
    assert list(tmp_path.glob("gauge_livesum_*.db"))
    async with running_hub(settings.model_copy(update={"metrics_dir": tmp_path})) as hub:
        shown = await (await hub.get("/metrics")).text()
    assert "whatsapp_webhooks_accepted_total 3.0" in shown
    assert "database_connections_active 7" not in shown


WORKING_PROCESS = """
import asyncio, sys
from prometheus_client import REGISTRY
from hub_api.platform.services import count_connections, open_services
from hub_api.settings import Settings

async def main():
    settings = Settings.model_validate_json(sys.stdin.readline())
    async with open_services(settings, lambda events: (), "work") as services, services.db.acquire(), services.db.acquire():
        print("working", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


async def test_connections_in_use_by_every_process_are_counted(settings: Settings, tmp_path):
    secrets = ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token")
    told = {name: getattr(settings, name).get_secret_value() for name in secrets}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKING_PROCESS, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
    )  # fmt: skip
    try:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        assert await process.stdout.readline() == b"working\n"
        async with running_hub(settings.model_copy(update={"metrics_dir": tmp_path})) as hub:

            async def shown():
                return "database_connections_active 2.0" in await (await hub.get("/metrics")).text()

            await eventually(shown)
    finally:
        process.kill()
        await process.wait()


async def test_a_closed_pool_is_counted_no_more(settings: Settings):
    for _ in range(2):
        async with open_services(settings, lambda events: (), "test") as services, services.db.acquire():
            count_connections()
            assert REGISTRY.get_sample_value("database_connections_active") == 1
    count_connections()
    assert REGISTRY.get_sample_value("database_connections_active") == 0
