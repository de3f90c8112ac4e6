"""`hub ai label`: the language model as a teacher, now and not by the clock."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from hub_api.errors import Invalid
from hub_api.operations import AS_JSON, with_services

ai = typer.Typer(help="The language model: labels of messages, from which our own models learn.", no_args_is_help=True)


@ai.callback()
def group() -> None:
    """The language model: labels of messages, from which our own models learn."""


@ai.command()
def label(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what was done and what waits.")] = False,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Choose what is left of today's HUB_LLM_LABELS_PER_DAY and label what waits; exit 1 when the model or the warehouse is away.

    Messages leave without names, numbers and addresses. Harmless to repeat: none is labelled twice.
    """
    from hub_api.ai.teaching import counts, queries, teach

    async def run(services: Any) -> dict[str, Any]:
        settings = services.settings
        if not dry_run and (settings.llm_url is None or not settings.llm_labels_per_day):
            raise Invalid("no message leaves: set HUB_LLM_URL and HUB_LLM_LABELS_PER_DAY first")
        done = {} if dry_run else asdict(await teach(services))
        told = {
            f"{row['outcome'] or 'waiting'} ({row['chosen_by']})": row["messages"]
            for row in await services.db.fetch(queries.told)
        }
        now = await counts(services)
        return {**done, "per_day": settings.llm_labels_per_day, "today": now["today"], "waiting": now["waiting"], "in_all": told}  # fmt: skip

    found = with_services(run)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            typer.echo(f"{name.replace('_', ' ')}: {value}")
    raise typer.Exit(1 if found.get("away") else 0)
