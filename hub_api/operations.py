"""`hub webhooks dead | replay`, and what all commands of operators share."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from hub_api.errors import Invalid

webhooks = typer.Typer(help="Webhooks: what could not be handled, what the channel told.", no_args_is_help=True)
AS_JSON = typer.Option("--json", help="Print JSON for programs.")
T = TypeVar("T")


@webhooks.command()
def dead(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 100,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """List open dead letters with their reason; exit 0 also when there are none."""
    from hub_api.whatsapp.deadletters import list_dead

    rows, _ = with_services(lambda services: list_dead(services, limit))
    show(rows, ("id", "source", "kind", "reason", "detail", "received_at"), as_json)


@webhooks.command()
def updates(
    field: Annotated[str | None, typer.Option(help="Only this one, as Meta names it, e.g. account_update.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 100,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """List what Meta told beside messages and statuses, fields that the hub does not know among them."""
    from hub_api.whatsapp.deadletters import list_updates

    rows, _ = with_services(lambda services: list_updates(services, field, limit))
    show(rows, ("created_at", "field", "phone_number_id", "waba_id", "applied_at", "value"), as_json)


@webhooks.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open dead letters.")] = False,
) -> None:
    """Put dead letters back after their cause was repaired; harmless to repeat."""
    from hub_api.whatsapp.deadletters import replay

    if bool(ids) == every:
        raise typer.BadParameter("name the dead letters, or give --all", param_hint="ids")
    chosen = [parse_id(text) for text in ids] if ids else None
    count = with_services(lambda services: replay(services, chosen))
    typer.echo(f"{count} dead letters put back")


def with_services(work: Callable[[Any], Awaitable[T]]) -> T:
    """Run `work` with the services of a short-lived process."""
    from hub_api import roles
    from hub_api.platform.logging import configure_command
    from hub_api.settings import load_settings

    configure_command()

    async def run() -> T:
        async with roles.services(load_settings(), "command") as services:
            return await work(services)

    return asyncio.run(run())


def show(rows: Iterable[Any], columns: tuple[str, ...], as_json: bool) -> None:
    """Rows as JSON with all columns, or as a table with `columns`."""
    if as_json:
        typer.echo(json.dumps([dict(row) for row in rows], default=str, indent=2))
        return
    from rich.table import Table

    from hub_api.embedded.commands import make_console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    make_console().print(table)


def parse_id(text: str) -> UUID:
    """The id, or Invalid."""
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{text!r} is no id of a dead letter; hub webhooks dead lists them") from None
