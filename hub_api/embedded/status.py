"""What runs, as `hub status` and the tables of `hub up` show it."""

import time
from dataclasses import asdict
from typing import Any

import psutil
from rich.table import Table

from hub_api.embedded.home import Home, PartState, State, same_process

COLOURS = {"ready": "green", "done": "green", "failed": "red", "restarting": "yellow", "starting": "yellow"}


def status(home: Home) -> dict[str, Any]:
    """The stack as plain data: `running`, `phase`, `home` and one entry per part with memory and uptime.

    Parts of a supervisor that is gone are `stopped`, or `orphaned` when their process still runs.
    """
    state = home.state()
    running = state.supervisor() is not None
    return {
        "running": running,
        "phase": state.phase if running else "stopped",
        "home": str(home.path),
        "demo": state.demo,
        "supervisor_pid": state.supervisor_pid if running else None,
        "uptime_s": round(time.time() - state.started_at) if running and state.started_at else None,
        "versions": state.versions,
        "postgres_data": state.postgres_place,
        "parts": [describe(part, running) for part in state.parts],
    }


def describe(part: PartState, running: bool) -> dict[str, Any]:
    """One part; `memory_mb` and `uptime_s` are None unless its process runs."""
    process = same_process(part.pid, part.created)
    what = part.state if running else ("orphaned" if process else "stopped")
    return {
        **asdict(part),
        "state": what,
        "pid": process.pid if process else None,
        "memory_mb": memory_mb(process) if process else None,
        "uptime_s": round(time.time() - part.started_at) if process and part.started_at else None,
    }


def memory_mb(process: psutil.Process) -> int | None:
    """Memory of a process and of all it started, in MB: the proportional share, so that shared pages count once."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return None
    for member in family:
        try:
            total += member.memory_full_info().pss
        except (psutil.Error, AttributeError):  # not ours to look at, or no Linux
            try:
                total += member.memory_info().rss
            except psutil.Error:
                continue
    return round(total / 1024**2)


def table(parts: list[dict[str, Any]], title: str) -> Table:
    """The parts as a table for the terminal."""
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column, justify in (("part", "left"), ("state", "left"), ("start s", "right"), ("MB", "right"), ("restarts", "right"),
                            ("up", "right"), ("pid", "right"), ("address", "left")):  # fmt: skip
        shown.add_column(column, justify=justify, no_wrap=column != "address", overflow="fold")  # type: ignore[arg-type]
    for part in parts:
        colour = COLOURS.get(part["state"], "dim")
        cells = (part["ready_s"], part["memory_mb"], part["restarts"] or None, duration(part["uptime_s"]), part["pid"])
        text = ["" if cell is None else str(cell) for cell in cells]
        address = part["url"] or (str(part["port"]) if part["port"] else "")
        note = part["message"] if part["state"] in ("failed", "restarting") else ""
        shown.add_row(part["name"], f"[{colour}]{part['state']}[/]", *text, f"{address} {note}".strip())
    return shown


def total_mb(parts: list[dict[str, Any]]) -> int:
    """Memory of all parts."""
    return sum(part["memory_mb"] or 0 for part in parts)


def duration(seconds: int | None) -> str | None:
    """`5s`, `3m`, `2h`, `4d`."""
    if seconds is None:
        return None
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def rows_of(state: State) -> list[dict[str, Any]]:
    """The parts of a running supervisor's own state."""
    return [describe(part, True) for part in state.parts]
