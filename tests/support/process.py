"""A server process that a test starts, stops, kills and starts again on the same port and data."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import psutil

from hub_api.embedded.account import Account
from hub_api.embedded.launch import launch
from hub_api.embedded.ports import free_port, release
from tests.support.waiting import run_async, wait_until

__all__ = ["ServerProcess", "free_port", "new_place", "release"]


MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 * 1024**3


def new_place(prefix: str, *, in_memory: bool = False) -> Path:
    """An own folder outside the repository that an unprivileged account can reach. The caller removes it.

    `in_memory` where the machine has room for it: cloning a database makes 800 files, 30 ms there and up to 2 s on a
    busy disk.
    """
    roomy = in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    place = Path(tempfile.mkdtemp(prefix=f"hub-test-{prefix}-", dir=MEMORY if roomy else None))
    place.chmod(0o755)
    return place


class ServerProcess(ABC):
    """Base of the engines below: subclasses say what to prepare, what to run and how to probe. `port` is its own until
    `destroy`, also while it is down."""

    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    quit_signal: int = signal.SIGKILL

    def __init__(self, place: Path) -> None:
        self.place, self.port = place, free_port()
        self.log = place / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:  # noqa: B027 - most engines have nothing to prepare
        """Make folders and configuration."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program in the foreground."""

    @abstractmethod
    async def probe(self) -> Any:
        """Raise unless the server answers."""

    def start(self, timeout_s: float = 60.0) -> None:
        """Start and wait until the probe succeeds; raises RuntimeError with the end of the log when it dies."""
        assert self.process is None, "already running"
        self.prepare()
        # The kernel ties the death signal to the starting thread: only the main thread lives as long as we do.
        in_main = threading.current_thread() is threading.main_thread()
        with self.log.open("ab") as output:
            self.process = launch(
                self.command(), output=output, account=self.account, death_signal=self.stop_signal if in_main else 0
            )
        wait_until(self._dead_or_ready, timeout_s)
        if self.process.poll() is not None:
            code, self.process = self.process.returncode, None
            raise RuntimeError(f"{self.command()[0]} ended with {code}:\n{self.log_tail()}")

    def _dead_or_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is None:
            run_async(self.probe())
        return True

    def running(self) -> bool:
        """Whether the process lives; one that ended by itself may be started again."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
        return self.process is not None

    def log_tail(self, lines: int = 20) -> str:
        """The end of what the server wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, timeout_s: float = 30.0) -> None:
        """Stop cleanly; SIGKILL when it does not end in time. Nothing when it is not running."""
        self._end(self.stop_signal, timeout_s)

    def kill9(self) -> None:
        """SIGKILL to the server and to every process it started, as a power cut would."""
        self._end(signal.SIGKILL, 30.0)

    def restart(self) -> None:
        """Stop cleanly and start on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: the server hangs, connections stay open. `resume` ends it."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        assert self.process is not None, "not running"
        main = psutil.Process(self.process.pid)
        for process in (main, *main.children(recursive=True)):
            process.send_signal(number)

    def destroy(self) -> None:
        """End the server at once and remove its folder."""
        self._end(self.quit_signal, 10.0)
        shutil.rmtree(self.place, ignore_errors=True)
        release(self.port)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.destroy()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def _end(self, number: int, timeout_s: float) -> None:
        if self.process is None:
            return
        children = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        if number == signal.SIGKILL:
            self._signal_all(signal.SIGKILL)
        else:
            self.process.send_signal(number)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        _, alive = psutil.wait_procs(children, timeout=10)
        for process in alive:
            process.kill()
        self.process = None
