"""Keeps the parts of one stack alive: start in order, probe, restart with backoff, stop in reverse.

One thread and one event loop. Each part is a child with a session of its own; its output goes straight to its log file,
so a dead supervisor blocks nobody. Every change is written to `state.json`, which is all that `hub status` reads.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from hub_api.embedded.account import Account
from hub_api.embedded.files import rotate, tail
from hub_api.embedded.home import Home, PartState, State
from hub_api.embedded.launch import launch
from hub_api.embedded.probes import Probe, until_ready
from hub_api.errors import HubError

STABLE_S = 60.0  # ready for this long: earlier failures are forgiven
POLL_S = 0.1


@dataclass(frozen=True)
class Part:
    """One process of the stack. `after` names the parts that must be ready first; `prepare` may block for seconds.

    `ready` is None for a one-shot part: it is done when it exits with 0.
    """

    name: str
    command: Callable[[], list[str]]
    ready: Probe | None
    after: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    account: Account | None = None
    cwd: Path | None = None
    port: int | None = None
    url: str | None = None
    stop_signal: int = signal.SIGTERM
    start_timeout_s: float = 120.0
    grace_s: float = 20.0


class Supervisor:
    """Runs `parts` until `stop`. A part that fails `give_up_after` times before it was ever ready is left `failed`; one
    that was ready is started again for as long as the stack runs, since what broke it may pass (a full disk).

    A disk that is full costs log lines and the freshness of state.json, never the care for the parts.
    """

    def __init__(
        self, home: Home, state: State, parts: Sequence[Part], *, give_up_after: int = 5, backoff_s: float = 0.5
    ) -> None:
        self.home = home
        self.state = state
        self.parts = {part.name: part for part in parts}
        self.give_up_after = give_up_after
        self.backoff_s = backoff_s
        self.status = {part.name: PartState(part.name, port=part.port, url=part.url) for part in parts}
        self.log_start = {part.name: log_size(home.log(part.name)) for part in parts}  # where this run begins
        self.on_change: Callable[[PartState], None] = lambda status: None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ready = {part.name: asyncio.Event() for part in parts}
        self._stopped = {part.name: asyncio.Event() for part in parts}
        self._tasks: list[asyncio.Task[None]] = []
        self._unsaved = False
        state.parts = list(self.status.values())

    async def start(self) -> bool:
        """Start everything; returns when each part is ready, failed, or waits for a failed one. True: all are ready."""
        self._phase("starting")
        self._tasks = [asyncio.create_task(self._keep(part), name=part.name) for part in self.parts.values()]
        self._tasks.append(asyncio.create_task(self._rotate_logs(), name="logs"))
        while not all(self._settled(name) for name in self.parts):
            for task in self._tasks:
                if task.done() and task.exception() is not None:
                    task.result()  # a bug in a part's own description: say so instead of waiting
            await asyncio.sleep(POLL_S)
        self._phase("ready" if all(self._is_up(name) for name in self.parts) else "degraded")
        return self.state.phase == "ready"

    async def stop(self) -> None:
        """Stop every part, dependents first: its stop signal, then SIGKILL after its grace time."""
        self._phase("stopping")
        pending = set(self._tasks)
        while pending:  # again, should a library have swallowed the first
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=2)
        await asyncio.gather(*(self._stop(part) for part in self.parts.values()))
        self._phase("stopped")

    def failed(self) -> list[PartState]:
        """The parts given up."""
        return [status for status in self.status.values() if status.state == "failed"]

    def _is_up(self, name: str) -> bool:
        return self.status[name].state in ("ready", "done")

    def _settled(self, name: str) -> bool:
        blocked = any(not self._is_up(other) and self._settled(other) for other in self.parts[name].after)
        return self._is_up(name) or self.status[name].state == "failed" or blocked

    async def _keep(self, part: Part) -> None:
        """One part's life: wait for what it needs, start, probe, wait for its end, try again."""
        for name in part.after:
            await self._ready[name].wait()
        failures = 0
        while True:
            began = time.monotonic()
            try:
                problem = await self._start(part)
            except HubError as error:  # trying again would end the same
                return self._give_up(part, error.message)
            if problem is None:
                self._change(
                    part, "done" if part.ready is None else "ready", ready_s=round(time.monotonic() - began, 2)
                )
                self._ready[part.name].set()
                if part.ready is None:
                    return None
                began = time.monotonic()
                code = await self._exit_code(part)
                problem = self._obituary(part, code)
                failures = 0 if time.monotonic() - began > STABLE_S else failures
            await self._kill_group(part)
            failures += 1
            if failures >= self.give_up_after and not self._ready[part.name].is_set():
                return self._give_up(part, f"given up after {failures} failures: {problem}")
            self._change(part, "restarting", message=problem)
            await asyncio.sleep(min(self.backoff_s * 2 ** (failures - 1), 30.0))
            self.status[part.name].restarts += 1

    def _give_up(self, part: Part, message: str) -> None:
        self._change(part, "failed", message=message)
        if self.state.phase == "ready":
            self._phase("degraded")

    async def _start(self, part: Part) -> str | None:
        """Start one process and wait until it is ready; returns what went wrong, or None.

        Raises the HubError of its preparation unless that is retryable.
        """
        self._change(part, "starting")
        try:
            if part.prepare is not None:
                await asyncio.to_thread(part.prepare)
            command = part.command()
            with self.home.log(part.name).open("ab") as output:
                process = launch(
                    command,
                    output=output,
                    env=part.env,
                    account=part.account,
                    death_signal=part.stop_signal,
                    cwd=part.cwd,
                )
        except (HubError, OSError) as error:
            self._append(part, f"error: {error}")
            if isinstance(error, HubError) and not error.retryable:
                raise
            return str(error)
        self._processes[part.name] = process
        status = self.status[part.name]
        status.pid, status.started_at = process.pid, time.time()
        status.created = psutil.Process(process.pid).create_time()
        self._save()
        if part.ready is not None:
            problem = await until_ready(part.ready, process.pid, lambda: process.poll() is None, part.start_timeout_s)
            if process.poll() is not None:
                problem = self._obituary(part, process.returncode)
            return problem
        code = await self._exit_code(part)
        return None if code == 0 else self._obituary(part, code)

    def _obituary(self, part: Part, code: int) -> str:
        """Why a part ended, with its last words."""
        last = next((line for line in reversed(tail(self.home.log(part.name))) if line.strip()), "")
        return f"it ended with {describe_exit(code)}: {last[:300]}"

    async def _exit_code(self, part: Part) -> int:
        process = self._processes[part.name]
        while (code := process.poll()) is None:  # noqa: ASYNC110 - a child's end is no event of ours
            await asyncio.sleep(POLL_S)
        return code

    async def _stop(self, part: Part) -> None:
        try:
            dependents = [other.name for other in self.parts.values() if part.name in other.after]
            await asyncio.gather(*(self._stopped[name].wait() for name in dependents))
            process = self._processes.get(part.name)
            if process is not None and process.poll() is None:
                self._change(part, "stopping")
                process.send_signal(part.stop_signal)
                try:
                    async with asyncio.timeout(part.grace_s):
                        await self._exit_code(part)
                except TimeoutError:
                    self._append(
                        part, f"killed by the supervisor: still alive {part.grace_s:.0f} s after its stop signal"
                    )
            await self._kill_group(part)
            self.status[part.name].pid = None
            self._change(part, "stopped")
        finally:
            self._stopped[part.name].set()

    async def _kill_group(self, part: Part) -> None:
        """What a dead part left behind (its own children) must not hold its port or its data."""
        process = self._processes.pop(part.name, None)
        if process is None:
            return
        # A group number is not given out again while the group has members, so this cannot hit a stranger.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        while process.poll() is None:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)

    async def _rotate_logs(self) -> None:
        while True:
            await asyncio.sleep(10)
            if self._unsaved:
                self._save()
            for file in (self.home.path / "logs").glob("*.log"):
                with contextlib.suppress(OSError):
                    rotate(file)

    def _append(self, part: Part, line: str) -> None:
        with contextlib.suppress(OSError), self.home.log(part.name).open("a") as output:
            output.write(line + "\n")

    def _phase(self, phase: str) -> None:
        self.state.phase = phase
        self._save()

    def _change(self, part: Part, state: str, *, ready_s: float | None = None, message: str = "") -> None:
        status = self.status[part.name]
        status.state, status.message = state, message
        status.ready_s = ready_s if ready_s is not None else status.ready_s
        if state in ("restarting", "failed", "done"):
            status.pid = None
        self._save()
        with contextlib.suppress(OSError):
            self.on_change(status)

    def _save(self) -> None:
        try:
            self.home.save_state(self.state)
        except OSError:
            self._unsaved = True
        else:
            self._unsaved = False


def log_size(log: Path) -> int:
    """Bytes of a log now."""
    return log.stat().st_size if log.exists() else 0


def describe_exit(code: int) -> str:
    """`exit code 1` or `signal SIGKILL`."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
