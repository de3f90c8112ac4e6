"""The `hub` command on a home of the test's own: started as a process, asked through its own commands."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Self

import psutil

from hub_api.embedded.home import Home
from hub_api.embedded.orphans import find_orphans
from hub_api.embedded.status import status
from tests.support.process import new_place
from tests.support.waiting import wait_until

NOBODY = 65534
SETPRIV = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@cache
def as_ordinary_user() -> tuple[str, ...]:
    """What goes before a command so that root runs it as an ordinary user.

    Root's Python often lies below a folder closed to others: one capability then lets the user read past it, and
    nothing else of root is left.
    """
    # Through a shell: setpriv itself still has root's capabilities when it starts the program, what comes next has not.
    probe = [*SETPRIV, "sh", "-c", '"$0" -c "import hub_api.settings"', sys.executable]
    if subprocess.run(probe, capture_output=True, cwd="/").returncode == 0:
        return SETPRIV
    only = "dac_read_search"
    return (*SETPRIV, f"--inh-caps=-all,+{only}", f"--ambient-caps=+{only}", f"--bounding-set=-all,+{only}")


class Stack:
    """One HUB_HOME. `hub(...)` runs a command to its end; `up(...)` starts `hub up` and waits until it is ready."""

    def __init__(self, *, ordinary_user: bool = False, place: Path | None = None, **env: str) -> None:
        self.place = place or new_place("stack")
        self.home = self.place / "home"
        self.prefix = as_ordinary_user() if ordinary_user and os.geteuid() == 0 else ()
        if self.prefix:
            os.chown(self.place, NOBODY, NOBODY)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "COLUMNS"))}
        self.env = {**clean, "HUB_HOME": str(self.home), "COLUMNS": "200", **env}
        self.process: subprocess.Popen[str] | None = None
        self.output = self.place / "up.out"

    def hub(self, *arguments: str, timeout_s: float = 120, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `hub ...`; standard output and error come together in `.stdout`."""
        return subprocess.run(
            [*self.prefix, sys.executable, "-m", "hub_api", *arguments],
            env={**self.env, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s, cwd="/",
        )  # fmt: skip

    def start(self, *arguments: str, **env: str) -> None:
        """Start `hub up ...` in the foreground of its own session and return at once."""
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "hub_api", "up", *arguments],
                env={**self.env, **env}, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, cwd="/",
            )  # fmt: skip

    def up(self, *arguments: str, timeout_s: float = 120, **env: str) -> dict[str, Any]:
        """Start `hub up ...` and wait until all is ready; returns its status. Raises RuntimeError when it ends instead."""
        self.start(*arguments, **env)

        def ready() -> dict[str, Any] | None:
            assert self.process is not None
            if self.process.poll() is not None:
                return {"ended": self.process.returncode}
            state = self.state()
            mine = self.process.pid == state.get("supervisor_pid")
            return state if mine and state["phase"] in ("ready", "degraded") else None

        found = wait_until(ready, timeout_s)
        if "ended" in found:
            raise RuntimeError(f"hub up ended with {found['ended']}:\n{self.output.read_text()}")
        return self.status()

    def state(self) -> dict[str, Any]:
        """state.json as it is now; empty before the first start."""
        file = self.home / "state.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def status(self) -> dict[str, Any]:
        """What `hub status --json` prints, with the parts by name under `part`."""
        found = status(Home(self.home))
        return {**found, "part": {part["name"]: part for part in found["parts"]}}

    def environment(self) -> dict[str, str]:
        """The variables of hub.env."""
        lines = (self.home / "hub.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    def wait(self, timeout_s: float = 120) -> int:
        """Wait for `hub up` to end; returns its exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C; returns the exit code of `hub up`."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.wait()

    def processes(self) -> list[psutil.Process]:
        """All processes of this stack that run now, by pid in the state and by mark."""
        return list(find_orphans(Home(self.home).state())) if self.state() else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        supervisor = self.state().get("supervisor_pid")
        for pid in {supervisor, self.process.pid if self.process else None} - {None}:
            with suppress(psutil.Error):  # gone, or a zombie
                if "hub_api" in psutil.Process(pid).cmdline():
                    os.kill(pid, signal.SIGKILL)
        left = [relative for process in self.processes() for relative in (process, *process.children(recursive=True))]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                # PostgreSQL's own "at once" gives back its shared memory, which SIGKILL leaves behind.
                process.send_signal(signal.SIGQUIT if process.name() == "postgres" else signal.SIGKILL)
        psutil.wait_procs(left, timeout=10)
        if data := self.state().get("postgres_place"):
            shutil.rmtree(data, ignore_errors=True)
            Path(f"{data}.home").unlink(missing_ok=True)
        shutil.rmtree(self.place, ignore_errors=True)
