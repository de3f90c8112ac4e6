"""Roles: the built-in ones, whose permissions are code, and custom ones, which are rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from hub_api.auth import audit, sessions
from hub_api.auth.decide import may_grant, unknown
from hub_api.auth.permissions import BUILTIN, OWN_ACCOUNT
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, Forbidden, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "roles.sql")


async def list_roles(db: Pool) -> list[dict[str, Any]]:
    """Every role with its permissions, built-in ones first."""
    return [_shown(row) for row in await db.fetch(queries.list_roles)]


async def permissions_of(db: Connection, name: str) -> frozenset[str] | None:
    """What users of the role may do; None for a role that is not there."""
    row = await db.fetchrow(queries.find_role, name)
    return None if row is None else frozenset(_shown(row)["permissions"])


async def create_role(tx: Transaction, who: Principal, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A custom role. Raises Conflict for a taken name, Invalid for an unknown permission, Forbidden for more than `who` has."""
    permissions = _checked(who, fields["permissions"])
    try:
        async with tx.db.transaction():
            row = await tx.db.fetchrow(
                queries.insert_role, name, fields["title"], permissions, fields["all_teams"], fields["second_factor"]
            )
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a role {name!r} already") from None
    assert row is not None  # noqa: S101 - inserted or raised
    _check_breadth(who, fields["all_teams"])
    await audit.write(tx, who, "role.created", "role", name, after=_shown(row))
    return _shown(row)


async def change_role(
    services: Services, tx: Transaction, who: Principal, name: str, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Change title, permissions, all_teams, second_factor; of a built-in role second_factor only. Holds for its users at once.

    Raises NotFound, Conflict for a built-in role, Invalid, Forbidden.
    """
    row = await tx.db.fetchrow(queries.lock_role, name)
    if row is None:
        raise NotFound(f"there is no role {name!r}", role=name)
    if row["builtin"] and set(changes) - {"second_factor"}:
        raise Conflict(f"{name!r} is a built-in role: of it only second_factor can be changed; make a role of your own")
    before = _shown(row)
    may_grant(who, frozenset(before["permissions"]))
    after = {**before, **changes}
    permissions = [] if row["builtin"] else _checked(who, after["permissions"])
    if not row["builtin"]:
        _check_breadth(who, after["all_teams"])
    updated = await tx.db.fetchrow(
        queries.update_role, name, after["title"], permissions, after["all_teams"] and not row["builtin"], after["second_factor"]
    )  # fmt: skip
    assert updated is not None  # noqa: S101 - it is locked
    await audit.write(tx, who, "role.changed", "role", name, before=before, after=_shown(updated))
    await sessions.forget(services, tx, await _users_of(tx, name))
    return _shown(updated)


async def delete_role(tx: Transaction, who: Principal, name: str) -> None:
    """Raises NotFound, Conflict for a built-in role or one that users have."""
    row = await tx.db.fetchrow(queries.lock_role, name)
    if row is None:
        raise NotFound(f"there is no role {name!r}", role=name)
    if row["builtin"]:
        raise Conflict(f"{name!r} is a built-in role and stays")
    if users := await _users_of(tx, name):
        raise Conflict(f"{len(users)} users have the role {name!r}: give them another first")
    await tx.db.execute(queries.delete_role, name)
    await audit.write(tx, who, "role.deleted", "role", name, before=_shown(row))


async def _users_of(tx: Transaction, name: str) -> list[UUID]:
    return [row["id"] for row in await tx.db.fetch(queries.users_of, name)]


def _checked(who: Principal, permissions: list[str]) -> list[str]:
    wanted = frozenset(permissions) - {OWN_ACCOUNT}  # every user has it
    if strange := unknown(wanted):
        errors = [{"field": "body.permissions", "message": f"unknown: {one}"} for one in strange]
        raise Invalid(f"unknown permissions: {', '.join(strange)}", errors=errors)
    may_grant(who, wanted)
    return sorted(wanted)


def _check_breadth(who: Principal, all_teams: bool) -> None:
    if all_teams and who.teams is not None:
        raise Forbidden("you see your own teams only, so you cannot make a role that sees all")


def _shown(row: Row) -> dict[str, Any]:
    known = BUILTIN.get(row["name"]) if row["builtin"] else None
    return {
        "name": row["name"],
        "title": row["title"],
        "builtin": row["builtin"],
        "permissions": sorted(known.permissions if known else {OWN_ACCOUNT, *row["permissions"]}),
        "all_teams": known.all_teams if known else row["all_teams"],
        "second_factor": row["second_factor"],
    }
