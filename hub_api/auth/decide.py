"""The one place that decides who may do what: `require` on every route, `visible` for objects of teams."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from hub_api.auth.identify import principal
from hub_api.auth.permissions import ALL, PERMISSIONS
from hub_api.auth.principal import Principal
from hub_api.errors import Forbidden

Caller = Annotated[Principal, Depends(principal)]


class SecondFactorMissing(Forbidden):
    """The role wants a second factor and this user has none yet."""

    code = "second_factor_required"


def require(permission: str) -> Callable[[Principal], Awaitable[Principal]]:
    """FastAPI dependency: the caller, if he has `permission`. Raises Forbidden naming the permission that is missing."""

    async def check(caller: Caller) -> Principal:
        demand(caller, permission)
        return caller

    check.permission = permission  # type: ignore[attr-defined]  # what the walk over all routes reads
    return check


def demand(caller: Principal, permission: str) -> None:
    """Raises Forbidden when the caller has not the permission."""
    if caller.may(permission):
        return
    if caller.missing_second_factor:
        raise SecondFactorMissing("your role wants a second factor: set it up under /api/v1/auth/totp")
    what = "this API key has no scope" if caller.kind == "key" else "your role has no permission"
    raise Forbidden(f"{what} {permission!r}", permission=permission)


async def anyone() -> None:
    """FastAPI dependency that says: this route is open on purpose (signing in, health)."""


anyone.permission = "public"  # type: ignore[attr-defined]


def may_grant(caller: Principal, permissions: frozenset[str]) -> None:
    """Raises Forbidden when the caller would give away more than he has: nobody raises himself by another account."""
    if beyond := {one for one in permissions if not caller.may(one)}:
        raise Forbidden(f"you cannot give what you have not: {', '.join(sorted(beyond))}", permissions=sorted(beyond))


def acts_as(caller: Principal, claimed: UUID | None) -> UUID | None:
    """The user in whose name something is done: a program may say whose, a person does it in his own. Raises Forbidden."""
    if caller.kind == "user" and claimed not in (None, caller.id):
        raise Forbidden("you act in your own name: leave the agent's id out")
    return claimed or caller.user_id


def unknown(permissions: frozenset[str]) -> list[str]:
    """Those that the catalogue does not know."""
    return sorted(permissions - PERMISSIONS.keys() - {ALL})
