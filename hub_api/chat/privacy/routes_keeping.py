"""The door of what is kept and for how long: retention rules and what is due, legal holds."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat.privacy import holds, retention, schemas_keeping
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("privacy:read"))]
Writer = Annotated[Principal, Depends(require("privacy:write"))]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such record"}}
REFUSED = {**NOT_FOUND, 409: {"description": "`conflict`: the customer is erased, or the hold has ended"}}


@router.get("/retention", summary="How long what is kept")
async def get_retention(services: Hub, caller: Reader) -> schemas_keeping.Retention:
    """Each rule with its period, its law, and how many records are past their time now: they end with the next daily run."""
    due = await retention.due(services)
    return schemas_keeping.Retention.model_validate(
        {"items": [{**rule, "due": due[rule["key"]]} for rule in retention.shown(services.settings)]}
    )


@router.post("/holds", status_code=201, responses=REFUSED, summary="Place a legal hold")
async def post_hold(services: Hub, caller: Writer, body: schemas_keeping.NewHold) -> schemas_keeping.Hold:
    """From now on neither an erasure nor the end of a period takes the customer's data (or that of the one conversation)."""
    async with services.transaction() as tx:
        hold_id = await holds.place(
            tx, caller, body.customer_id, body.conversation_id, reason=body.reason, legal_basis=body.legal_basis
        )
    return schemas_keeping.Hold.model_validate(dict(await holds.find(services, hold_id)))


@router.get("/holds", summary="List legal holds")
async def get_holds(
    services: Hub,
    caller: Reader,
    in_force: Annotated[bool | None, Query(description="only these; all when left out")] = None,
    customer_id: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas_keeping.HoldPage:
    """Newest first, those that were released too."""
    page = await holds.list_holds(services, in_force=in_force, customer_id=customer_id, limit=limit, cursor=cursor)
    items = [schemas_keeping.Hold.model_validate(dict(row)) for row in page.rows]
    return schemas_keeping.HoldPage(items=items, next_cursor=page.next_cursor)


@router.post("/holds/{hold_id}/release", responses=REFUSED, summary="Release a legal hold")
async def post_release(services: Hub, caller: Writer, hold_id: UUID) -> schemas_keeping.Hold:
    """The case is over; what is past its time goes with the next daily run."""
    async with services.transaction() as tx:
        await holds.release(tx, caller, hold_id)
    return schemas_keeping.Hold.model_validate(dict(await holds.find(services, hold_id)))
