"""Roles, teams and API keys: who may do what, to whose objects, and the programs that may."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from hub_api.auth import api_keys, audit, roles, schemas, teams
from hub_api.auth.decide import may_grant, require, unknown
from hub_api.auth.permissions import PERMISSIONS
from hub_api.auth.principal import Principal
from hub_api.errors import Forbidden, Invalid
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1", tags=["access"])

Hub = Annotated[Services, Depends(get_services)]
RoleWriter = Annotated[Principal, Depends(require("roles:write"))]
TeamReader = Annotated[Principal, Depends(require("teams:read"))]
TeamWriter = Annotated[Principal, Depends(require("teams:write"))]
KeyWriter = Annotated[Principal, Depends(require("keys:write"))]
RoleName = Annotated[str, Path(max_length=40, examples=["qualidade"])]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such record within the team scope"}}
REFUSED: dict[int | str, dict[str, Any]] = {**NOT_FOUND, 409: {"description": "`conflict`: see the detail"}}


@router.get("/roles", dependencies=[Depends(require("roles:read"))], summary="List roles")
async def get_roles(services: Hub) -> schemas.Roles:
    """Built-in ones first; and what each permission means."""
    found = await roles.list_roles(services.db)
    return schemas.Roles(items=[schemas.Role(**one) for one in found], permissions=dict(PERMISSIONS))


@router.post("/roles", status_code=201, responses=REFUSED, summary="Make a role")
async def post_role(services: Hub, caller: RoleWriter, body: schemas.NewRole) -> schemas.Role:
    """A set of permissions of your own; none that you have not."""
    async with services.transaction() as tx:
        return schemas.Role(**await roles.create_role(tx, caller, body.name, body.model_dump(exclude={"name"})))


@router.patch("/roles/{name}", responses=REFUSED, summary="Change a role")
async def patch_role(services: Hub, caller: RoleWriter, name: RoleName, body: schemas.RoleChange) -> schemas.Role:
    """Holds at once for its users. Of a built-in role only `second_factor` can be changed."""
    changes = body.model_dump(exclude_none=True)
    async with services.transaction() as tx:
        return schemas.Role(**await roles.change_role(services, tx, caller, name, changes))


@router.delete("/roles/{name}", status_code=204, responses=REFUSED, summary="Delete a role")
async def delete_role(services: Hub, caller: RoleWriter, name: RoleName) -> None:
    """One that nobody has."""
    async with services.transaction() as tx:
        await roles.delete_role(tx, caller, name)


@router.get("/teams", summary="List teams")
async def get_teams(services: Hub, caller: TeamReader) -> schemas.Teams:
    """With members and queues; who does not see all teams sees his own."""
    rows = await teams.list_teams(services.db, caller)
    return schemas.Teams(items=[schemas.Team.model_validate(dict(row)) for row in rows])


@router.post("/teams", status_code=201, responses=REFUSED, summary="Make a team")
async def post_team(services: Hub, caller: TeamWriter, body: schemas.NewTeam) -> schemas.Team:
    """Without members and queues yet."""
    _sees_all(caller)
    async with services.transaction() as tx:
        team_id = await teams.create_team(tx, caller, body.name)
    return await _team(services, caller, team_id)


@router.patch("/teams/{team_id}", responses=REFUSED, summary="Rename a team")
async def patch_team(services: Hub, caller: TeamWriter, team_id: UUID, body: schemas.NewTeam) -> schemas.Team:
    """Its name."""
    async with services.transaction() as tx:
        await teams.rename_team(tx, caller, team_id, body.name)
    return await _team(services, caller, team_id)


@router.delete("/teams/{team_id}", status_code=204, responses=REFUSED, summary="Delete a team")
async def delete_team(services: Hub, caller: TeamWriter, team_id: UUID) -> None:
    """One that serves no queue."""
    async with services.transaction() as tx:
        await teams.delete_team(services, tx, caller, team_id)


@router.put("/teams/{team_id}/members/{user_id}", status_code=204, responses=NOT_FOUND, summary="Add a member")
async def put_member(services: Hub, caller: TeamWriter, team_id: UUID, user_id: UUID) -> None:
    """He sees the team's conversations at once."""
    async with services.transaction() as tx:
        await teams.set_member(services, tx, caller, team_id, user_id, belongs=True)


@router.delete("/teams/{team_id}/members/{user_id}", status_code=204, responses=NOT_FOUND, summary="Remove a member")
async def delete_member(services: Hub, caller: TeamWriter, team_id: UUID, user_id: UUID) -> None:
    """He sees the team's conversations no more, at once."""
    async with services.transaction() as tx:
        await teams.set_member(services, tx, caller, team_id, user_id, belongs=False)


@router.put("/queues/{key}/team", status_code=204, responses=NOT_FOUND, summary="Give a queue to a team")
async def put_queue_team(
    services: Hub, caller: TeamWriter, key: Annotated[str, Path(max_length=100)], body: schemas.QueueTeam
) -> None:
    """Its conversations are the team's from now on; null: everybody's."""
    async with services.transaction() as tx:
        await teams.set_queue(tx, caller, key, body.team_id)


@router.get("/keys", dependencies=[Depends(require("keys:read"))], summary="List API keys")
async def get_keys(
    services: Hub,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.KeyPage:
    """Newest first, also revoked ones; when they were last used, to the minute."""
    found = await api_keys.list_keys(services.db, limit=limit, cursor=cursor)
    return schemas.KeyPage(
        items=[schemas.Key.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


@router.post("/keys", status_code=201, summary="Make an API key")
async def post_key(services: Hub, caller: KeyWriter, body: schemas.NewKey) -> schemas.MadeKey:
    """For a program; it sees all teams. The answer shows it, this once."""
    _sees_all(caller)
    scopes = frozenset(body.scopes)
    if strange := unknown(scopes):
        raise Invalid(f"unknown scopes: {', '.join(strange)}")
    may_grant(caller, scopes)
    if body.expires_at is not None and (body.expires_at.tzinfo is None or body.expires_at <= datetime.now(UTC)):
        raise Invalid("expires_at must lie ahead, with its time zone")
    async with services.transaction() as tx:
        made = await api_keys.make_key(
            tx.db, body.name, sorted(scopes), expires_at=body.expires_at, created_by=caller.user_id
        )
        after = {"name": body.name, "scopes": sorted(scopes), "expires_at": str(body.expires_at)}
        await audit.write(tx, caller, "key.created", "key", made.id, after=after)
    return schemas.MadeKey(id=made.id, key=made.key)


@router.delete("/keys/{key_id}", status_code=204, responses=NOT_FOUND, summary="Revoke an API key")
async def delete_key(services: Hub, caller: KeyWriter, key_id: UUID) -> None:
    """It and the tokens made with it are of no use from now on."""
    async with services.transaction() as tx:
        row = await api_keys.revoke_key(services, tx, key_id)
        may_grant(caller, frozenset(row["scopes"]))
        await audit.write(tx, caller, "key.revoked", "key", key_id, detail={"name": row["name"]})


async def _team(services: Services, caller: Principal, team_id: UUID) -> schemas.Team:
    return schemas.Team.model_validate(dict(await teams.find_team(services.db, caller, team_id)))


def _sees_all(caller: Principal) -> None:
    if caller.teams is not None:
        raise Forbidden("you see your own teams only: what sees all teams is made by who sees them")
