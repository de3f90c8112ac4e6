"""DAGSTER_HOME of the embedded stack: storage in our PostgreSQL, few runs at once, nothing sent to the vendor."""

import asyncio
from pathlib import Path

import asyncpg
import yaml

from hub_api.embedded.files import write_private
from hub_api.embedded.ports import LOOPBACK
from hub_api.embedded.values import DAGSTER_SCHEMA

MAX_RUNS = 2  # a run's start costs 5 to 17 s of two cores


def prepare_dagster(folder: Path, code_port: int, database_url: str) -> None:
    """Write the configuration and make the schema of its storage; blocks. Raises OSError when PostgreSQL is away."""
    write_dagster_home(folder, code_port)
    asyncio.run(ensure_schema(database_url))


async def ensure_schema(database_url: str) -> None:
    """Make the schema of Dagster's storage unless it exists."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {DAGSTER_SCHEMA}")
    finally:
        await connection.close()


def write_dagster_home(folder: Path, code_port: int) -> None:
    """Write dagster.yaml and workspace.yaml; addresses with passwords stay in the environment."""
    folder.mkdir(mode=0o700, exist_ok=True)
    instance = {
        "storage": {"postgres": {"postgres_url": {"env": "HUB_DAGSTER_STORAGE_URL"}}},
        "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "QueuedRunCoordinator"},
        # Runs that build the same tables (pipelines/jobs.py) wait for each other.
        "concurrency": {
            "runs": {
                "max_concurrent_runs": MAX_RUNS,
                "tag_concurrency_limits": [{"key": "hub/builds", "value": "tables", "limit": 1}],
            }
        },
        # A run whose process was killed is found and marked failed, instead of holding its place for ever.
        "run_monitoring": {"enabled": True, "start_timeout_seconds": 180, "poll_interval_seconds": 30},
        "run_retries": {"enabled": True, "max_retries": 1},
        "compute_logs": {
            "module": "dagster.core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(folder / "logs")},
        },
        "local_artifact_storage": {
            "module": "dagster.core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(folder)},
        },
        "retention": {
            "schedule": {"purge_after_days": {"skipped": 7, "failure": 30, "success": 30}},
            "sensor": {"purge_after_days": {"skipped": 7, "failure": 30, "success": 30}},
        },
        # A run's events are in its event log; the console repeats none of them but trouble.
        "python_logs": {"python_log_level": "WARNING"},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},  # no newsletter pop-up over the tables
    }
    server = {"host": LOOPBACK, "port": code_port, "location_name": "hub"}
    write_private(folder / "dagster.yaml", yaml.safe_dump(instance, sort_keys=False))
    write_private(folder / "workspace.yaml", yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
