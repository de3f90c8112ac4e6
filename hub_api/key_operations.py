"""`hub keys rotate`: after a change of HUB_SECRET_KEY, write every encrypted column anew."""

import asyncio
import json
from typing import Annotated

import typer

keys = typer.Typer(help="The key that encrypts columns at rest.", no_args_is_help=True)


@keys.callback()
def group() -> None:
    """The key that encrypts columns at rest."""


@keys.command()
def rotate(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Encrypt everything by HUB_SECRET_KEY; what HUB_SECRET_KEY_PREVIOUS encrypted is read by it.

    Set both, and HUB_HASH_KEY to the first key there was; start all processes again, run this, then remove
    HUB_SECRET_KEY_PREVIOUS. Safe to run again.
    """
    renewed = asyncio.run(_rotate())
    if as_json:
        typer.echo(json.dumps(renewed, indent=2))
        return
    for column, count in renewed.items():
        typer.echo(f"{column:<36} {count} rows encrypted anew")
    typer.echo("HUB_SECRET_KEY_PREVIOUS may go now; HUB_HASH_KEY stays")


async def _rotate() -> dict[str, int]:
    from hub_api import roles
    from hub_api.auth.audit import OPERATOR
    from hub_api.key_rotation import rotate as work
    from hub_api.settings import load_settings

    async with roles.services(load_settings(), "command") as services:
        return await work(services, OPERATOR)
