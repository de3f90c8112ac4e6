"""Engines and server processes for benchmarks: durable PostgreSQL, Valkey, uvicorn as `hub api` starts it."""

import base64
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.error import HTTPError

from hub_api import roles
from hub_api.platform.queue import REGISTRY
from hub_api.simulator.demo import connect_number
from tests.support.hub import SECRET, make_settings
from tests.support.postgres import Databases, EmbeddedPostgres
from tests.support.process import free_port, release
from tests.support.valkey import EmbeddedValkey


@dataclass(frozen=True)
class Engines:
    """Addresses of what a benchmark runs on, and the environment of a hub process on it."""

    database_url: str
    redis_url: str

    def environment(self, **more: str) -> dict[str, str]:
        """Variables of a hub process."""
        return {
            **os.environ,
            "HUB_DATABASE_URL": self.database_url,
            "HUB_REDIS_URL": self.redis_url,
            "HUB_CLICKHOUSE_URL": "http://admin:none@127.0.0.1:1",
            "HUB_SECRET_KEY": base64.b64encode(b"k" * 32).decode(),
            "HUB_META_APP_SECRET": SECRET,
            "HUB_META_VERIFY_TOKEN": "test-verify-token",
            "HUB_META_BASE_URL": "http://127.0.0.1:1",
            "HUB_LOG_LEVEL": "ERROR",
            **more,
        }


@contextmanager
def engines(**options: str) -> Iterator[Engines]:
    """A durable PostgreSQL (fsync on) with the schema and further server settings, and a Valkey."""
    with EmbeddedPostgres(durable=True, options=options) as postgres, EmbeddedValkey() as valkey:
        yield Engines(Databases(postgres.url()).create(), valkey.url())


@contextmanager
def serving(factory: str, environment: dict[str, str], *, workers: int = 1) -> Iterator[str]:
    """`factory` served as `hub api` serves the hub; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.serve", factory, str(port), str(workers)]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)
        release(port)


@contextmanager
def running(*arguments: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A `hub` role as a process."""
    process = subprocess.Popen([sys.executable, "-m", "hub_api", *arguments], env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(80)


@contextmanager
def simulating() -> Iterator[str]:
    """The simulator as a process of its own; yields its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.simulator_process", str(port)])
    try:
        wait_for(f"http://127.0.0.1:{port}/_sim/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        release(port)


async def add_numbers(stack: Engines, simulator_url: str, count: int = 1) -> None:
    """The simulator's account and its first `count` numbers become ours, with no throughput to wait for; their health is
    not read, which would bring back Meta's."""
    settings = make_settings(stack.database_url, stack.redis_url, meta_base_url=simulator_url)
    await connect_number(settings)
    async with roles.services(settings, "bench") as services:
        await services.db.execute(
            "INSERT INTO whatsapp_numbers (id, account_id, phone_number_id, display_phone_number) "
            "SELECT gen_random_uuid(), account_id, (phone_number_id::bigint + n)::text, display_phone_number "
            "FROM whatsapp_numbers CROSS JOIN generate_series(1, $1 - 1) AS n",
            count,
        )
        await services.db.execute("UPDATE whatsapp_numbers SET throughput_mps = 100000, next_check_at = 'infinity'")


async def ring(stack: Engines, *rings: tuple[str, tuple[int, ...]]) -> None:
    """Ring jobs by name, as whoever made their work would."""
    roles.load_jobs()
    async with roles.services(make_settings(stack.database_url, stack.redis_url), "bench") as services:
        await services.bells.ring([(REGISTRY[name], args) for name, args in rings])


def wait_for(url: str, process: subprocess.Popen[bytes], deadline_s: float = 180) -> None:
    """Until `url` answers anything. Raises RuntimeError when the process ended, TimeoutError after the deadline."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {deadline_s} s")
