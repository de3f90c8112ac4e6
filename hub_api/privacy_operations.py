"""`hub erase`, `hub retention`, `hub privacy`: the end of personal data, and what a person asks for."""

import os
import time
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from hub_api.errors import Invalid
from hub_api.operations import AS_JSON, show, with_services

WAIT_S = 2.0

privacy = typer.Typer(
    help="What a person asks for: access report, portable data; the register of processing.", no_args_is_help=True
)
_CUSTOMER = typer.Option(help="Id of the customer.")
_TO = typer.Option("--to", help="File to write, .pdf for a document; its folder must be there.", dir_okay=False)


@privacy.command()
def report(customer: Annotated[str, _CUSTOMER], to: Annotated[Path, _TO]) -> None:
    """Write the access report of a person, as PDF or as JSON by the ending of the file; it holds every message."""

    async def work(services: Any) -> None:
        from hub_api.chat.privacy import document, retention, schemas
        from hub_api.chat.privacy.report import access_report

        async with services.transaction() as tx:
            found = await access_report(tx, "command", _id(customer))
        settings = services.settings
        if to.suffix == ".pdf":
            _write(to, document.report_pdf(found, retention.shown(settings), settings.zone))
        else:
            _write(to, schemas.AccessReport.model_validate(found).model_dump_json(indent=2).encode())

    with_services(work)


@privacy.command()
def export(customer: Annotated[str, _CUSTOMER], to: Annotated[Path, _TO]) -> None:
    """Write the data that a person takes along to another supplier, as JSON of a documented form."""

    async def work(services: Any) -> None:
        from hub_api.chat.privacy.report import portable_data
        from hub_api.chat.privacy.schemas_portable import PortableData

        async with services.transaction() as tx:
            found = await portable_data(tx, "command", _id(customer))
        _write(to, PortableData.model_validate(found).model_dump_json(indent=2).encode())

    with_services(work)


@privacy.command()
def register(to: Annotated[Path, _TO]) -> None:
    """Write the register of processing (LGPD art. 37), as PDF or as JSON by the ending of the file."""
    import orjson

    from hub_api.chat.privacy import document, inventory, retention
    from hub_api.settings import load_settings

    settings, activities = load_settings(), list(inventory.register())
    rules = retention.shown(settings)
    if to.suffix == ".pdf":
        _write(to, document.register_pdf(activities, rules, settings.zone))
    else:
        _write(to, orjson.dumps({"items": activities, "retention": rules}, option=orjson.OPT_INDENT_2))


def _write(to: Path, content: bytes) -> None:
    """For its owner's eyes only: it is personal data."""
    if not to.parent.is_dir():
        raise Invalid(f"there is no folder {to.parent}")
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    typer.echo(f"{to}: {len(content)} bytes")


def erase(
    customer: Annotated[str | None, typer.Option(help="Id of the customer.")] = None,
    reason: Annotated[str, typer.Option(help="request, consent_withdrawn or purpose_ended.")] = "request",
    again: Annotated[
        bool,
        typer.Option("--reapply", help="Erase again whom a restored backup brought back; `hub migrate` does it too."),
    ] = False,
    wait_s: Annotated[int, typer.Option(min=0, help="How long to wait until no store has anything left.")] = 120,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Erase a person from every store and print the signed receipt. Exit 4 when something is left: the clock goes on."""
    if again == (customer is not None):
        raise typer.BadParameter("give --customer, or --reapply", param_hint="--customer")
    if again:
        typer.echo(f"{reapply_erasures()} erasures repeated")
        return
    if reason not in ("request", "consent_withdrawn", "purpose_ended"):
        raise typer.BadParameter("request, consent_withdrawn or purpose_ended", param_hint="--reason")
    row = with_services(lambda services: _erase(services, _id(customer or ""), reason, time.monotonic() + wait_s))
    if row["state"] != "done":
        typer.echo(f"erasure {row['id']} goes on by the clock; left so far: {row['survivors']}")
        raise typer.Exit(4)
    import orjson

    if as_json:
        typer.echo(orjson.dumps(row["receipt"], option=orjson.OPT_INDENT_2).decode())
        return
    content = row["receipt"]["content"]
    typer.echo(f"erased: customer {content['customer_id']}, survivors {sum(content['survivors'].values())}")
    for kept in content["kept_by_law"]:
        typer.echo(f"kept by law: {kept['records']} records until {kept['until'][:10]}, {kept['legal_basis']}")
    typer.echo(f"receipt {content['erasure_id']} signed by {row['receipt']['key_id']}")


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what is past its time.")] = False,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """End what is past its time by the rules of retention, as the clock does every day; what a legal hold keeps stays."""
    rows = with_services(lambda services: _retention(services, dry_run))
    show(rows, ("key", "days", "at_least", "action", "due" if dry_run else "ended", "source"), as_json)


async def _retention(services: Any, dry_run: bool) -> list[dict[str, Any]]:
    from hub_api.chat.privacy import retention as keeping

    name, counts = (
        ("due", await keeping.due(services)) if dry_run else ("ended", await keeping.apply(services, "command"))
    )
    return [{**rule, name: counts[rule["key"]]} for rule in keeping.shown(services.settings)]


async def _erase(services: Any, customer_id: UUID, reason: str, until: float) -> Any:
    import asyncio

    from hub_api.chat.privacy.erase import find_erasure, request, work_on
    from hub_api.chat.privacy.rows import queries

    erasure_id = await request(services, "command", customer_id, reason)
    while not await work_on(services, erasure_id) and time.monotonic() < until:
        await asyncio.sleep(WAIT_S)
        await services.db.execute(queries.hurry, erasure_id)
    return await find_erasure(services, erasure_id)


def reapply_erasures() -> int:
    """Repeat the erasures that this PostgreSQL or this warehouse does not know; how many."""
    from hub_api.chat.privacy.reapply import reapply

    return with_services(reapply)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{text!r} is no id of a customer; GET /api/v1/customers finds them by phone or name") from None
