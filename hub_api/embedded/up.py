"""`hub up` and `hub down`: check, lock, start, show, and stop everything in the end."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from rich.console import Console

from hub_api.auth.permissions import FIRST_ADMIN
from hub_api.embedded import checks
from hub_api.embedded.display import StartDisplay
from hub_api.embedded.files import tail
from hub_api.embedded.home import Home
from hub_api.embedded.live import show_live
from hub_api.embedded.orphans import find_orphans, stop_orphans
from hub_api.embedded.packages import require_packages
from hub_api.embedded.parts import make_parts, select_parts
from hub_api.embedded.ports import LOOPBACK
from hub_api.embedded.status import rows_of, table, total_mb
from hub_api.embedded.superset import PATH as SUPERSET_PATH
from hub_api.embedded.supervisor import Supervisor
from hub_api.embedded.values import DAGSTER_PATH, Values, installed_versions, make_values
from hub_api.errors import HubError

OK, FAILED, NOT_RUNNING, NOT_READY = 0, 1, 3, 4
# Without these nothing works, so the start is given up; any other part may fail while the rest goes on.
ESSENTIAL = {"postgres", "valkey", "warehouse", "migrate", "api"}
READY_TIMEOUT_S = 600.0
LAST_LINE = "all credentials"
CONSOLE = "HUB_CONSOLE"
LIVE_TRAFFIC = "live traffic"  # how the demo says that its scene is set


@dataclass(frozen=True)
class Options:
    """What `hub up` was asked for; empty `only` means all parts, `scene` is what `hub simulate demo` is given."""

    demo: bool = False
    scene: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    definitions: str = "pipelines.definitions"


def up(home: Home, options: Options, console: Console) -> int:
    """Run the stack in the foreground until SIGINT, SIGTERM or SIGHUP; returns the exit code.

    Raises HubError with the remedy for what forbids the start: another supervisor, a taken port, a full disk.
    """
    checks.require_python()
    require_packages()
    home.create()
    os.umask(0o077)
    with home.lock():
        state = home.state()
        if stopped := stop_orphans(state):
            console.print(f"stopped what a killed supervisor had left: {', '.join(stopped)}")
        checks.require_disk_space(home, state)
        checks.require_versions(state)
        if state.demo and not options.demo:
            console.print("this home was made by `hub up --demo`: its simulator starts too")
        state.demo = state.demo or options.demo
        values = make_values(home, demo=state.demo)
        if "console" in options.without:  # it is no process: the API serves it
            values = replace(values, env={**values.env, CONSOLE: "false"})
        clear_metrics(home)
        scene = options.scene if options.demo else ()
        parts = make_parts(home, values, state, definitions=options.definitions, scene=scene)
        chosen = select_parts(parts, options.only, options.without)
        # Dagster's own record stays until its upgrade, which comes after this, has worked.
        installed = installed_versions()
        state.versions = installed | {name: old for name, old in state.versions.items() if name == "dagster"}
        state.supervisor_pid, state.started_at = os.getpid(), time.time()
        state.supervisor_created = psutil.Process().create_time()
        return asyncio.run(supervise(Supervisor(home, state, chosen), values, console))


async def supervise(supervisor: Supervisor, values: Values, console: Console) -> int:
    """Start, show, wait for a signal, stop; returns the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    try:
        async with StartDisplay(console, list(supervisor.status.values())) as display:
            supervisor.on_change = display.show
            starting = asyncio.create_task(supervisor.start())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return OK
        starting.result()
        for part in supervisor.failed():
            report_failure(supervisor.home, part.name, part.message, console)
        if any(part.name in ESSENTIAL for part in supervisor.failed()):
            return FAILED
        if "dagster-web" in supervisor.parts and supervisor.status["dagster-web"].state == "ready":
            supervisor.state.versions = installed_versions()
        show_ready(supervisor, values, console)
        beside = asyncio.create_task(show_work(supervisor, values, console))
        await stopping
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
        return OK
    finally:
        console.print("stopping the stack")
        supervisor.on_change = lambda part: None
        await supervisor.stop()
        console.print(f"stopped; the data stays in {supervisor.home.path}", highlight=False, soft_wrap=True)


async def show_work(supervisor: Supervisor, values: Values, console: Console) -> None:
    """Beside the running stack: the lines of the demo as it sets its scene, then live figures in a terminal."""
    if "demo" in supervisor.parts:
        await follow_demo(supervisor, console, forever=not console.is_terminal)
    if console.is_terminal and "api" in supervisor.parts:
        await show_live(console, f"http://{LOOPBACK}:{values.port('api')}/metrics")


async def follow_demo(supervisor: Supervisor, console: Console, *, forever: bool) -> None:
    """Print what the demo says, from its start until live traffic runs (or it is given up), or `forever`."""
    log = supervisor.home.log("demo")
    position, text = supervisor.log_start["demo"], ""
    while forever or not (LIVE_TRAFFIC in text or supervisor.status["demo"].state == "failed"):
        with log.open("rb") as file:
            file.seek(position)
            text = file.read().decode(errors="replace")
            position = file.tell()
        console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        await asyncio.sleep(0.3)


def clear_metrics(home: Home) -> None:
    """Counters of the processes of an earlier run are gone with them."""
    folder = home.path / "run" / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def show_ready(supervisor: Supervisor, values: Values, console: Console) -> None:
    """The table of parts, then addresses and first credentials; secrets are shown in a terminal only."""
    rows = rows_of(supervisor.state)
    seconds = time.time() - (supervisor.state.started_at or time.time())
    console.print(table(rows, f"ready after {seconds:.1f} s, {total_mb(rows)} MB in all"))
    api = f"http://{LOOPBACK}:{values.port('api')}"
    lines = {}
    if "api" in supervisor.parts:
        lines = {
            "sign in": f"{api}/entrar",
            **({} if values.env.get(CONSOLE) == "false" else {"console": f"{api}/console/"}),
            "API docs": f"{api}/docs",
            "metrics": f"{api}/metrics",
            "webhook": f"{api}/webhooks/whatsapp",
        }
    if "simulator" in supervisor.parts:
        lines["mail and SMS sent"] = f"http://{LOOPBACK}:{values.port('simulator')}/_sim/post"
    if "dagster-web" in supervisor.parts:
        lines["Dagster"] = f"http://{LOOPBACK}:{values.port('api')}{DAGSTER_PATH}/ (sign in first)"
    if "superset" in supervisor.parts:
        lines["Superset"] = f"http://{LOOPBACK}:{values.port('api')}{SUPERSET_PATH}/ (sign in first)"
    if console.is_terminal and "api" in supervisor.parts:
        lines["first administrator"] = f"{FIRST_ADMIN} / {values.env['HUB_ADMIN_PASSWORD']}"
        lines["API key"] = values.env["HUB_API_KEY"]
        lines["webhook verify token"] = values.env["HUB_META_VERIFY_TOKEN"]
        if "warehouse" in supervisor.parts:
            reader = values.env["HUB_WAREHOUSE_READER_PASSWORD"]
            lines["warehouse, to read"] = f"http://reader:{reader}@{LOOPBACK}:{values.port('warehouse')}"
    lines[LAST_LINE] = str(supervisor.home.env_file)
    for name, value in lines.items():
        console.print(f"{name + ':':<22}{value}", markup=False, highlight=False, soft_wrap=True)


def report_failure(home: Home, name: str, message: str, console: Console) -> None:
    """Why a part was given up, with the end of its log."""
    console.print(f"[red]✗ {name} failed[/]: {message}", soft_wrap=True, highlight=False)
    for line in tail(home.log(name), 8):
        console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"  the whole log: hub logs {name}", highlight=False)


def detach(home: Home, arguments: Sequence[str], console: Console) -> int:
    """Start `hub up` in the background and wait until it is ready; returns the exit code that it will have had.

    4 when a part failed or nothing is ready within ten minutes; the stack then runs on as far as it came.
    """
    checks.require_python()
    require_packages()
    home.create()
    with home.lock():
        pass  # fails here, in the foreground, when a stack runs already
    log = home.log("supervisor")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub_api", "up", *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "HUB_HOME": str(home.path), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    deadline = time.monotonic() + READY_TIMEOUT_S
    shown = 0
    while True:
        text = log.read_text(errors="replace")
        console.print(text[shown:], end="", markup=False, highlight=False, soft_wrap=True)
        shown = len(text)
        if process.poll() is not None:
            return process.returncode
        state = home.state()
        if state.supervisor_pid == process.pid and state.phase in ("ready", "degraded"):
            # The state comes first and its table, which ends with this line, a moment later.
            while LAST_LINE not in (text := log.read_text(errors="replace")) and process.poll() is None:
                time.sleep(0.1)
            console.print(text[shown:], end="", markup=False, highlight=False, soft_wrap=True)
            console.print("running in the background: hub status, hub logs NAME, hub down")
            return OK if state.phase == "ready" else NOT_READY
        if time.monotonic() > deadline:
            console.print(f"not ready after {READY_TIMEOUT_S:.0f} s; hub status shows what is missing")
            return NOT_READY
        time.sleep(0.2)


def remove_data(home: Home) -> None:
    """Delete a stopped home, and PostgreSQL's data where it lies elsewhere. Raises Conflict when a stack runs on it."""
    if not home.path.exists():
        return
    with home.lock():
        if (place := home.state().postgres_place) is not None:
            shutil.rmtree(place, ignore_errors=True)
            Path(place).with_suffix(".home").unlink(missing_ok=True)
        shutil.rmtree(home.path)


def down(home: Home, console: Console, *, timeout_s: float = 120.0) -> int:
    """Stop the stack and wait; also what a killed supervisor has left. 3 when nothing runs."""
    if not home.path.exists():
        console.print(f"nothing runs: {home.path} does not exist")
        return NOT_RUNNING
    state = home.state()
    supervisor = state.supervisor()
    if supervisor is None:
        if stopped := stop_orphans(state):
            console.print(f"the supervisor was gone; stopped what it had left: {', '.join(stopped)}")
            return OK
        console.print(f"nothing runs on {home.path}")
        return NOT_RUNNING
    with suppress(psutil.NoSuchProcess):
        supervisor.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while state.supervisor() is not None:  # not its wait(): a zombie that nobody reaps has stopped too
        if time.monotonic() > deadline:
            raise HubError(
                f"the supervisor (pid {supervisor.pid}) did not stop in {timeout_s:.0f} s; see hub logs supervisor and "
                f"hub status, then kill it: the next hub up takes care of what is left"
            )
        time.sleep(0.1)
    left = find_orphans(home.state())
    if left:
        stop_orphans(home.state())
    console.print("stopped")
    return OK
