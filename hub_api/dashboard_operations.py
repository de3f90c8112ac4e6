"""`hub dashboards provision | row-policies`: Superset as the tree says, and the rules of rows for a cluster."""

import asyncio
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from hub_api.operations import with_services

if TYPE_CHECKING:
    from hub_api.platform.services import Services

dashboards = typer.Typer(help="Dashboards in Superset, from dashboards/superset.", no_args_is_help=True)


@dashboards.command()
def provision(
    force: Annotated[bool, typer.Option("--force", help="Import again, even when nothing has changed.")] = False,
) -> None:
    """Bring Superset to what dashboards/superset says: database, datasets, charts, dashboards, rules of rows."""
    from hub_api.analytics.dashboards.provision import provision as run
    from hub_api.settings import load_settings

    done = asyncio.run(run(load_settings(), force=force))
    what = "provisioned" if done.changed else "as they should be"
    typer.echo(f"{done.dashboards} dashboards with {done.charts} charts {what} (tree {done.fingerprint})")


@dashboards.command(name="row-policies")
def row_policies() -> None:
    """Print the rules of rows as SQL for a ClickHouse cluster: a role for each team of the hub, a policy on each table."""
    from hub_api.analytics.dashboards import row_rules
    from hub_api.auth.teams import queues_by_team

    async def render(services: "Services") -> list[str]:
        teams = await queues_by_team(services.db)
        settings = services.settings
        builder = urlsplit(settings.clickhouse_url.get_secret_value()).username or "default"
        return list(
            row_rules.row_policies(row_rules.read_rules(), teams, [builder, "gold"], settings.clickhouse_cluster)
        )

    for statement in with_services(render):
        typer.echo(f"{statement};")
