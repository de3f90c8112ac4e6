"""`hub user create | list | set-role | deactivate | reset-2fa | rotate-keys`: users, by whoever operates the hub."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from hub_api.auth.permissions import BUILTIN
from hub_api.errors import NotFound

user = typer.Typer(help="Users of the hub and how they sign in.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="E-mail address of the user.")]
T = TypeVar("T")


@user.command()
def create(
    email: Annotated[str, typer.Argument(help="E-mail address, with which the user signs in.")],
    name: Annotated[str, typer.Option(help="Name, for people.", prompt=True)],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(BUILTIN)}, or a custom role.")] = "agent",
    phone: Annotated[str | None, typer.Option(help="In E.164, for codes by SMS.")] = None,
    mail: Annotated[bool, typer.Option(help="Send the invitation by e-mail too.")] = False,
) -> None:
    """Make a user and print the link by which he sets his password; it works for 7 days, once."""
    from hub_api.auth import users
    from hub_api.auth.audit import OPERATOR

    async def work(services: Any) -> str:
        async with services.transaction() as tx:
            user_id = await users.create_user(tx, OPERATOR, email=email, name=name, role=role, phone=phone)
            token = await users.invite(services, tx, OPERATOR, user_id, by_mail=mail)
        return users.link(services, "invitation", token)

    typer.echo(_run(work))


@user.command("list")
def list_all(
    role: Annotated[str | None, typer.Option(help="Only of this role.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Users with role, state and second factor, newest first."""
    from hub_api.auth import users

    async def work(services: Any) -> list[dict[str, Any]]:
        rows = await services.db.fetch(users.queries.list_users, None, None, None, role, None, 10_000)
        columns = ("id", "email", "name", "role", "active", "second_factor_at", "last_sign_in_at", "created_at")
        return [{name: row[name] for name in columns} for row in rows]

    rows = _run(work)
    if as_json:
        typer.echo(json.dumps(rows, default=str, indent=2))
        return
    for row in rows:
        marks = [row["role"], "active" if row["active"] else "inactive", "2fa" if row["second_factor_at"] else ""]
        typer.echo(f"{row['email']:<40} {row['name']:<30} {' '.join(filter(None, marks))}")


@user.command()
def set_role(email: Email, role: Annotated[str, typer.Argument(help="Name of the role.")]) -> None:
    """Give a user another role; it holds at once in his sessions."""
    _change(email, {"role": role})
    typer.echo(f"{email} is {role} now")


@user.command()
def deactivate(email: Email) -> None:
    """The user can sign in no more, and his sessions end."""
    _change(email, {"active": False})
    typer.echo(f"{email} is inactive; his sessions have ended")


@user.command("reset-2fa")
def reset_second_factor(email: Email) -> None:
    """Remove a lost second factor and end the user's sessions; he signs in by password and sets up another."""
    from hub_api.auth import second_factor, sessions
    from hub_api.auth.audit import OPERATOR

    async def work(services: Any) -> None:
        user_id = await _find(services, email)
        async with services.transaction() as tx:
            await second_factor.remove(services, tx, OPERATOR, user_id)
            await sessions.revoke_all(services, tx, user_id, "second_factor_reset", actor=OPERATOR)

    _run(work)
    typer.echo(f"{email} has no second factor now")


@user.command("rotate-keys")
def rotate_keys() -> None:
    """Sign access tokens and ID tokens with new keys; what was signed before lives out its minutes."""
    from hub_api.auth import audit, tokens
    from hub_api.auth.openid import keys

    async def work(services: Any) -> tuple[str, str]:
        secret_key = services.settings.secret_key.get_secret_value()
        async with services.transaction() as tx:
            access, openid = await tokens.rotate(tx.db, secret_key), await keys.rotate(tx.db, secret_key)
            await audit.write(
                tx, audit.OPERATOR, "signing_keys.rotated", "signing_key", access, detail={"openid": openid}
            )
        return access, openid

    access, openid = _run(work)
    typer.echo(f"the new key of access tokens is {access}; that of ID tokens, {openid}, signs in ten minutes")


def _change(email: str, changes: dict[str, Any]) -> None:
    from hub_api.auth import users
    from hub_api.auth.audit import OPERATOR

    async def work(services: Any) -> None:
        user_id = await _find(services, email)
        async with services.transaction() as tx:
            await users.change_user(services, tx, OPERATOR, user_id, changes)

    _run(work)


async def _find(services: Any, email: str) -> UUID:
    from hub_api.auth import users

    user_id = await services.db.fetchval(users.queries.find_id, email)
    if user_id is None:
        raise NotFound(f"there is no user {email}; hub user list shows them")
    return user_id  # type: ignore[no-any-return]


def _run(work: Callable[[Any], Awaitable[T]]) -> T:
    from hub_api.platform.services import open_services
    from hub_api.settings import load_settings

    async def run() -> T:
        from hub_api.auth import jobs  # noqa: F401 - declares the job that sends mail

        async with open_services(load_settings(), lambda events: (), "hub-command") as services:
            return await work(services)

    return asyncio.run(run())
