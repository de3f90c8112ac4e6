"""The door for whoever answers for personal data: the register of processing, access reports, erasures."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat.privacy import erase, schemas
from hub_api.chat.privacy.inventory import register
from hub_api.chat.privacy.report import access_report
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("privacy:read"))]
Writer = Annotated[Principal, Depends(require("privacy:write"))]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such record"}}


@router.get("/register", summary="Register of processing")
async def get_register(caller: Reader) -> schemas.Register:
    """Which personal data the hub holds, where, why, on what legal basis and for how long (LGPD art. 37)."""
    return schemas.Register.model_validate({"items": list(register())})


@router.get("/customers/{customer_id}/report", responses=NOT_FOUND, summary="Access report of a person")
async def get_report(services: Hub, caller: Writer, customer_id: UUID) -> schemas.AccessReport:
    """All that the hub knows of a person, for the person (LGPD arts. 18 and 19, within 15 days); also for portability.

    It holds every message: give it to nobody else. That it was taken is in the audit log.
    """
    async with services.transaction() as tx:
        return schemas.AccessReport.model_validate(await access_report(tx, caller, customer_id))


@router.post(
    "/erasures",
    status_code=202,
    responses={**NOT_FOUND, 409: {"description": "the customer is erased already, or about to be"}},
    summary="Erase a person",
)
async def post_erasure(services: Hub, caller: Writer, body: schemas.ErasureRequest) -> schemas.Erasure:
    """Erase a customer from every store (LGPD art. 18, VI). It cannot be undone; what the law keeps stays encrypted.

    The answer comes before the deed: `state` and `survivors` of the erasure tell how far it is.
    """
    erasure_id = await erase.request(services, caller, body.customer_id, body.reason)
    await services.bells.ring([(REGISTRY["chat.privacy.jobs.erase_due"], ())])
    return schemas.Erasure.model_validate(dict(await erase.find_erasure(services, erasure_id)))


@router.get("/erasures", summary="List erasures")
async def get_erasures(
    services: Hub,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.ErasurePage:
    """Newest first."""
    page = await erase.list_erasures(services, limit=limit, cursor=cursor)
    items = [schemas.Erasure.model_validate(dict(row)) for row in page.rows]
    return schemas.ErasurePage(items=items, next_cursor=page.next_cursor)


@router.get("/erasures/{erasure_id}", responses=NOT_FOUND, summary="One erasure")
async def get_erasure(services: Hub, caller: Reader, erasure_id: UUID) -> schemas.Erasure:
    """With the signed receipt once it is done."""
    return schemas.Erasure.model_validate(dict(await erase.find_erasure(services, erasure_id)))
