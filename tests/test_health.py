"""What `/metrics` shows when processes come and go."""

import subprocess
import sys

from hub_api.settings import Settings
from tests.support.hub import running_hub

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
