"""`hub webhooks dead | replay` and `hub numbers add | list`: operator work on the channel."""

from typing import Annotated

import typer

webhooks = typer.Typer(help="Webhooks that could not be handled.", no_args_is_help=True)
numbers = typer.Typer(help="WhatsApp numbers of the operator.", no_args_is_help=True)
