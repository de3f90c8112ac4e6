"""The door of the operator's business data: batches, CSV files, occurrences, and lists to look at."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, File, Query, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import masking
from hub_api.chat.business import examples
from hub_api.chat.business.csv_import import import_csv
from hub_api.chat.business.occurrences import OccurrenceType, record
from hub_api.chat.business.tables import KindName, kinds
from hub_api.chat.business.upsert import MAX_BATCH, Report, note_load, queries, upsert
from hub_api.errors import HubError
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/business", tags=["business data"])

MAX_FILE_BYTES = 200 * 1024 * 1024
MAX_LISTED = 1000

Hub = Annotated[Services, Depends(get_services)]
Loader = Annotated[Principal, Depends(require("business:write"))]


class FileTooLarge(HubError):
    """The uploaded file is larger than we take at once."""

    status, code = 413, "file_too_large"


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Batch(Strict):
    """Rows of one kind, each the whole record by its column names."""

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_BATCH)


class Occurrence(Strict):
    """Something that happened in the operator's systems; `data` has the columns of the kind it changes."""

    type: OccurrenceType
    data: dict[str, Any]


class Occurrences(Strict):
    """In the order in which they happened."""

    events: list[Occurrence] = Field(min_length=1, max_length=MAX_BATCH)


class RowFault(BaseModel):
    """Why a row was not taken; `position` counts rows of a batch from 0, and is the line number in a file."""

    position: int
    external_id: str | None
    field: str | None
    message: str


class LoadReport(BaseModel):
    """What became of the rows: `rejected` of them are listed with their reasons, at most 1,000 of them."""

    received: int
    written: int
    unchanged: int
    rejected: int
    errors: list[RowFault]


class Page(BaseModel):
    """Rows in the order of `external_id`; `next_cursor` is null on the last page."""

    items: list[dict[str, Any]]
    next_cursor: str | None


@router.post("/events")
async def post_occurrences(
    services: Hub, caller: Loader, body: Annotated[Occurrences, Body(openapi_examples=examples.OCCURRENCES)]
) -> LoadReport:
    """Record what happened: invoice_issued, payment_received, outage_started/ended, ticket_opened/closed.

    What `data` leaves out stays as it is stored, so that `outage_ended` needs its id and `ended_at` only. Sending the
    same occurrence again changes nothing.
    """
    async with services.transaction() as tx:
        happened = [(one.type, one.data) for one in body.events]
        report = await record(tx, kinds(services.settings), happened)
        await note_load(tx, caller, "events", report)
        return _shown(report)


@router.post("/{kind}")
async def post_batch(
    kind: KindName, services: Hub, caller: Loader, body: Annotated[Batch, Body(openapi_examples=examples.BATCHES)]
) -> LoadReport:
    """Insert or replace up to 1,000 rows by their `external_id`. Good rows are written even if others are rejected."""
    async with services.transaction() as tx:
        report = await upsert(tx, kinds(services.settings)[kind], list(enumerate(body.rows)))
        await note_load(tx, caller, kind, report)
        return _shown(report)


@router.post("/{kind}/import")
async def post_file(
    kind: KindName, services: Hub, caller: Loader, file: Annotated[UploadFile, File(description="CSV")]
) -> LoadReport:
    """Load a CSV file: separated by `;` or `,`, Portuguese or English column names, "129,90" and "31/12/2026" welcome."""
    if (file.size or 0) > MAX_FILE_BYTES:
        raise FileTooLarge(f"the file has more than {MAX_FILE_BYTES // 2**20} MB: send it in parts")
    return _shown(await import_csv(services, caller, kinds(services.settings)[kind], file.file))


@router.get("/{kind}")
async def list_rows(
    kind: KindName,
    services: Hub,
    caller: Annotated[Principal, Depends(require("business:read"))],
    of: Annotated[str | None, Query(max_length=100, description=examples.OF)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> Page:
    """Rows of one kind. CPFs are not kept, so they are not shown; without `personal_data:read` phones by their last digits."""
    rows = await services.db.fetch(getattr(queries, f"list_{kind}"), cursor, of, limit + 1)
    items = masking.rows_for(caller, rows[:limit], phones=["phone"])
    return Page(items=items, next_cursor=items[-1]["external_id"] if len(rows) > limit else None)


def _shown(report: Report) -> LoadReport:
    errors = [
        RowFault(position=one.position, external_id=one.external_id, field=one.field, message=one.message)
        for one in report.faults[:MAX_LISTED]
    ]
    counts: Mapping[str, int] = {"received": report.received, "written": report.written, "unchanged": report.unchanged}
    return LoadReport(**counts, rejected=len(report.faults), errors=errors)
