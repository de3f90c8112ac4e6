"""`hub warehouse`, a role, the building of its tables and its rebuild, and `hub lake`: what the lake holds, whether it is whole, bringing it up to date."""

import asyncio
import subprocess
import sys
from datetime import date, datetime
from typing import Annotated, Any

import typer

from hub_api.embedded.home import load_home_environment
from hub_api.errors import HubError
from hub_api.operations import AS_JSON, show

warehouse = typer.Typer(
    help="Serve the embedded ClickHouse engine over HTTP (settings: HUB_WAREHOUSE_*), build its tables, or rebuild what it held.",
    invoke_without_command=True,
)
lake = typer.Typer(
    help="The Parquet lake: events and gold tables, a file for each table and day.", no_args_is_help=True
)


@warehouse.callback()
def serve(context: typer.Context) -> None:
    """Serve the embedded ClickHouse engine over HTTP (settings: HUB_WAREHOUSE_*), build its tables, or rebuild what it held."""
    load_home_environment()
    if context.invoked_subcommand is not None:
        return
    from hub_api.embedded.warehouse import WarehouseConfig, run

    try:
        config = WarehouseConfig.from_env()
    except ValueError as error:
        raise HubError(str(error)) from error
    run(config)


@warehouse.command()
def rebuild() -> None:
    """Rebuild every table after the warehouse was lost, from the lake and PostgreSQL, and compare it with the lake.

    Harmless to repeat, and what is there stays. The relay waits meanwhile. Exit 1 when a day is not what the lake has.
    """
    from hub_api.analytics.rebuild import restore_events
    from hub_api.privacy_operations import reapply_erasures
    from hub_api.settings import load_settings

    restored, relayed = asyncio.run(restore_events(load_settings()))
    typer.echo(f"events: {restored} days from the lake, {relayed} rows from PostgreSQL")
    reapply_erasures()
    done = subprocess.run([sys.executable, "-m", "pipelines.rebuild"], check=False)
    raise typer.Exit(done.returncode)


@warehouse.command()
def build(
    first: Annotated[
        str | None, typer.Argument(metavar="[FIRST]", help="First business day; today without one.")
    ] = None,
    last: Annotated[
        str | None, typer.Argument(metavar="[LAST]", help="Last business day; the first without one.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER/TABLE", help="only this table and all that it is made of; may be repeated"),
    ] = None,
) -> None:
    """Build the tables of these days now, as a run of the stack's own Dagster, and wait for its end.

    It waits in Dagster's queue for a build that is underway, and nothing else builds the same tables beside it. Harmless to repeat.
    Exit 1 when it was not built.
    """
    from hub_api.settings import load_settings

    settings = load_settings()
    today = datetime.now(settings.zone).date()
    start = _day(first) if first else today
    end = _day(last) if last else start
    if not settings.history_start <= start <= end <= today:
        raise HubError(
            f"days go from {settings.history_start} (HUB_HISTORY_START) to {today}, the first before the last"
        )
    asked = [start.isoformat(), end.isoformat(), *(table or ())]
    done = subprocess.run([sys.executable, "-m", "pipelines.submit", *asked], check=False)
    raise typer.Exit(done.returncode)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HubError(f"{text!r} is no day: write it as 2026-03-31") from None


@lake.command()
def sync() -> None:
    """Write the days that differ from the warehouse, as the clock does every night."""
    from hub_api.platform.lake.write import bring_up_to_date
    from hub_api.settings import load_settings

    changed = asyncio.run(bring_up_to_date(load_settings()))
    days, size = sum(map(len, changed.values())), sum(one.bytes for days in changed.values() for one in days.values())
    typer.echo(f"{days} days of {len(changed)} tables written, {size} bytes")


@lake.command("show")
def show_lake(as_json: Annotated[bool, AS_JSON] = False) -> None:
    """List the tables of the lake: days, rows, bytes, first and last day, newest relay batch."""
    from hub_api.platform.lake.write import read_manifests
    from hub_api.settings import load_settings

    rows: list[dict[str, Any]] = [
        {
            "table": table,
            "days": len(one.days),
            "rows": sum(day.rows for day in one.days.values()),
            "bytes": sum(day.bytes for day in one.days.values()),
            "first": min(one.days, default=""),
            "last": max(one.days, default=""),
            "batch": max((day.batch for day in one.days.values()), default=0),
        }
        for table, one in sorted(read_manifests(load_settings()).items())
    ]
    show(rows, ("table", "days", "rows", "bytes", "first", "last", "batch"), as_json)


@lake.command("archive")
def archive_months(
    again: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="a month that was brought back may leave again, now")
    ] = None,
) -> None:
    """Take months of events out of PostgreSQL that are older than HUB_EVENTS_MONTHS, as every night; each is proved first.

    Exit 1 when a month is not in the lake to the last event: it stays.
    """
    from hub_api.platform.lake.archive import archive, archive_again
    from hub_api.settings import load_settings

    settings = load_settings()
    if again is not None:
        asyncio.run(archive_again(settings, _month(again)))
    left = asyncio.run(archive(settings))
    for one in left:
        typer.echo(
            f"{one.month:%Y-%m}: {one.events} events left PostgreSQL, {len(one.days)} days of the lake hold them"
        )
    if not left:
        typer.echo("no month was due")


@lake.command("bring-back")
def bring_back_month(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="The month, as `hub lake archived` lists it.")],
) -> None:
    """Put an archived month of events back into PostgreSQL, from the lake's files; it stays until `lake archive --again`."""
    from hub_api.platform.lake.archive import bring_back
    from hub_api.settings import load_settings

    found = asyncio.run(bring_back(load_settings(), _month(month)))
    typer.echo(f"{found.month:%Y-%m}: {found.events} events are back")


@lake.command()
def archived(as_json: Annotated[bool, AS_JSON] = False) -> None:
    """List the months of events that have left PostgreSQL."""
    from hub_api.platform.lake.archive import list_archived
    from hub_api.settings import load_settings

    rows = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in asyncio.run(list_archived(load_settings()))
    ]
    show(rows, ("month", "events", "archived_at", "returned_at"), as_json)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise HubError(f"{text!r} is no month: write it as 2026-03") from None


@lake.command()
def verify() -> None:
    """Read every file of the lake and compare it with its manifest; exit 1 and name those that are damaged."""
    from hub_api.platform.lake.restore import damaged
    from hub_api.settings import load_settings

    names = list(damaged(load_settings()))
    for name in names:
        typer.echo(f"damaged: {name}")
    if names:
        raise typer.Exit(1)
    typer.echo("every file is as it was written")
