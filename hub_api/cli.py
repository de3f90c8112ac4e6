"""The `hub` command: the one list of roles. Each command imports what it runs when it runs.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running, 4 not ready in time.
"""

import json
import os
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from hub_api.ai_operations import ai
from hub_api.audit_operations import audit
from hub_api.auth.commands import user
from hub_api.campaign_operations import campaigns
from hub_api.connect_operations import whatsapp
from hub_api.dashboard_operations import dashboards
from hub_api.embedded.commands import stack
from hub_api.embedded.home import load_home_environment
from hub_api.errors import HubError
from hub_api.key_operations import keys
from hub_api.lake_operations import lake, warehouse
from hub_api.notebook_operations import notebook
from hub_api.number_operations import numbers
from hub_api.operations import webhooks
from hub_api.privacy_operations import erase, privacy, reapply_erasures, retention
from hub_api.shadow_operations import shadow
from hub_api.simulator.commands import simulate
from hub_api.template_operations import templates

HELP = "WhatsApp engagement hub. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running, 4 not ready in time."

ROLES = "Roles, one process in the foreground"

commands = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")
commands.add_typer(stack)
webhooks.command()(shadow)
commands.add_typer(user, name="user")
commands.add_typer(webhooks, name="webhooks")
commands.add_typer(numbers, name="numbers")
commands.add_typer(templates, name="templates")
commands.add_typer(campaigns, name="campaigns")
commands.add_typer(audit, name="audit")
commands.command()(erase)
commands.command()(retention)
commands.command()(notebook)
commands.add_typer(privacy, name="privacy")
commands.add_typer(keys, name="keys")
commands.add_typer(dashboards, name="dashboards")
commands.add_typer(whatsapp, name="whatsapp")
commands.add_typer(ai, name="ai")
commands.add_typer(lake, name="lake", callback=load_home_environment)
commands.add_typer(warehouse, name="warehouse", rich_help_panel=ROLES)
commands.add_typer(simulate, name="simulate", callback=load_home_environment)


@commands.command(rich_help_panel=ROLES)
def api(
    services: Annotated[str, typer.Option(help="Services to mount, by comma; empty: all.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes behind the port.")] = 1,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve the HTTP API, the webhook and the WebSocket; SIGTERM drains."""
    import uvicorn

    from hub_api.platform import http_server
    from hub_api.settings import load_settings

    if services:
        os.environ["HUB_API_SERVICES"] = json.dumps(services.split(","))
    load_settings()  # what is missing or wrong is said once, here, and not by every process
    uvicorn.run(
        "hub_api.app:create_app_from_env", factory=True, host=host, port=port, workers=workers, **http_server.SERVING
    )


@commands.command(rich_help_panel=ROLES)
def worker(
    queues: Annotated[str, typer.Option(help="Queues to serve, by comma, first ones first; empty: all.")] = "",
) -> None:
    """Run jobs; SIGTERM finishes the job in hand."""
    from hub_api import roles
    from hub_api.settings import load_settings

    if unknown := set(filter(None, queues.split(","))) - set(roles.QUEUES):
        raise typer.BadParameter(f"{', '.join(unknown)}; queues are {', '.join(roles.QUEUES)}", param_hint="--queues")
    roles.worker(load_settings(), queues.split(",") if queues else roles.QUEUES)


@commands.command(rich_help_panel=ROLES)
def scheduler() -> None:
    """Ring what runs on a clock: the sweep, partitions, retention."""
    from hub_api import cron
    from hub_api.settings import load_settings

    cron.run(load_settings())


@commands.command(rich_help_panel=ROLES)
def relay() -> None:
    """Carry events from PostgreSQL to ClickHouse, in order and once."""
    from hub_api.analytics import relay
    from hub_api.settings import load_settings

    relay.run(load_settings())


@commands.command(rich_help_panel=ROLES)
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only name what would run; exit 1 when something would.")
    ] = False,
) -> None:
    """Bring PostgreSQL and ClickHouse to the newest schema; idempotent, one runner at a time.

    With HUB_API_KEY set, that key becomes valid for every scope: the first operator's key. With HUB_ADMIN_PASSWORD set,
    the first administrator is made, while nobody can sign in yet. People erased after the backup that was restored are
    erased again, before anything is served.
    """
    import asyncio

    from hub_api.platform import migrate
    from hub_api.settings import load_settings

    names = migrate.run(load_settings(), check=check)
    for name in names:
        typer.echo(f"{'pending' if check else 'applied'}: {name}")
    if not names:
        typer.echo("the schema is the newest")
    if check:
        raise typer.Exit(1 if names else 0)
    url = load_settings().database_url.get_secret_value()
    asyncio.run(let_in(url, first_secret("HUB_API_KEY"), first_secret("HUB_ADMIN_PASSWORD")))
    if repeated := reapply_erasures():
        typer.echo(f"{repeated} erasures repeated: the data was older than they are")


def first_secret(name: str) -> str | None:
    """A first credential, from the environment or the home's hub.env."""
    from hub_api.embedded.home import default_home

    return os.environ.get(name) or default_home().environment().get(name)


async def let_in(url: str, key: str | None, admin_password: str | None) -> None:
    """Make the first key valid and the first administrator, where they are wanted and not there yet."""
    import asyncpg

    from hub_api.auth.api_keys import create_key
    from hub_api.auth.first_admin import make_first_admin
    from hub_api.auth.permissions import ALL
    from hub_api.platform.postgres import prepare_connection

    connection = await asyncpg.connect(url)
    try:
        await prepare_connection(connection)
        if key:
            await create_key(connection, "first operator", [ALL], key=key)
        if admin_password:
            await make_first_admin(connection, admin_password)
    finally:
        await connection.close()


def app(**arguments: Any) -> None:
    """The console script: one line instead of a traceback for errors that say what to do."""
    try:
        commands(**arguments)
    except HubError as error:
        fail(error.message)
    except ValueError as error:
        if not (names := wrong_settings(error)):
            raise
        fail(f"settings are missing or wrong: {names}; start the stack with `hub up`, or set them in the environment")


def wrong_settings(error: ValueError) -> str:
    """The variables that `Settings` complains about, with why; empty when the error is another one."""
    from pydantic import ValidationError  # here, because it takes longer to import than `hub status` to run

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return ""
    from hub_api.settings import problems_of

    return ", ".join(f"{name} ({why})" for name, why in problems_of(error).items())


def fail(message: str) -> None:
    """Say it on standard error and exit 1."""
    Console(stderr=True).print("[red]error:[/]", end=" ")
    Console(stderr=True).print(message, markup=False, soft_wrap=True, highlight=False)
    sys.exit(1)
