"""`hub up | down | status | logs | doctor`."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub_api.embedded.home import Home, default_home
from hub_api.errors import Invalid

stack = typer.Typer()
PANEL = "The embedded stack on one machine"
AS_JSON = typer.Option("--json", help="Print JSON for programs.")


@stack.command(rich_help_panel=PANEL)
def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="With the simulator, 90 days of history and live traffic.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Run in the background; return when ready.")] = False,
    only: Annotated[str, typer.Option(help="Start only these parts and what they need, by comma.")] = "",
    without: Annotated[str, typer.Option(help="Leave these parts out, by comma, for instance dagster.")] = "",
    days: Annotated[int, typer.Option(min=2, help="With --demo: days of history.")] = 90,
    customers: Annotated[int, typer.Option(min=1, help="With --demo: customers of the operator.")] = 4000,
    rate: Annotated[
        float, typer.Option(min=0.01, help="With --demo: messages a second that customers begin with.")
    ] = 0.23,  # as simulator/demo.py works it out
) -> None:
    """Start the stack, wait until it is ready, keep it alive; Ctrl-C stops it and the data stays.

    A part whose URL is set (HUB_DATABASE_URL, HUB_REDIS_URL, HUB_CLICKHOUSE_URL, HUB_META_BASE_URL) is not started.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # see hub_api.__main__; from the first part on, the supervisor listens
    from hub_api.embedded import up as runner

    console = make_console()
    scene = ("--days", str(days), "--customers", str(customers), "--rate", str(rate))
    if detach:
        arguments = [*(["--demo"] if demo else []), *scene, "--only", only, "--without", without]
        raise typer.Exit(runner.detach(default_home(), arguments, console))
    options = runner.Options(
        demo=demo,
        scene=scene,
        only=tuple(filter(None, only.split(","))),
        without=tuple(filter(None, without.split(","))),
        definitions=os.environ.get("HUB_DAGSTER_DEFINITIONS", "pipelines.definitions"),
    )
    raise typer.Exit(runner.up(default_home(), options, console))


@stack.command(rich_help_panel=PANEL)
def down(
    remove_data: Annotated[bool, typer.Option("--remove-data", help="Then delete the home and all its data.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the stack that runs on HUB_HOME and wait for its end; exit 3 when none runs."""
    from hub_api.embedded import up as runner

    home = default_home()
    if remove_data and not yes:
        typer.confirm(f"Delete {home.path} with every conversation and password in it?", abort=True)
    code = runner.down(home, make_console())
    if remove_data:
        runner.remove_data(home)
        code = runner.OK
    raise typer.Exit(code)


@stack.command(rich_help_panel=PANEL)
def status(as_json: Annotated[bool, AS_JSON] = False) -> None:
    """State, memory, restarts, uptime and address of each part; exit 3 when nothing runs, 4 unless all is ready."""
    from hub_api.embedded import status as shown

    found = shown.status(default_home())
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif found["parts"]:
        title = f"{found['phase']}, {shown.total_mb(found['parts'])} MB, {found['home']}"
        make_console().print(shown.table(found["parts"], title))
    else:
        typer.echo(f"nothing has run on {found['home']}; start with: hub up")
    if not found["running"]:
        raise typer.Exit(3)
    raise typer.Exit(0 if found["phase"] == "ready" else 4)


@stack.command(rich_help_panel=PANEL)
def logs(
    name: Annotated[str, typer.Argument(help="A part of hub status, or supervisor.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines from the end.")] = 100,
) -> None:
    """Print the end of a part's log."""
    from hub_api.embedded.files import tail

    file = log_file(default_home(), name)
    for line in tail(file, lines):
        typer.echo(line)
    if follow:
        for text in follow_file(file):
            sys.stdout.write(text)
            sys.stdout.flush()


@stack.command(rich_help_panel=PANEL)
def doctor(as_json: Annotated[bool, AS_JSON] = False) -> None:
    """Check Python, packages, memory, disk, folders, ports, programs and connections; exit 1 when one fails."""
    from hub_api.embedded.checks import diagnose

    found = list(diagnose(default_home()))
    if as_json:
        typer.echo(json.dumps([check.as_dict() for check in found], indent=2))
    else:
        shown = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("check", "", "found", "what to do"):
            shown.add_column(column, overflow="fold")
        colours = {"ok": "green", "warning": "yellow", "failed": "red"}
        for check in found:
            shown.add_row(check.name, f"[{colours[check.level]}]{check.level}[/]", check.found, check.remedy)
        make_console().print(shown)
    raise typer.Exit(1 if any(check.level == "failed" for check in found) else 0)


def make_console() -> Console:
    """The terminal, or wide lines for a file: a table cut at 80 columns hides the addresses."""
    return Console() if sys.stdout.isatty() else Console(width=160)


def log_file(home: Home, name: str) -> Path:
    """The log of a part. Raises Invalid naming the logs there are."""
    file = home.log(name)
    if file.parent != home.path / "logs" or not file.exists():
        known = ", ".join(sorted(path.stem for path in (home.path / "logs").glob("*.log"))) or "none yet"
        raise Invalid(f"there is no log of {name!r} in {home.path}; logs are: {known}")
    return file


def follow_file(file: Path) -> Iterator[str]:
    """What is appended from now on; starts over when the file was rotated. Ends with KeyboardInterrupt."""
    position = file.stat().st_size
    while True:
        size = file.stat().st_size
        if size < position:
            position = 0
        if size > position:
            with file.open("rb") as source:
                source.seek(position)
                chunk = source.read()
            position += len(chunk)
            yield chunk.decode(errors="replace")
        time.sleep(0.2)
