"""The door of audiences that come as a file."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, Field

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.campaigns.lists import upload
from hub_api.errors import Invalid
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services

router = APIRouter(prefix="/api/v1/campaign-audiences", tags=["campaigns"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("campaigns:read"))]
Writer = Annotated[Principal, Depends(require("campaigns:write"))]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "no such file"}}
MOST_CHARACTERS = 60_000_000
_EXAMPLE = "phone,valor\n+5511987654321,R$ 89\n"


class NewUpload(BaseModel, extra="forbid"):
    """A CSV file (comma or semicolon, UTF-8) whose first line names the columns: `phone` or `customer_id`, and others."""

    name: str = Field(min_length=1, max_length=120, examples=["clientes-da-loja.csv"])
    csv: str = Field(min_length=1, max_length=MOST_CHARACTERS, examples=[_EXAMPLE])


class Upload(BaseModel):
    """The file as it was understood; `columns` are sources `csv.<column>` of variables."""

    id: UUID
    name: str
    columns: list[str]
    rows: int
    accepted: int = Field(description="rows that name a customer, each customer once")
    created_by: str
    created_at: datetime


class RowProblem(BaseModel):
    """A row that nobody gets a message for."""

    line: int
    problem: str = Field(
        examples=["unknown_customer"], description="unknown_customer, not_a_phone, not_an_id, duplicate, wrong_columns"
    )


class ProblemPage(BaseModel):
    """By line; `next_cursor` is null on the last page."""

    items: list[RowProblem]
    next_cursor: str | None


@router.post("", status_code=201, summary="Upload an audience")
async def post_upload(
    services: Hub, caller: Writer, body: Annotated[NewUpload, Body()], idempotency_key: IdempotencyKey = None
) -> Upload:
    """Each row is looked up; the answer counts, and `problems` lists each row that names nobody."""
    if "\x00" in body.csv:
        raise Invalid("the file is no text", errors=[{"field": "body.csv", "message": "it has NUL characters"}])
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await upload.take_in(tx, caller, body.name, body.csv))}

        request = body.model_dump_json().encode()
        made = await once(tx, f"{caller.key_id}:campaign-audiences", idempotency_key, request, make)
    return Upload.model_validate(dict(await upload.find(services, UUID(made["id"]))))


@router.get(
    "/{upload_id}", dependencies=[Depends(require("campaigns:read"))], responses=MISSING, summary="An uploaded audience"
)
async def get_upload(services: Hub, upload_id: UUID) -> Upload:
    """Columns and counts."""
    return Upload.model_validate(dict(await upload.find(services, upload_id)))


@router.get("/{upload_id}/problems", responses=MISSING, summary="Rows that name nobody")
async def get_problems(
    services: Hub,
    caller: Reader,
    upload_id: UUID,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> ProblemPage:
    """The per-row report, without what stood in the rows."""
    found = await upload.problems(services, upload_id, limit=limit, cursor=cursor)
    return ProblemPage(
        items=[RowProblem.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )
