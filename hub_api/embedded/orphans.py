"""What a killed supervisor left running: found by the mark in the environment, and by pid with start time."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator

import psutil

from hub_api.embedded.home import State, same_process

GRACE_S = 30.0
# Engines that stop cleanly on another signal than SIGTERM.
STOP_SIGNALS = {"postgres": signal.SIGINT}


def find_orphans(state: State) -> dict[psutil.Process, str]:
    """Processes of this stack that still run, with the name of their part.

    By pid and start time as recorded, which finds engines that overwrite their environment with a title; and by
    `HUB_STACK_ID` in the environment, which finds what a part had started itself.
    """
    found = {
        process: part.name for part in state.parts if (process := same_process(part.pid, part.created)) is not None
    }
    for process, name in marked(state.id):
        found.setdefault(process, name)
    return found


def marked(stack_id: str) -> Iterator[tuple[psutil.Process, str]]:
    """Other processes whose environment names this stack, with their part."""
    ours = {os.getpid(), os.getppid()}
    for process in psutil.process_iter():
        try:
            environment = process.environ() if process.pid not in ours else {}
        except (psutil.Error, OSError):
            continue
        if environment.get("HUB_STACK_ID") == stack_id and "HUB_PART" in environment:
            yield process, environment["HUB_PART"]


def stop_orphans(state: State) -> list[str]:
    """Stop them as the supervisor would have, SIGKILL after a grace time; returns the names of their parts."""
    found = find_orphans(state)
    for process, name in found.items():
        send(process, STOP_SIGNALS.get(name, signal.SIGTERM))
        send(process, signal.SIGCONT)  # a stopped process would take its signal only then
    deadline = time.monotonic() + GRACE_S
    _, alive = psutil.wait_procs(list(found), timeout=GRACE_S)
    for process in alive:
        send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=max(5.0, deadline - time.monotonic()))
    return sorted(set(found.values()))


def send(process: psutil.Process, number: int) -> None:
    """Signal a process that may have ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
