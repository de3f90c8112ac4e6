"""The door of scheduled reports."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from hub_api.analytics.reports import contents, document, schedules
from hub_api.analytics.reports.deliver import TYPES, file_name
from hub_api.analytics.reports.schedules import queries
from hub_api.analytics.reports.schemas import Begun, NewReport, Report, ReportPage, Run, RunPage
from hub_api.analytics.reports.when import period_of
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.platform.idempotency import once
from hub_api.platform.pages import page, read_cursor
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services

router = APIRouter(prefix="/api/v1/analytics/reports", tags=["analytics"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("analytics:read"))]
Writer = Annotated[Principal, Depends(require("analytics:export"))]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such report"}}
Limit = Annotated[int, Query(ge=1, le=200, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]


@router.post("", status_code=201, summary="Schedule a report")
async def post_report(services: Hub, caller: Writer, body: NewReport, idempotency_key: IdempotencyKey = None) -> Report:
    """Its first one leaves when its rhythm next says so; each recipient gets it on his own."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await schedules.create(tx, services, caller, body))}

        made = await once(tx, f"{caller.key_id}:reports", idempotency_key, body.model_dump_json().encode(), make)
    return await _shown(services, UUID(made["id"]))


@router.get("", summary="List scheduled reports")
async def get_reports(services: Hub, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> ReportPage:
    """Oldest first."""
    rows = await services.db.fetch(queries.list_schedules, *read_cursor(cursor, UUID), limit + 1)
    found = page(rows, limit, "id")
    return ReportPage(items=[Report.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/{report_id}", responses=NOT_FOUND, summary="A scheduled report")
async def get_report(services: Hub, caller: Reader, report_id: UUID) -> Report:
    """What leaves, when and to whom."""
    return await _shown(services, report_id)


@router.put("/{report_id}", responses=NOT_FOUND, summary="Change a scheduled report")
async def put_report(services: Hub, caller: Writer, report_id: UUID, body: NewReport) -> Report:
    """What was begun goes on as it was."""
    async with services.transaction() as tx:
        await schedules.change(tx, services, caller, report_id, body)
    return await _shown(services, report_id)


@router.delete("/{report_id}", status_code=204, responses=NOT_FOUND, summary="Remove a scheduled report")
async def delete_report(services: Hub, caller: Writer, report_id: UUID) -> None:
    """With the record of what it sent."""
    async with services.transaction() as tx:
        await schedules.remove(tx, caller, report_id)


@router.post("/{report_id}/runs", status_code=202, responses=NOT_FOUND, summary="Send a report now")
async def post_send(services: Hub, caller: Writer, report_id: UUID, idempotency_key: IdempotencyKey = None) -> Begun:
    """Of the days that one due now would tell, to all its recipients; its rhythm stays as it is."""
    async with services.transaction() as tx:

        async def begin() -> dict[str, Any]:
            return {"id": str(await schedules.send_now(tx, services, caller, report_id))}

        begun = await once(tx, f"{caller.key_id}:reports:{report_id}", idempotency_key, b"", begin)
    return Begun(id=UUID(begun["id"]))


@router.get("/{report_id}/runs", responses=NOT_FOUND, summary="What was sent, to whom, and what failed")
async def get_runs(services: Hub, caller: Reader, report_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> RunPage:
    """Newest first."""
    await schedules.find(services, report_id)
    rows = await services.db.fetch(queries.list_runs, report_id, *read_cursor(cursor, UUID), limit + 1)
    found = page(rows, limit, "id")
    return RunPage(items=[Run.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor)


@router.get(
    "/{report_id}/file",
    responses={**NOT_FOUND, 200: {"content": {"application/pdf": {}, "text/csv": {}}}},
    response_class=Response,
    summary="The report as it would leave now",
)
async def get_file(services: Hub, caller: Reader, report_id: UUID) -> Response:
    """Of the days that one due now would tell."""
    row = await schedules.find(services, report_id)
    first, last = period_of(row["every"], datetime.now(UTC), services.settings.zone)
    found = await contents.gather(services, row["name"], first, last)
    file = await asyncio.to_thread(document.render, found, row["format"])
    name = file_name({**dict(row), "first_day": first, "last_day": last})
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(file, media_type=TYPES[row["format"]], headers=headers)


async def _shown(services: Services, report_id: UUID) -> Report:
    return Report.model_validate(dict(await schedules.find(services, report_id)))
