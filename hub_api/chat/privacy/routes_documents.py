"""The door of documents: the access report and the register of processing as PDF, and the data a person takes along."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat.privacy import retention
from hub_api.chat.privacy.document import register_pdf, report_pdf
from hub_api.chat.privacy.inventory import register
from hub_api.chat.privacy.report import access_report, portable_data
from hub_api.chat.privacy.schemas_portable import PortableData, customer_file
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("privacy:read"))]
Writer = Annotated[Principal, Depends(require("privacy:write"))]

PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the document",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such customer"}}


@router.get("/register.pdf", responses=PDF, response_class=Response, summary="Register of processing as a document")
async def get_register_pdf(services: Hub, caller: Reader) -> Response:
    """The register with the periods of retention, in Portuguese, for whoever answers to the ANPD (LGPD art. 37)."""
    settings = services.settings
    content = await asyncio.to_thread(register_pdf, list(register()), retention.shown(settings), settings.zone)
    return _pdf(content, "register-of-processing.pdf")


@router.get(
    "/customers/{customer_id}/report.pdf",
    responses={**PDF, **NOT_FOUND},
    response_class=Response,
    summary="Access report of a person as a document",
)
async def get_report_pdf(services: Hub, caller: Writer, customer_id: UUID) -> Response:
    """The same as the JSON report, in Portuguese, for the person (LGPD art. 19). That it was taken is in the audit log."""
    settings = services.settings
    async with services.transaction() as tx:
        report = await access_report(tx, caller, customer_id)
    content = await asyncio.to_thread(report_pdf, report, retention.shown(settings), settings.zone)
    return _pdf(content, customer_file(customer_id, "pdf"))


@router.get("/customers/{customer_id}/export", responses=NOT_FOUND, summary="Data that a person takes along")
async def get_export(services: Hub, caller: Writer, customer_id: UUID, response: Response) -> PortableData:
    """A person's own data in a documented form, for another supplier (LGPD art. 18, V). That it was taken is in the audit log."""
    async with services.transaction() as tx:
        found = await portable_data(tx, caller, customer_id)
    response.headers["Content-Disposition"] = f'attachment; filename="{customer_file(customer_id, "json")}"'
    return PortableData.model_validate(found)


def _pdf(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)
