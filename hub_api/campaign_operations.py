"""`hub campaigns list | show | pause | resume | cancel`: campaigns from the command line, when the console is away or nobody may sign in."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import typer

from hub_api.errors import Invalid
from hub_api.operations import AS_JSON, show, with_services

campaigns = typer.Typer(help="Campaigns: what runs, and stopping it.", no_args_is_help=True)

ID = Annotated[str, typer.Argument(help="Id of the campaign: hub campaigns list shows it.")]
REASON = Annotated[str, typer.Option(help="Why, for the audit log.")]


@campaigns.command(name="list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only this state: running, paused, scheduled, …")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """List campaigns with their state, why they stand still, and how many messages they put into the outbox."""
    from hub_api.campaigns.plans.keep import queries

    rows = with_services(
        lambda services: services.db.fetch(queries.list_campaigns, None, None, state, None, limit, None)
    )
    show(rows, ("name", "state", "block_reason", "kind", "lane", "placed", "started_at", "id"), as_json)


@campaigns.command(name="show")
def show_(campaign_id: ID, as_json: Annotated[bool, AS_JSON] = False) -> None:
    """Show a campaign's occurrences: where its recipients stand, and who was left out and why."""
    from hub_api.campaigns.plans import keep

    async def look(services: Any) -> tuple[Any, list[dict[str, Any]]]:
        row = await keep.find(services.db, None, _id(campaign_id))
        return row, await keep.list_runs(services, None, row["id"])

    row, runs = with_services(look)
    if as_json:
        typer.echo(json.dumps({**dict(row), "runs": runs}, default=str, indent=2, ensure_ascii=False))
        return
    show([row], ("name", "state", "block_reason", "placed", "approved_by", "started_at", "finished_at"), False)
    show(runs, ("occurrence", "state", "members", "turns", "recipients", "excluded_now", "waits_for", "failure"), False)


@campaigns.command()
def pause(campaign_id: ID, reason: REASON = "by_hand") -> None:
    """Stop a running or scheduled campaign: within a second nothing of it leaves, and `resume` goes on exactly there."""
    from hub_api.campaigns.sending import tick

    held = _step(campaign_id, "pause", reason, tick.hold)
    typer.echo(f"paused; {held} messages are held")


@campaigns.command()
def resume(campaign_id: ID, reason: REASON = "") -> None:
    """Let a paused campaign go on: what was held leaves, whoever still waits gets his turn."""
    from hub_api.campaigns.sending import tick

    released = _step(campaign_id, "resume", reason, tick.let_go)
    typer.echo(f"running again; {released} messages were held")


@campaigns.command()
def cancel(campaign_id: ID, reason: REASON = "by_hand") -> None:
    """End a campaign for good: what waits is never sent."""
    from hub_api.campaigns.sending import tick

    async def end(services: Any, of: UUID) -> int:
        await tick.hold(services, of)
        return await tick.end(services, of)

    typer.echo(f"cancelled; {_step(campaign_id, 'cancel', reason, end)} messages were waiting")


def _step(campaign_id: str, verb: str, reason: str, then: Callable[[Any, UUID], Awaitable[int]]) -> int:
    from hub_api.campaigns.plans import states

    of = _id(campaign_id)

    async def work(services: Any) -> int:
        async with services.transaction() as tx:
            await states.step_by_operator(tx, of, verb, reason)
        return await then(services, of)

    return with_services(work)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{text!r} is no id of a campaign; hub campaigns list shows them") from None
