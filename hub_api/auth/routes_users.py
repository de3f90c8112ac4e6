"""Users and their sessions, for who may change them; and the audit log."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import AwareDatetime

from hub_api.auth import audit, schemas, second_factor, sessions, users
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.auth.routes_account import end_session, shown_sessions
from hub_api.errors import Invalid
from hub_api.platform.pages import page, read_cursor
from hub_api.platform.services import Services
from hub_api.platform.web import get_services, version_of

router = APIRouter(prefix="/api/v1", tags=["users"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("users:read"))]
Writer = Annotated[Principal, Depends(require("users:write"))]
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such user within the team scope"}}
REFUSED: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    409: {"description": "`conflict`: a taken address, or the last administrator"},
    412: {"description": "`stale`: changed since the version in If-Match"},
}


@router.get("/users", summary="List users")
async def get_users(
    services: Hub,
    caller: Reader,
    active: Annotated[bool | None, Query()] = None,
    role: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.UserPage:
    """Newest first; who does not see all teams sees the people of his own."""
    found = await users.list_users(services.db, caller, active=active, role=role, limit=limit, cursor=cursor)
    return schemas.UserPage(
        items=[schemas.User.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


@router.post("/users", status_code=201, responses=REFUSED, summary="Invite a user")
async def post_user(services: Hub, caller: Writer, body: schemas.NewUser) -> schemas.User:
    """The invitation goes by e-mail; until its link is used the user has no password."""
    async with services.transaction() as tx:
        user_id = await users.create_user(tx, caller, **body.model_dump(exclude={"invite"}))
        if body.invite:
            await users.invite(services, tx, caller, user_id)
    return await _shown(services, caller, user_id)


@router.get("/users/{user_id}", responses=NOT_FOUND, summary="One user")
async def get_user(services: Hub, caller: Reader, user_id: UUID, response: Response) -> schemas.User:
    """With his teams; the ETag is for If-Match of a change."""
    user = await _shown(services, caller, user_id)
    response.headers["ETag"] = f'"{user.version}"'
    return user


@router.patch("/users/{user_id}", responses=REFUSED, summary="Change a user")
async def patch_user(
    services: Hub,
    caller: Writer,
    user_id: UUID,
    body: schemas.UserChange,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.User:
    """A changed role holds at once in his sessions; `active: false` ends them."""
    await users.find_user(services.db, caller, user_id)
    changes = body.model_dump(exclude_unset=True)
    if empty := sorted({name for name, value in changes.items() if value is None} - {"phone"}):
        raise Invalid(f"cannot be null: {', '.join(empty)}")
    async with services.transaction() as tx:
        await users.change_user(services, tx, caller, user_id, changes, version_of(if_match))
    return await _shown(services, caller, user_id)


@router.post("/users/{user_id}/invite", status_code=202, responses=REFUSED, summary="Invite again")
async def post_invite(services: Hub, caller: Writer, user_id: UUID) -> None:
    """Another link by e-mail; the earlier one ends."""
    await users.find_user(services.db, caller, user_id)
    async with services.transaction() as tx:
        await users.invite(services, tx, caller, user_id)


@router.post("/users/{user_id}/second-factor/reset", status_code=204, responses=NOT_FOUND, summary="Reset 2FA")
async def post_reset(services: Hub, caller: Writer, user_id: UUID) -> None:
    """For who has lost device and recovery codes; his sessions end."""
    user = await users.find_user(services.db, caller, user_id)
    async with services.transaction() as tx:
        await users.check_role(tx, caller, user["role"])
        await second_factor.remove(services, tx, caller, user_id)
        await sessions.revoke_all(services, tx, user_id, "second_factor_reset", actor=caller.actor)


@router.get("/users/{user_id}/sessions", responses=NOT_FOUND, summary="A user's sessions")
async def get_sessions(services: Hub, caller: Reader, user_id: UUID) -> schemas.Sessions:
    """Where he is signed in."""
    await users.find_user(services.db, caller, user_id)
    return await shown_sessions(services, user_id)


@router.delete("/users/{user_id}/sessions", status_code=204, responses=NOT_FOUND, summary="End a user's sessions")
async def delete_sessions(services: Hub, caller: Writer, user_id: UUID) -> None:
    """All of them, at once."""
    await users.find_user(services.db, caller, user_id)
    async with services.transaction() as tx:
        await sessions.revoke_all(services, tx, user_id, "ended_by_admin", actor=caller.actor)


@router.delete(
    "/users/{user_id}/sessions/{session_id}", status_code=204, responses=NOT_FOUND, summary="End one of his sessions"
)
async def delete_session(services: Hub, caller: Writer, user_id: UUID, session_id: UUID) -> None:
    """One of them, at once."""
    await users.find_user(services.db, caller, user_id)
    await end_session(services, caller, user_id, session_id, "ended_by_admin")


@router.get("/audit", dependencies=[Depends(require("audit:read"))], tags=["audit"], summary="The audit log")
async def get_audit(
    services: Hub,
    actor: Annotated[str | None, Query(max_length=60, examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])] = None,
    action: Annotated[str | None, Query(max_length=60, examples=["signin.failed"])] = None,
    object_type: Annotated[str | None, Query(max_length=60)] = None,
    object_id: Annotated[str | None, Query(max_length=100)] = None,
    trace_id: Annotated[str | None, Query(max_length=80, description="id of the request it was done in")] = None,
    address: Annotated[str | None, Query(max_length=45, examples=["203.0.113.7"])] = None,
    since: Annotated[AwareDatetime | None, Query(description="from this time on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="before this time")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.AuditPage:
    """Who did what to which object, newest first."""
    before, last = read_cursor(cursor, datetime.fromisoformat, UUID)
    what = (actor, action, object_type, object_id)
    where = (trace_id, address, since, until)
    rows = await services.db.fetch(audit.queries.list_rows, *what, before, last, limit + 1, *where)
    found = page(rows, limit, "created_at", "id")
    return schemas.AuditPage(
        items=[schemas.AuditRow.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


async def _shown(services: Services, caller: Principal, user_id: UUID) -> schemas.User:
    return schemas.User.model_validate(dict(await users.find_user(services.db, caller, user_id)))
