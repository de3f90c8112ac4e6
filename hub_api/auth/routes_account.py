"""One's own account: profile, password, second factor, sessions. Each route wants `account:use`, which every user has."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from hub_api.auth import audit, schemas, second_factor, sessions, signin, users
from hub_api.auth.decide import require
from hub_api.auth.guard import Guard
from hub_api.auth.passwords import open_passwords
from hub_api.auth.permissions import OWN_ACCOUNT
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/auth", tags=["own account"])

Hub = Annotated[Services, Depends(get_services)]
Caller = Annotated[Principal, Depends(require(OWN_ACCOUNT))]

CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"description": "`conflict`: the account's state does not allow it, or the caller is an API key and has none"}
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {**CONFLICT, 404: {"description": "no such session of yours"}}


@router.get("/me", summary="Who am I")
async def get_me(caller: Caller) -> schemas.Me:
    """The caller with his permissions and teams."""
    return schemas.Me(
        kind=caller.kind,
        id=caller.id,
        name=caller.name,
        permissions=sorted(caller.permissions),
        teams=None if caller.teams is None else sorted(caller.teams),
        second_factor_required=caller.missing_second_factor,
    )


@router.post("/password", status_code=204, responses=CONFLICT, summary="Change the password")
async def post_own_password(services: Hub, caller: Caller, body: schemas.ChangePassword) -> None:
    """All other sessions end."""
    user = await signin.check_password(services, _person(caller), body.current.get_secret_value())
    passwords = await services.shared(open_passwords)
    new = body.new.get_secret_value()
    await passwords.check_strength(new, [user["email"], user["name"]])
    hashed = await passwords.hash(new)
    async with services.transaction() as tx:
        await users.store_password(services, tx, caller, user["id"], hashed, reason="own_wish", keep=caller.session_id)


@router.post("/totp", responses=CONFLICT, summary="Set up the second factor")
async def post_totp(services: Hub, caller: Caller) -> schemas.PendingFactor:
    """A secret for the authenticator app, also as QR code. In force once a code is confirmed; asking again renews it."""
    user_id = _person(caller)
    async with services.transaction() as tx:
        pending = await second_factor.begin(services, tx, user_id)
    return schemas.PendingFactor(secret=pending.secret, uri=pending.uri, qr_svg=pending.qr_svg)


@router.post("/totp/confirm", responses=CONFLICT, summary="Confirm the second factor")
async def post_totp_confirm(services: Hub, caller: Caller, body: schemas.CodeOnly) -> schemas.RecoveryCodes:
    """With the first code of the app. The answer has ten recovery codes, shown this once."""
    guard = Guard(services, "code", str(_person(caller)))
    await guard.allow()
    async with services.transaction() as tx:
        codes = await second_factor.confirm(services, tx, caller, body.code)
    return schemas.RecoveryCodes(codes=codes)


@router.post("/totp/recovery-codes", responses=CONFLICT, summary="New recovery codes")
async def post_recovery_codes(services: Hub, caller: Caller, body: schemas.PasswordAgain) -> schemas.RecoveryCodes:
    """Ten new ones; the earlier ones end."""
    user = await signin.check_password(services, _person(caller), body.password.get_secret_value())
    if user["second_factor_at"] is None:
        raise Conflict("there is no second factor to recover: set it up first")
    async with services.transaction() as tx:
        codes = await second_factor.renew_recovery_codes(services, tx, user["id"])
        await audit.write(tx, caller, "second_factor.recovery_renewed", "user", user["id"])
    return schemas.RecoveryCodes(codes=codes)


@router.post("/totp/remove", status_code=204, responses=CONFLICT, summary="Remove the second factor")
async def post_totp_remove(services: Hub, caller: Caller, body: schemas.PasswordAgain) -> None:
    """With the password. If the role wants one, nothing else is open until another is set up."""
    user = await signin.check_password(services, _person(caller), body.password.get_secret_value())
    async with services.transaction() as tx:
        await second_factor.remove(services, tx, caller, user["id"])


@router.get("/sessions", responses=CONFLICT, summary="Own sessions")
async def get_own_sessions(services: Hub, caller: Caller) -> schemas.Sessions:
    """Where one is signed in; `current` is this one."""
    return await shown_sessions(services, _person(caller), caller.session_id)


@router.delete("/sessions", status_code=204, responses=CONFLICT, summary="End all other sessions")
async def delete_other_sessions(services: Hub, caller: Caller) -> None:
    """Everywhere but here."""
    async with services.transaction() as tx:
        await sessions.revoke_all(
            services, tx, _person(caller), "ended_by_user", actor=caller.actor, keep=caller.session_id
        )


@router.delete("/sessions/{session_id}", status_code=204, responses=NOT_FOUND, summary="End one session")
async def delete_own_session(services: Hub, caller: Caller, session_id: UUID) -> None:
    """A session of one's own."""
    await end_session(services, caller, _person(caller), session_id, "ended_by_user")


async def shown_sessions(services: Services, user_id: UUID, current: UUID | None = None) -> schemas.Sessions:
    """The sessions of a user as the API shows them."""
    rows = await services.db.fetch(sessions.queries.list_sessions, user_id)
    return schemas.Sessions(
        items=[schemas.Session.model_validate({**row, "current": row["id"] == current}) for row in rows]
    )


async def end_session(services: Services, caller: Principal, user_id: UUID, session_id: UUID, reason: str) -> None:
    """End a session of this user. Raises NotFound for anybody else's."""
    async with services.transaction() as tx:
        rows = await tx.db.fetch(sessions.queries.list_sessions, user_id)
        if session_id not in {row["id"] for row in rows}:
            raise NotFound(f"there is no session {session_id}", session_id=str(session_id))
        await sessions.revoke(services, tx, [session_id], reason, actor=caller.actor)


def _person(caller: Principal) -> UUID:
    if caller.kind != "user":
        raise Conflict("an API key has no account: sign in as a user")
    return caller.id
