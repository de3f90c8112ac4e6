"""`hub simulate meta | traffic | history`: drive the simulator."""

import typer

simulate = typer.Typer(help="Drive the simulated Meta Cloud API and its customers.", no_args_is_help=True)
