"""The door of presence: an agent says what he is and that he is there; a supervisor sees who is and sets what each can take."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from hub_api.auth import audit
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat.agents import schemas
from hub_api.chat.agents.heartbeat import open_heartbeats
from hub_api.chat.agents.presence import Presence, set_presence
from hub_api.chat.agents.profile import find_agent, list_agents, list_colleagues, set_profile, user_of
from hub_api.platform.services import Services
from hub_api.platform.web import get_services, version_of

router = APIRouter(prefix="/api/v1/agents", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Self = Annotated[Principal, Depends(require("presence:use"))]
Reader = Annotated[Principal, Depends(require("agents:read"))]
Writer = Annotated[Principal, Depends(require("agents:write"))]
NOBODY: dict[int | str, dict[str, Any]] = {409: {"description": "`not_present`: the key acts for no user"}}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such agent within the team scope"}}


@router.get("", summary="Who serves customers")
async def get_agents(
    services: Hub,
    caller: Reader,
    presence: Annotated[Presence | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.AgentPage:
    """With presence and load; who does not see all teams sees his own."""
    found = await list_agents(services, caller, presence=presence, limit=limit, cursor=cursor)
    return schemas.AgentPage(
        items=[schemas.Agent.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


@router.get("/me", responses=NOBODY, summary="One's own presence and load")
async def get_me(services: Hub, caller: Self) -> schemas.Agent:
    """As supervisors see one."""
    return await _shown(services, caller, user_of(caller))


@router.put("/me/presence", responses=NOBODY, summary="Be online, away, on a break or offline")
async def put_presence(services: Hub, caller: Self, body: schemas.PresenceChange) -> schemas.Agent:
    """Online one gets conversations while there are free slots. Offline gives back what one has not answered yet."""
    user_id = user_of(caller)
    async with services.transaction() as tx:
        await set_presence(tx, user_id, body.presence, body.reason)
        after = {"presence": body.presence, "reason": body.reason}
        await audit.write(tx, caller, "agent.presence_changed", "agent", user_id, after=after)
    return await _shown(services, caller, user_id)


@router.post("/me/heartbeat", responses=NOBODY, summary="Say that one is there")
async def post_heartbeat(services: Hub, caller: Self) -> schemas.Beat:
    """Every ten seconds, for programs without a socket; without it one is offline within 30 s."""
    (await services.shared(open_heartbeats)).beat(user_of(caller))
    return schemas.Beat()


@router.get("/colleagues", dependencies=[Depends(require("conversations:read"))], summary="Colleagues by name")
async def get_colleagues(
    services: Hub,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 200,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.ColleaguePage:
    """Whom a note may name and a conversation may be given to: of all teams, and no more than name and presence."""
    found = await list_colleagues(services, limit=limit, cursor=cursor)
    return schemas.ColleaguePage(
        items=[schemas.Colleague.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


@router.get("/{user_id}", responses=NOT_FOUND, summary="One agent")
async def get_agent(services: Hub, caller: Reader, user_id: UUID, response: Response) -> schemas.Agent:
    """The ETag is for changes."""
    shown = await _shown(services, caller, user_id)
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


@router.put(
    "/{user_id}",
    responses={**NOT_FOUND, 412: {"description": "`stale`: changed since the version in If-Match"}},
    summary="Set what an agent can take",
)
async def put_agent(
    services: Hub,
    caller: Writer,
    user_id: UUID,
    body: schemas.AgentProfile,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.Agent:
    """Capacity, skills and languages count from the next conversation on."""
    async with services.transaction() as tx:
        await set_profile(tx, caller, user_id, body.model_dump(), version=version_of(if_match))
    return await get_agent(services, caller, user_id, response)


@router.put("/{user_id}/presence", responses=NOT_FOUND, summary="Take an agent off, or send him away")
async def put_presence_of(
    services: Hub, caller: Writer, user_id: UUID, body: schemas.ForcedPresence, response: Response
) -> schemas.Agent:
    """For who went without a word. Nobody is made online by others: that is for who is there to say."""
    async with services.transaction() as tx:
        before = await find_agent(tx.db, caller, user_id)
        await set_presence(tx, user_id, body.presence, body.reason)
        was = {"presence": before["presence"], "reason": before["presence_reason"]}
        after = {"presence": body.presence, "reason": body.reason}
        await audit.write(tx, caller, "agent.presence_forced", "agent", user_id, before=was, after=after)
    return await get_agent(services, caller, user_id, response)


async def _shown(services: Services, caller: Principal, user_id: UUID) -> schemas.Agent:
    return schemas.Agent.model_validate(dict(await find_agent(services.db, caller, user_id)))
