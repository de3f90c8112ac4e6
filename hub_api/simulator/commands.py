"""`hub simulate meta | traffic | history | demo`: drive the simulator."""

import asyncio
import json
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

simulate = typer.Typer(help="Drive the simulated Meta Cloud API and its customers.", no_args_is_help=True)


@simulate.command()
def meta(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8090,
    smtp_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Also take mail here; /_sim/post shows it.")
    ] = None,
    pace: Annotated[float, typer.Option(min=0, help="How slow customers are; 0.1 is ten times as quick.")] = 1.0,
) -> None:
    """Serve the simulated Cloud API with virtual customers, in the foreground."""
    from hub_api.simulator.customers import Customers
    from hub_api.simulator.server import run

    run(host, port, behaviour=Customers(pace=pace), smtp_port=smtp_port)


@simulate.command()
def traffic(
    rate: Annotated[float, typer.Option(min=0.01, max=5000, help="Messages a second that customers begin with.")] = 2.0,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="For how long; without: until Ctrl-C.")] = None,
    agents: Annotated[bool, typer.Option(help="Virtual agents answer what waits in the queue.")] = True,
    seed: Annotated[int, typer.Option(help="Of the chances.")] = 1,
    texts: Annotated[
        list[Path] | None,
        typer.Option(
            help="CSV files whose `text` column customers also write from; without: real texts of ../shared/data, where present.",
            exists=True,
        ),
    ] = None,
    real_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the messages that come from these texts.")
    ] = 0.2,
) -> None:
    """Let customers write through the simulated channel at a rate (Poisson arrivals)."""
    from hub_api.settings import load_settings
    from hub_api.simulator import demo
    from hub_api.simulator.corpus import read_texts, real_texts
    from hub_api.simulator.traffic import Load

    real = [text for path in texts for text in read_texts(path)] if texts else real_texts()
    load = Load(rate, seconds, seed, real, real_share)
    written = asyncio.run(demo.live_traffic(load_settings(), load, agents))
    typer.echo(f"{written} messages written")


@simulate.command()
def history(
    days: Annotated[int, typer.Option(min=2, max=1500, help="How many days.")] = 90,
    customers: Annotated[int, typer.Option(min=1, help="Customers of the operator.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same history.")] = 1,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day; without: yesterday.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="Where to say what was planted; default in HUB_HOME.")] = None,
    log: Annotated[
        Path | None, typer.Option("--from", help="Import this log of real conversations (CSV) instead.", exists=True)
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Per-row report of --from; default in HUB_HOME/reports.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON for programs.")] = False,
) -> None:
    """Write back-dated history into an empty hub, or import a log of real support conversations."""
    from hub_api.settings import load_settings
    from hub_api.simulator import demo
    from hub_api.simulator.history.run import Plan

    settings = load_settings()
    if log:
        target = report or settings.home / "reports" / f"{log.name}.report.csv"
        counts = asyncio.run(demo.import_support_log(settings, log, target))
        told = f"each row's outcome: {target}"
    else:
        target = manifest or settings.home / "manifest.json"
        plan = Plan(days, customers, seed, until.date() if until else None)
        say = partial(typer.echo, err=True) if as_json else typer.echo
        counts = asyncio.run(demo.write_history(settings, plan, target, say))
        told = f"what was planted: {target}"
    if as_json:
        typer.echo(json.dumps(counts))
        return
    typer.echo(", ".join(f"{count} {what}" for what, count in counts.items()))
    typer.echo(told)


@simulate.command(name="demo")
def play_demo(
    days: Annotated[int, typer.Option(min=2, help="Days of history.")] = 90,
    customers: Annotated[int, typer.Option(min=1, help="Customers of the operator.")] = 4_000,
    rate: Annotated[float, typer.Option(min=0.01, help="Messages a second that customers begin with.")] = 0.23,
) -> None:
    """What `hub up --demo` runs: a number, history, all tables, then live traffic until it is stopped."""
    from hub_api.settings import load_settings
    from hub_api.simulator import demo

    asyncio.run(demo.play(load_settings(), demo.Scene(days, customers, rate)))
