"""`hub templates list | show | sync | submit`: templates from the command line."""

import json
from typing import Annotated, Any
from uuid import UUID

import typer

from hub_api.operations import AS_JSON, show, with_services

templates = typer.Typer(help="Message templates: what Meta approved, drafts, versions.", no_args_is_help=True)

NAME = Annotated[str, typer.Argument(help="Name or id of the template.")]
LANGUAGE = Annotated[str | None, typer.Option(help="Language, when the name is there in several: pt_BR.")]


@templates.command(name="list")
def list_(
    status: Annotated[str | None, typer.Option(help="Only this status: APPROVED, PENDING, PAUSED, DRAFT, …")] = None,
    name: Annotated[str | None, typer.Option(help="Only names with this in them.")] = None,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """List templates with status, quality and category."""
    from hub_api.whatsapp.templates.read import list_templates

    rows, _ = with_services(lambda services: list_templates(services, status=status, name=name, limit=100_000))
    show(rows, ("name", "language", "category", "next_category", "status", "quality", "sends", "id"), as_json)


@templates.command(name="show")
def show_(name: NAME, language: LANGUAGE = None, as_json: Annotated[bool, AS_JSON] = False) -> None:
    """Show one template as the phone does, with its versions and what Meta said."""
    from hub_api.whatsapp.templates import read

    async def look(services: Any) -> tuple[dict[str, Any], str]:
        template_id = await _find(services, name, language)
        return await read.get_template(services, template_id), (
            await read.show(services, template_id, None, [])
        ).as_text()

    template, preview = with_services(look)
    if as_json:
        typer.echo(json.dumps({**template, "preview": preview}, default=str, indent=2, ensure_ascii=False))
        return
    typer.echo(preview + "\n")
    show([template], ("name", "language", "category", "status", "status_reason", "quality", "sends", "id"), False)
    show(template["versions"], ("number", "state", "author", "created_at", "submitted_at", "answer"), False)


@templates.command()
def sync(waba_id: Annotated[str | None, typer.Option(help="Only this account; all when left out.")] = None) -> None:
    """Read templates from Meta now."""
    from hub_api.errors import NotFound
    from hub_api.whatsapp.accounts import list_accounts
    from hub_api.whatsapp.templates.sync import sync_templates

    async def read_all(services: Any) -> list[tuple[str, int]]:
        accounts = [row for row in await list_accounts(services) if waba_id in (None, row["waba_id"])]
        if not accounts:
            raise NotFound("there is no such WhatsApp account; hub numbers list shows the accounts")
        return [(row["waba_id"], await sync_templates(services, row["id"])) for row in accounts]

    for waba, count in with_services(read_all):
        typer.echo(f"{waba}: {count} templates")


@templates.command()
def submit(name: NAME, language: LANGUAGE = None) -> None:
    """Submit the waiting draft of a template to Meta's review."""
    from hub_api.whatsapp.templates import read
    from hub_api.whatsapp.templates.submit import submit

    async def send(services: Any) -> dict[str, Any]:
        template_id = await _find(services, name, language)
        await submit(services, template_id)
        return await read.get_template(services, template_id)

    template = with_services(send)
    typer.echo(f"{template['name']} ({template['language']}): {template['status']}")


async def _find(services: Any, name: str, language: str | None) -> UUID:
    from hub_api.whatsapp.templates.read import find_template

    try:
        return UUID(name)
    except ValueError:
        return await find_template(services, name, language)
