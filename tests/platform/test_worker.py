"""A worker process, as rq runs it: it outlives Redis, and ends when its own loop is lost."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue

import hub_api
from hub_api.cron import EVERY_SECONDS
from hub_api.settings import Settings
from tests.support.valkey import EmbeddedValkey
from tests.support.waiting import wait_until

HUB = Path(hub_api.__file__).parent
WORKER = """
import time
from hub_api import roles
from hub_api.platform.queue import job
from hub_api.platform.worker import work
from hub_api.settings import load_settings

@job("test")
async def note(services):
    await services.redis.incr("noted")

@job("test")
async def spin(services):
    time.sleep(600)

work(load_settings(), ["test"], lambda settings: roles.services(settings, "test"))
"""


def start_worker(settings: Settings, redis_url: str) -> subprocess.Popen[bytes]:
    """A worker of the queue `test` with the jobs above."""
    secrets = ("secret_key", "meta_app_secret", "meta_verify_token", "clickhouse_url", "database_url")
    env = {f"HUB_{name.upper()}": getattr(settings, name).get_secret_value() for name in secrets}
    return subprocess.Popen([sys.executable, "-c", WORKER], env={**os.environ, **env, "HUB_REDIS_URL": redis_url})


def ring(redis: Redis, name: str, timeout_s: int = 60) -> None:
    Queue("test", connection=redis).enqueue_call(
        "hub_api.platform.worker.perform", args=(f"__main__.{name}",), timeout=timeout_s
    )


@pytest.mark.timeout(60)
def test_a_worker_whose_loop_is_blocked_ends_so_that_another_one_is_started(settings: Settings, redis_url: str):
    worker = start_worker(settings, redis_url)
    try:
        with Redis.from_url(redis_url) as redis:
            ring(redis, "spin", timeout_s=1)
            assert worker.wait(40) == 70
    finally:
        worker.kill()


@pytest.mark.timeout(150)
def test_a_worker_goes_on_within_seconds_after_redis_was_away(settings: Settings):
    with EmbeddedValkey(durable=True) as valkey:
        worker = start_worker(settings, valkey.url())
        try:
            with Redis.from_url(valkey.url()) as redis:
                ring(redis, "note")
                wait_until(lambda: redis.get("noted") == b"1", 40)
                valkey.stop()
                time.sleep(17)  # with rq's own steps the next try would now be fourteen seconds away
                valkey.start()
                ring(redis, "note")
                wait_until(lambda: redis.get("noted") == b"2", 12)
            assert worker.poll() is None
        finally:
            worker.kill()
            worker.wait()


def test_a_worker_knows_every_job():
    """Also one that only the clock rings: a process that lacks it fails at each tick, and nobody waits for an answer."""
    code = "from hub_api.roles import load_jobs; load_jobs(); from hub_api.platform.queue import REGISTRY; print(*REGISTRY)"
    known = set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())
    declaring = {file for file in HUB.rglob("*.py") if "\n@job(" in file.read_text()}
    modules = {".".join(file.relative_to(HUB).with_suffix("").parts) for file in declaring}
    assert modules == {name.rpartition(".")[0] for name in known}
    assert {job.name for _, job in EVERY_SECONDS} <= known


def test_a_worker_imports_no_web_framework():
    """A worker pays for what it imports at every start, rolling restarts and crashes included."""
    code = "from hub_api.roles import load_jobs; load_jobs(); import sys; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert "hub_api.auth.jobs" in loaded
    assert not loaded & {"fastapi", "uvicorn", "starlette.applications", "jwt", "zxcvbn", "segno"}
