"""The door of alerts on key figures."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from hub_api.analytics.alerts import watch
from hub_api.analytics.alerts.schemas import Alert, AlertPage, NewAlert
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.platform.idempotency import once
from hub_api.platform.pages import page, read_cursor
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services

router = APIRouter(prefix="/api/v1/analytics/alerts", tags=["analytics"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("analytics:read"))]
Writer = Annotated[Principal, Depends(require("analytics:export"))]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such alert"}}


@router.post("", status_code=201, summary="Watch a key figure")
async def post_alert(services: Hub, caller: Writer, body: NewAlert, idempotency_key: IdempotencyKey = None) -> Alert:
    """It is looked at every five minutes; who is named gets a mail when it goes wrong, and one when it is right again."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await watch.create(tx, caller, body))}

        made = await once(tx, f"{caller.key_id}:alerts", idempotency_key, body.model_dump_json().encode(), make)
    return await _shown(services, UUID(made["id"]))


@router.get("", summary="List alerts and what they found")
async def get_alerts(
    services: Hub,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200, description="rows of one page")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> AlertPage:
    """Oldest first."""
    rows = await services.db.fetch(watch.queries.list_alerts, *read_cursor(cursor, UUID), limit + 1)
    found = page(rows, limit, "id")
    return AlertPage(items=[Alert.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{alert_id}", responses=NOT_FOUND, summary="An alert and what it found")
async def get_alert(services: Hub, caller: Reader, alert_id: UUID) -> Alert:
    """As it last looked."""
    return await _shown(services, alert_id)


@router.put("/{alert_id}", responses=NOT_FOUND, summary="Change an alert")
async def put_alert(services: Hub, caller: Writer, alert_id: UUID, body: NewAlert) -> Alert:
    """It is quiet until it looks again."""
    async with services.transaction() as tx:
        await watch.change(tx, caller, alert_id, body)
    return await _shown(services, alert_id)


@router.delete("/{alert_id}", status_code=204, responses=NOT_FOUND, summary="Watch no more")
async def delete_alert(services: Hub, caller: Writer, alert_id: UUID) -> None:
    """The alert goes, with what it found."""
    async with services.transaction() as tx:
        await watch.remove(tx, caller, alert_id)


async def _shown(services: Services, alert_id: UUID) -> Alert:
    return Alert.model_validate(dict(await watch.find(services, alert_id)))
