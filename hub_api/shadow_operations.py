"""`hub webhooks shadow`: handle stored webhooks of a time range again, beside the live tables, and compare."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub_api.errors import Invalid
from hub_api.operations import AS_JSON, show, with_services

if TYPE_CHECKING:
    from hub_api.whatsapp.shadow.compare import Comparison


def shadow(
    since: Annotated[str, typer.Option(help="From when they were received: 2026-11-26T08:00 (UTC) or with an offset.")],
    until: Annotated[str | None, typer.Option(help="To before when; without: now.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the shadow database for a look; its name is told.")
    ] = False,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Handle stored webhooks again in a shadow database and compare record by record; exit 1 on differences.

    Nothing is sent and nothing live changes: use it before an upgrade to see that new code makes the same of old traffic.
    """
    from hub_api.whatsapp.shadow.compare import compare
    from hub_api.whatsapp.shadow.database import shadow_database
    from hub_api.whatsapp.shadow.replay import Range, replay

    given = Range(_time(since), _time(until) if until else datetime.now(UTC))
    if given.since >= given.until:
        raise Invalid(f"--since {given.since:%FT%T%z} is not before --until {given.until:%FT%T%z}")

    def progress(done: int, total: int) -> None:
        typer.echo(f"{done} of {total} webhooks handled in the shadow", err=True)

    async def run(services: Any) -> tuple[str, int, list["Comparison"]]:
        async with shadow_database(services, keep=keep) as (name, pool):
            count = await replay(services.db, pool, services.settings, given, progress)
            return name, count, await compare(services.db, pool, given)

    name, count, found = with_services(run)
    if as_json:
        typer.echo(json.dumps({"webhooks": count, "comparisons": [_shown(one) for one in found]}, indent=2))
    else:
        show([_shown(one) for one in found], ("name", "compared", "equal", "differing", "changed_later"), False)
        for one in found:
            for difference in one.differences:
                typer.echo(f"{one.name}: {difference.record} {difference.how}")
    if keep:
        typer.echo(f"the shadow stays as database {name}; drop it when you are done", err=True)
    raise typer.Exit(1 if any(one.differing for one in found) else 0)


def _shown(comparison: "Comparison") -> dict[str, Any]:
    return {**asdict(comparison), "differing": comparison.differing}


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no time: write it as 2026-11-26T08:00 (UTC) or with an offset") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
