"""The supervisor with small programs: order, failure, giving up, clean stop."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from hub_api.embedded.commands import follow_file
from hub_api.embedded.files import rotate, tail
from hub_api.embedded.home import Home, State
from hub_api.embedded.probes import NotReady, Probe
from hub_api.embedded.supervisor import Part, Supervisor
from tests.support.waiting import eventually


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-S", "-c", code]


def exists(file: Path) -> Probe:
    async def probe(pid: int) -> None:
        if not file.exists():
            raise NotReady(f"{file.name} is missing")

    return probe


@asynccontextmanager
async def supervised(folder: Path, *parts: Part, **options: float) -> AsyncIterator[Supervisor]:
    home = Home(folder / "home")
    home.create()
    supervisor = Supervisor(home, State(), parts, backoff_s=0.01, **options)  # type: ignore[arg-type]
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def server(name: str, folder: Path, *, after: tuple[str, ...] = (), grace_s: float = 5, ignore: bool = False) -> Part:
    """Writes `name` into order.txt and stopped.txt, and is ready when its file is there."""
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if ignore else "signal.signal(signal.SIGTERM, stop)"
    code = f"""
import signal, time, pathlib
folder = pathlib.Path({str(folder)!r})
def note(file):
    with open(folder / file, "a") as out: out.write({name!r} + chr(10))
def stop(*_):
    note("stopped.txt"); raise SystemExit(0)
{deaf}
note("order.txt")
time.sleep(0.1)
(folder / {name!r}).touch()
while True: time.sleep(1)
"""
    return Part(name, lambda: python(code), exists(folder / name), after, grace_s=grace_s)


async def test_parts_start_after_what_they_need_and_stop_before_it(tmp_path: Path) -> None:
    async with supervised(
        tmp_path, server("c", tmp_path, after=("b",)), server("b", tmp_path, after=("a",)), server("a", tmp_path)
    ) as supervisor:
        assert await supervisor.start()
        assert (tmp_path / "order.txt").read_text().split() == ["a", "b", "c"]
    assert (tmp_path / "stopped.txt").read_text().split() == ["c", "b", "a"]
    assert {part.state for part in supervisor.status.values()} == {"stopped"}


async def test_a_part_that_keeps_failing_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    broken = Part("broken", lambda: python("print('no such table'); raise SystemExit(7)"), exists(tmp_path / "never"))
    waits = server("waits", tmp_path, after=("broken",))
    async with supervised(tmp_path, broken, waits, server("well", tmp_path), give_up_after=3) as supervisor:
        assert not await supervisor.start()
        assert supervisor.state.phase == "degraded"
        failed = supervisor.failed()
        assert [part.name for part in failed] == ["broken"]
        assert failed[0].restarts == 2
        assert "given up after 3 failures: it ended with exit code 7: no such table" in failed[0].message
        assert supervisor.status["well"].state == "ready"
        assert supervisor.status["waits"].state == "waiting"


async def test_a_part_that_was_ready_is_started_again_however_often_it_fails(tmp_path: Path) -> None:
    broken = tmp_path / "broken"  # a full disk, say
    code = (
        f"import pathlib, time\nwhile not pathlib.Path({str(broken)!r}).exists(): time.sleep(0.02)\nraise SystemExit(1)"
    )

    async def healthy(pid: int) -> None:
        if broken.exists():
            raise NotReady("it is broken")

    async with supervised(tmp_path, Part("part", lambda: python(code), healthy), give_up_after=2) as supervisor:
        assert await supervisor.start()
        broken.touch()
        await eventually(lambda: supervisor.status["part"].restarts > 4)
        broken.unlink()
        await eventually(lambda: supervisor.status["part"].state == "ready")
        assert not supervisor.failed()


async def test_a_part_that_never_gets_ready_is_stopped_and_says_what_was_missing(tmp_path: Path) -> None:
    slow = Part("slow", lambda: python("import time; time.sleep(60)"), exists(tmp_path / "door"), start_timeout_s=0.3)
    async with supervised(tmp_path, slow, give_up_after=2) as supervisor:
        assert not await supervisor.start()
        assert "not ready after 0 s: door is missing" in supervisor.failed()[0].message


async def test_a_one_shot_part_is_done_when_it_exits_and_holds_back_its_dependents_until_then(tmp_path: Path) -> None:
    flag = tmp_path / "tried"
    code = (
        f"import pathlib; f = pathlib.Path({str(flag)!r}); e = f.exists(); f.touch(); raise SystemExit(0 if e else 1)"
    )
    once = Part("once", lambda: python(code), None)
    async with supervised(tmp_path, server("after", tmp_path, after=("once",)), once) as supervisor:
        assert await supervisor.start()
        assert supervisor.status["once"].state == "done"
        assert supervisor.status["once"].restarts == 1  # the first try failed


async def test_what_a_dead_part_had_started_does_not_outlive_it(tmp_path: Path) -> None:
    code = f"""
import subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
pathlib.Path({str(tmp_path)!r}, "child").write_text(str(child.pid))
time.sleep(600)
"""
    part = Part("parent", lambda: python(code), exists(tmp_path / "child"))
    async with supervised(tmp_path, part) as supervisor:
        await supervisor.start()
        child = psutil.Process(int((tmp_path / "child").read_text() or 0))
        psutil.Process(supervisor.status["parent"].pid).kill()
        await eventually(lambda: supervisor.status["parent"].restarts == 1)
        await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_a_part_deaf_to_its_stop_signal_is_killed_after_its_grace_time(tmp_path: Path) -> None:
    async with supervised(tmp_path, server("deaf", tmp_path, grace_s=0.3, ignore=True)) as supervisor:
        await supervisor.start()
        process = psutil.Process(supervisor.status["deaf"].pid)
        started = time.monotonic()
        await supervisor.stop()
        assert not process.is_running()
        assert time.monotonic() - started < 15, "its own grace time, and not the usual twenty seconds"
        assert "killed by the supervisor" in "".join(tail(supervisor.home.log("deaf")))


async def test_a_full_log_is_moved_aside_and_the_part_goes_on_writing(tmp_path: Path) -> None:
    code = "import time\nfor n in range(10**6): print('line', n); time.sleep(0.001)"
    part = Part("loud", lambda: python(code), exists(tmp_path))
    async with supervised(tmp_path, part) as supervisor:
        await supervisor.start()
        log = supervisor.home.log("loud")
        for kept in (1, 2):
            await eventually(lambda: rotate(log, limit=1000))
            assert log.with_name(f"loud.log.{kept}").exists()
        size = log.stat().st_size
        await eventually(lambda: log.stat().st_size > size)
        assert b"\0" not in log.read_bytes()  # appended at the start, not past a hole


def test_a_followed_log_goes_on_where_it_was_and_starts_over_when_it_was_moved_aside(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("old\n" * 10)
    lines = follow_file(log)
    with log.open("a") as output:
        first = threading.Thread(target=lambda: (time.sleep(0.3), output.write("new\n"), output.flush()))
        first.start()
        assert next(lines) == "new\n"
        first.join()
        assert rotate(log, limit=1)
        output.write("after\n")
        output.flush()
        assert next(lines) == "after\n"


async def test_a_stop_at_the_moment_a_part_gets_ready_is_not_lost(tmp_path: Path) -> None:
    for moment in range(12):
        part = Part("quick", lambda: python("import time; time.sleep(60)"), exists(tmp_path))
        async with supervised(tmp_path, part) as supervisor:
            starting = asyncio.create_task(supervisor.start())
            for _ in range(moment):  # steps of the event loop, so that each point of the start is met
                await asyncio.sleep(0)
            starting.cancel()
            async with asyncio.timeout(10):
                await supervisor.stop()
