"""`hub erase`, `hub retention`: the end of personal data, from the command line."""

import time
from typing import Annotated, Any
from uuid import UUID

import typer

from hub_api.errors import Invalid
from hub_api.operations import AS_JSON, show, with_services

WAIT_S = 2.0


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
