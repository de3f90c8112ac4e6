"""`hub numbers add | list | show | pause | resume | drain | remove | register | check`: the pool from the command line.

A number is named by Meta's phone_number_id or by our id. Reasons and sources stand in its history.
"""

import getpass
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from hub_api.operations import AS_JSON, show, with_services

numbers = typer.Typer(help="WhatsApp numbers of the operator.", no_args_is_help=True)

NUMBER = Annotated[str, typer.Argument(help="phone_number_id or id of the number.")]
WHY = Annotated[str, typer.Option("--reason", help="Shown in the history.")]


@numbers.command()
def add(
    waba_id: Annotated[str, typer.Option(help="Id of the WhatsApp business account.")],
    phone_number_id: Annotated[str, typer.Option(help="Meta's id of the number.")],
    display_phone_number: Annotated[str, typer.Option(help="The number as people dial it.")],
    portfolio_id: Annotated[str, typer.Option(help="Id of the business portfolio.")],
    name: Annotated[str, typer.Option(help="Name of the account, for people.")],
    token: Annotated[
        str, typer.Option(envvar="HUB_META_TOKEN", prompt="Token of the system user", hide_input=True, show_envvar=True,
                          help="Asked for when not in the environment: a command line is readable for others.")
    ],
    throughput_mps: Annotated[int, typer.Option(min=1, max=1000, help="Messages a second that Meta allows.")] = 80,
) -> None:  # fmt: skip
    """Register a number with its account, or renew what is known of them; the token is stored encrypted."""
    from hub_api.whatsapp import accounts

    async def register(services: Any) -> UUID:
        await accounts.add_account(services, waba_id=waba_id, portfolio_id=portfolio_id, name=name, token=token)
        return await accounts.add_number(
            services,
            waba_id=waba_id,
            phone_number_id=phone_number_id,
            display_phone_number=display_phone_number,
            throughput_mps=throughput_mps,
        )

    typer.echo(f"number {phone_number_id} is registered as {with_services(register)}")


@numbers.command(name="list")
def list_(as_json: Annotated[bool, AS_JSON] = False) -> None:
    """List the numbers: state and reason, speed, breaker, what waits, accepted a second, quota used."""
    from hub_api.whatsapp.pool.view import pool

    rows, _ = with_services(lambda services: pool(services, limit=10_000))
    shown = [{**row, **_figures(row)} for row in rows]
    columns = ("phone_number_id", "display_phone_number", "state", "state_reason", "quality", "speed", "breaker")
    show(shown, (*columns, "waiting", "oldest_s", "accepted_per_s", "quota"), as_json)


@numbers.command(name="show")
def show_(number: NUMBER, as_json: Annotated[bool, AS_JSON] = False) -> None:
    """Show one number: all of `list`, its errors with what to do, and the history of its state."""
    from hub_api.whatsapp.pool import states, view

    async def look(services: Any) -> dict[str, Any]:
        found = await states.find(services, number)
        history = await states.number_history(services, found["id"], limit=20)
        return {**await view.one(services, found["id"]), "history": [dict(row) for row in history.rows]}

    told = with_services(look)
    if as_json:
        typer.echo(json.dumps(told, default=str, indent=2))
        return
    about = {**told, **_figures(told)}
    names = ("phone_number_id", "display_phone_number", "verified_name", "account", "state", "state_reason", "quality",
             "throughput_mps", "meta_status", "checked_at", "check_failure", "speed", "speed_reason", "breaker",
             "breaker_reason", "held_categories", "waiting", "oldest_s", "accepted_per_s", "quota")  # fmt: skip
    show([{"field": name, "value": about[name]} for name in names], ("field", "value"), as_json=False)
    if told["errors"]:
        show(told["errors"], ("code", "count", "by", "meaning", "advice"), as_json=False)
    show(told["history"], ("at", "from_state", "to_state", "reason", "source"), as_json=False)


@numbers.command()
def pause(
    number: NUMBER,
    reason: WHY = "parado por uma pessoa",
    minutes: Annotated[int | None, typer.Option(min=1, help="End by itself after so many minutes.")] = None,
) -> None:
    """Stop a number; its waiting templates move to other numbers of the account."""
    from hub_api.whatsapp.pool import states

    until = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None
    _act(number, lambda services, found: states.pause(services, _who(), found, reason=reason, until=until))
    typer.echo(f"number {number} is paused")


@numbers.command()
def resume(number: NUMBER) -> None:
    """Let a number send again, or end its draining."""
    from hub_api.whatsapp.pool import states

    _act(number, lambda services, found: states.resume(services, _who(), found))
    typer.echo(f"number {number} may send again")


@numbers.command()
def drain(number: NUMBER, reason: WHY = "pedido de uma pessoa") -> None:
    """Give a number nothing new: templates move away, replies still leave from it."""
    from hub_api.whatsapp.pool import states

    state = _act(number, lambda services, found: states.drain(services, _who(), found, reason=reason))
    typer.echo(f"number {number} is {state}; remove it when nothing waits any more")


@numbers.command()
def remove(number: NUMBER, reason: WHY = "removido por uma pessoa") -> None:
    """Take a number out of the pool; refused while messages wait for it."""
    from hub_api.whatsapp.pool import states

    _act(number, lambda services, found: states.remove(services, _who(), found, reason=reason))
    typer.echo(f"number {number} is removed")


@numbers.command()
def register(
    number: NUMBER,
    pin: Annotated[
        str, typer.Option(prompt="Two-step PIN", hide_input=True, envvar="HUB_META_PIN", help="Not stored.")
    ],
) -> None:
    """Register a number at Meta with its PIN; ten times in 72 hours at most."""
    from hub_api.whatsapp.pool import states

    _act(number, lambda services, found: states.register(services, _who(), found, pin=pin))
    typer.echo(f"number {number} is registered at Meta")


@numbers.command()
def check(number: NUMBER) -> None:
    """Read a number's health from Meta now; exit 1 when it could not be read."""
    from hub_api.whatsapp.pool import health, states, view

    async def look(services: Any) -> dict[str, Any]:
        found = await states.find(services, number)
        await health.check(services, found["id"], found["account_id"], found["phone_number_id"])
        return await view.one(services, found["id"])

    told = with_services(look)
    if told["check_failure"]:
        typer.echo(f"number {number} could not be read: {told['check_failure']}", err=True)
        raise typer.Exit(1)
    typer.echo(f"number {number} is {told['state']}; at Meta {told['meta_status']}, quality {told['quality']}")


def _act(number: str, work: Callable[[Any, UUID], Awaitable[Any]]) -> Any:
    from hub_api.whatsapp.pool import states

    async def find_and_act(services: Any) -> Any:
        return await work(services, (await states.find(services, number))["id"])

    return with_services(find_and_act)


def _who() -> str:
    return f"cli:{getpass.getuser()}"


def _figures(row: Any) -> dict[str, Any]:
    """The queue and quota of a number in one figure each."""
    lanes = row["queue"].values()
    limit = row["messaging_limit"]
    return {
        "waiting": sum(lane["waiting"] for lane in lanes),
        "oldest_s": max((lane["oldest_age_s"] for lane in lanes), default=None),
        "quota": f"{row['quota_used'] or 0}/{limit}" if limit else "sem limite",
    }
