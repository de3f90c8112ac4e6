"""Rows of a benchmark and how they are shown: a figure, its ratio to the baseline of the same run, and the bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One measured figure. `ratio` is against `baseline`; `floor` is the ratio it has to reach."""

    what: str
    figure: str
    ratio: float | None = None
    baseline: str = ""
    floor: float | None = None
    note: str = ""


def peak_memory(pid: int) -> str:
    """The most memory that a process has held so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return f"{int(next(line for line in lines if line.startswith('VmHWM')).split()[1]) / 1024:,.0f} MB"


def show(console: Console, name: str, rows: Sequence[Row], seconds: float) -> None:
    """Print one benchmark's table."""
    table = Table(title=f"{name} ({seconds:.0f} s)", title_justify="left")
    for column in ("what", "figure", "ratio", "to", "floor", "note"):
        table.add_column(column, overflow="fold")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        floor = (
            "" if row.floor is None else f"{row.floor:g} {'ok' if row.ratio and row.ratio >= row.floor else 'MISSED'}"
        )
        table.add_row(row.what, row.figure, ratio, row.baseline, floor, row.note)
    console.print(table)
