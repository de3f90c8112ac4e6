"""The door of promises of service (SLA)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import views
from hub_api.chat.sla import policies, schemas, watch
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of

router = APIRouter(prefix="/api/v1", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("queues:read"))]
Writer = Annotated[Principal, Depends(require("queues:write"))]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such record within the team scope"}}
STALE: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    412: {"description": "`stale`: changed since the version in If-Match"},
}


@router.get("/sla/policies", summary="List promises of service")
async def get_policies(
    services: Hub,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.PolicyPage:
    """Oldest first."""
    found = await policies.list_policies(services, caller, limit=limit, cursor=cursor)
    return schemas.PolicyPage(
        items=[schemas.Policy.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


@router.post("/sla/policies", status_code=201, responses=NOT_FOUND, summary="Make a promise of service")
async def post_policy(
    services: Hub, caller: Writer, body: schemas.NewPolicy, idempotency_key: IdempotencyKey = None
) -> schemas.Policy:
    """It counts for open conversations too, from their own beginning."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await policies.make_policy(tx, caller, body))}

        made = await once(tx, f"{caller.key_id}:sla", idempotency_key, body.model_dump_json().encode(), make)
    return await _shown(services, caller, UUID(made["id"]))


@router.get("/sla/policies/{policy_id}", responses=NOT_FOUND, summary="One promise of service")
async def get_policy(services: Hub, caller: Reader, policy_id: UUID, response: Response) -> schemas.Policy:
    """The ETag is for changes."""
    shown = await _shown(services, caller, policy_id)
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


@router.put("/sla/policies/{policy_id}", responses=STALE, summary="Change a promise of service")
async def put_policy(
    services: Hub,
    caller: Writer,
    policy_id: UUID,
    body: schemas.NewPolicy,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.Policy:
    """Clocks that run go by it from now on, with what they have spent."""
    async with services.transaction() as tx:
        await policies.change_policy(tx, caller, policy_id, body, version=version_of(if_match))
    return await get_policy(services, caller, policy_id, response)


@router.delete(
    "/sla/policies/{policy_id}",
    status_code=204,
    responses={**NOT_FOUND, 409: {"description": "`conflict`: clocks ran by it"}},
    summary="Delete a promise of service",
)
async def delete_policy(services: Hub, caller: Writer, policy_id: UUID) -> None:
    """One that was never used; any other is made inactive."""
    async with services.transaction() as tx:
        await policies.delete_policy(tx, caller, policy_id)


@router.get("/conversations/{conversation_id}/sla", responses=NOT_FOUND, summary="A conversation's promises")
async def get_clocks(
    services: Hub, caller: Annotated[Principal, Depends(require("conversations:read"))], conversation_id: UUID
) -> schemas.Clocks:
    """Their clocks: what is due when, what was broken."""
    await views.find_conversation(services, caller, str(conversation_id))
    rows = await services.db.fetch(watch.queries.clocks_of, conversation_id)
    return schemas.Clocks(items=[schemas.Clock.model_validate(dict(row)) for row in rows])


async def _shown(services: Services, caller: Principal, policy_id: UUID) -> schemas.Policy:
    return schemas.Policy.model_validate(dict(await policies.find_policy(services.db, caller, policy_id)))
