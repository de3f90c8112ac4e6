"""PostgreSQL goes away and comes back under load: webhooks get 503 and never 200, the hub is back within five seconds of
it without a restart, and Meta's redelivery fills the gap completely."""

import asyncio
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import asyncpg
import pytest

from tests.faults.conftest import DEADLINE_S, FaultStack, own_ports
from tests.support.disk import SmallDisk, may_mount, small_disk
from tests.support.postgres import EmbeddedPostgres
from tests.support.waiting import eventually, run_async, wait_until

pytestmark = pytest.mark.timeout(300)

MESSAGES = 160
AWAY_S = float(os.environ.get("HUB_TEST_POSTGRES_AWAY_S", "5"))  # make soak: 30
BACK_WITHIN_S = 5.0


@pytest.fixture(scope="module")
def wal_disk() -> Iterator[SmallDisk | None]:
    """A small disk for the WAL; None where mounting is not allowed."""
    if not may_mount():
        yield None
        return
    with small_disk(160) as disk:
        yield disk


@pytest.fixture(scope="module")
def postgres(wal_disk: SmallDisk | None) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that nobody starts again but the test, with its WAL on the small disk."""
    server = EmbeddedPostgres(durable=True, options={"max_wal_size": "48MB", "min_wal_size": "32MB"})
    if wal_disk is not None:
        server.prepare()
        wal = server.cluster.data / "pg_wal"
        subprocess.run(["cp", "-a", str(wal), str(wal_disk.path / "wal")], check=True)
        shutil.rmtree(wal)
        wal.symlink_to(wal_disk.path / "wal")

    async def create_database(url: str) -> None:
        db = await asyncpg.connect(url)
        await db.execute("CREATE DATABASE hub")
        await db.close()

    with server:
        run_async(create_database(server.url()))
        yield server


@pytest.fixture(scope="module")
def stack(postgres: EmbeddedPostgres) -> Iterator[FaultStack]:
    """A stack on that PostgreSQL."""
    with FaultStack(**own_ports(), HUB_DATABASE_URL=postgres.url("hub")) as running:
        running.begin()
        yield running
        running.stop()


@pytest.fixture(autouse=True)
def running(postgres: EmbeddedPostgres) -> None:
    """A test that failed may have left it stopped."""
    if not postgres.running():
        postgres.start()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_postgresql_away_is_503_never_200_and_redelivery_fills_the_gap(
    stack: FaultStack, postgres: EmbeddedPostgres, how: str
) -> None:
    meta, people, before = stack.meta(), stack.people(MESSAGES), stack.restarts()
    away: list[int] = []
    back: list[float] = []

    async def fault() -> None:
        await asyncio.to_thread(postgres.stop if how == "stopped" else postgres.kill9)
        await asyncio.sleep(0.2)  # answers that were on their way
        away.append(len(meta.acknowledged))
        refused = meta.answers[503]
        await asyncio.sleep(AWAY_S)
        assert meta.answers[503] > refused
        away.append(len(meta.acknowledged))
        await asyncio.to_thread(postgres.start)
        started = time.monotonic()
        await eventually(lambda: len(meta.acknowledged) > away[1], BACK_WITHIN_S)
        back.append(time.monotonic() - started)

    asyncio.run(meta.deliver_while(people, fault, after=MESSAGES // 4))
    assert away[0] == away[1] < MESSAGES, "something was acknowledged without a database"
    print(f"{how}: accepted again {back[0]:.2f} s after PostgreSQL, {meta.answers[503]} times 503")
    assert len(meta.acknowledged) == MESSAGES
    stack.prove(meta.acknowledged)
    assert stack.restarts() == before, "no part had to be started again"


def test_a_full_wal_disk_is_503_and_recovers_when_there_is_space(
    stack: FaultStack, postgres: EmbeddedPostgres, wal_disk: SmallDisk | None
) -> None:
    """PostgreSQL panics when it cannot write its WAL. Whoever keeps it starts it again, as the supervisor would."""
    if wal_disk is None:
        pytest.skip("mounting is not allowed here")
    meta, before, while_full = stack.meta(), stack.people(MESSAGES), stack.people(MESSAGES)
    deaths: list[float] = []
    space = threading.Event()

    def keep() -> None:
        while not (space.is_set() and postgres.running()):
            if not postgres.running():
                deaths.append(time.monotonic())
                with suppress(Exception):  # it ends again while there is no space, or recovers for longer than we wait
                    postgres.start(timeout_s=3)
            time.sleep(0.2)

    async def use_up_the_wal() -> None:
        """Segments that are there already are written first; ends with PostgreSQL."""
        db = await asyncpg.connect(postgres.url("hub"))
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await db.execute("CREATE TABLE IF NOT EXISTS filler (x text)")
            while True:
                await db.execute("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 10000)")

    async def full() -> None:
        keeping = asyncio.create_task(asyncio.to_thread(keep))
        try:
            await asyncio.to_thread(wal_disk.fill)
            await use_up_the_wal()
            delivering = asyncio.create_task(meta.deliver(while_full))
            await asyncio.sleep(AWAY_S)
            assert meta.answers[503] > 0
        finally:
            wal_disk.empty()
            space.set()
            await keeping
        await delivering

    asyncio.run(meta.deliver(before))  # the workers are busy with these when the space ends
    asyncio.run(full())
    print(f"{meta.answers[503]} times 503, PostgreSQL started {len(deaths)} times")
    assert deaths, "PostgreSQL did not panic"
    assert len(meta.acknowledged) == 2 * MESSAGES
    wait_until(stack.all_ready, DEADLINE_S)
    stack.prove(meta.acknowledged)


def test_connections_killed_one_by_one_cost_nothing(stack: FaultStack) -> None:
    meta, people, before = stack.meta(), stack.people(MESSAGES), stack.restarts()
    killed: list[str] = []

    async def fault() -> None:
        db = await asyncpg.connect(stack.env_now["HUB_DATABASE_URL"])
        for _ in range(2):
            for row in await db.fetch(
                "SELECT pid, application_name FROM pg_stat_activity WHERE datname = 'hub' AND pid <> pg_backend_pid()"
            ):
                if await db.fetchval("SELECT pg_terminate_backend($1)", row["pid"]):
                    killed.append(row["application_name"])
                await asyncio.sleep(0.05)
        await db.close()

    asyncio.run(meta.deliver_while(people, fault, after=MESSAGES // 4))
    assert {"hub-inbox", "hub-worker", "hub-relay"} <= set(killed)
    assert len(meta.acknowledged) == MESSAGES
    stack.prove(meta.acknowledged)
    assert stack.restarts() == before
    wait_until(stack.all_ready, DEADLINE_S)
