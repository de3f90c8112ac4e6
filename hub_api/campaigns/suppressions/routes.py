"""Suppression lists over HTTP: numbers one by one or as a file, with reason and end; whom they stop."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.campaigns.suppressions import keep
from hub_api.campaigns.suppressions.load import load_list
from hub_api.chat import phone as phones
from hub_api.chat.consent import Scope
from hub_api.errors import HubError
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services

router = APIRouter(prefix="/api/v1/suppressions", tags=["suppression lists"])

Hub = Annotated[Services, Depends(get_services)]
READ, WRITE = Depends(require("campaigns:read")), Depends(require("campaigns:write"))
Writer = Annotated[Principal, WRITE]
LIST = r"^[a-z0-9][a-z0-9_-]{0,39}$"
MAX_FILE_BYTES = 200 * 1024 * 1024
MAX_LISTED = 1000
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "no such entry"}}
PUT_DOWN: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such customer"},
    409: {"description": "`idempotency_key_reused`: the key came with another number"},
}


class FileTooLarge(HubError):
    """The uploaded file is larger than we take at once."""

    status, code = 413, "file_too_large"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewEntry(_Strict):
    """A number for a list, by itself or as that of a customer."""

    list: str = Field("geral", pattern=LIST, examples=["procon"])
    phone: str | None = Field(None, max_length=40, examples=["+5511987654321"])
    customer_id: UUID | None = None
    scope: Scope = "marketing"
    reason: keep.Reason = Field(examples=["complaint"])
    until: AwareDatetime | None = Field(None, description="when it ends; left out: when it is taken from the list")

    @field_validator("phone")
    @classmethod
    def _is_a_phone(cls, text: str | None) -> str | None:
        if text is None:
            return None
        found = phones.from_text(text)
        if found is None:
            raise ValueError("must be a phone number with its area code, such as +5511987654321")
        return found


class EntryChanges(_Strict):
    """What is different from now on; what is left out stays."""

    scope: Scope | None = None
    reason: keep.Reason | None = None
    until: AwareDatetime | None = Field(None, description="null: no end", examples=["2027-06-30T00:00:00-03:00"])


class Entry(BaseModel):
    """A number on a list, which only its hash knows; `customer_id` where it is a customer's."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    list: str = Field(examples=["procon"])
    customer_id: UUID | None
    scope: Scope
    reason: str = Field(examples=["complaint"])
    until: datetime | None
    created_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    created_at: datetime
    updated_at: datetime


class EntryPage(BaseModel):
    """Newest first; `next_cursor` is null on the last page."""

    items: list[Entry]
    next_cursor: str | None


class SuppressionList(BaseModel):
    """A list with its numbers in force."""

    list: str = Field(examples=["procon"])
    entries: int
    customers: int = Field(description="entries whose number is a customer's")
    updated_at: datetime


class SuppressionLists(BaseModel):
    """All lists that have a number in force."""

    items: list[SuppressionList]


class RowFault(BaseModel):
    """Why a line was not taken; the number itself is not repeated."""

    position: int
    field: str | None
    message: str


class LoadReport(BaseModel):
    """What became of the lines: `rejected` of them are listed with their reasons, at most 1,000."""

    received: int
    written: int
    unchanged: int
    rejected: int
    errors: list[RowFault]


@router.get("", dependencies=[READ], summary="Entries of suppression lists")
async def get_entries(
    services: Hub,
    name: Annotated[str | None, Query(alias="list", pattern=LIST)] = None,
    customer_id: UUID | None = None,
    ended: Annotated[bool, Query(description="those that are over too")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> EntryPage:
    """Newest first. Numbers are kept as hashes and cannot be shown."""
    found = await keep.list_entries(
        services.db, name=name, customer_id=customer_id, ended=ended, limit=limit, cursor=cursor
    )
    return EntryPage(items=[Entry.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/lists", dependencies=[READ], summary="Suppression lists")
async def get_lists(services: Hub) -> SuppressionLists:
    """Every list with how many numbers it stops."""
    rows = await services.db.fetch(keep.queries.lists)
    return SuppressionLists(items=[SuppressionList.model_validate(dict(row)) for row in rows])


@router.post("", status_code=201, responses=PUT_DOWN, summary="Put a number on a list")
async def post_entry(services: Hub, caller: Writer, body: NewEntry, idempotency_key: IdempotencyKey = None) -> Entry:
    """Holds at once: what is queued for the number's customer is not sent. A number that is there gets the new reason and end."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            secret_key = services.settings.secret_key.get_secret_value()
            return {"id": str(await keep.put(tx, caller, secret_key, keep.Entry(**body.model_dump())))}

        made = await once(tx, f"{caller.key_id}:suppressions", idempotency_key, body.model_dump_json().encode(), make)
    return Entry.model_validate(dict(await keep.find(services.db, UUID(made["id"]))))


@router.post("/import", summary="Load a list from a file")
async def post_file(
    services: Hub,
    caller: Writer,
    file: Annotated[UploadFile, File(description="CSV")],
    name: Annotated[str, Form(alias="list", pattern=LIST)] = "geral",
) -> LoadReport:
    """CSV with `telefone` and, where there are, `motivo`, `escopo`, `ate`; `;` or `,`. Good lines count though others are refused."""
    if (file.size or 0) > MAX_FILE_BYTES:
        raise FileTooLarge(f"the file has more than {MAX_FILE_BYTES // 2**20} MB: send it in parts")
    report = await load_list(services, caller, name, file.file)
    faults = [
        RowFault(position=one.position, field=one.field, message=one.message) for one in report.faults[:MAX_LISTED]
    ]
    return LoadReport(
        received=report.received, written=report.written, unchanged=report.unchanged, rejected=len(report.faults),
        errors=faults,
    )  # fmt: skip


@router.get("/{entry_id}", dependencies=[READ], responses=MISSING, summary="An entry of a list")
async def get_entry(services: Hub, entry_id: UUID) -> Entry:
    """One number's entry."""
    return Entry.model_validate(dict(await keep.find(services.db, entry_id)))


@router.patch("/{entry_id}", responses=MISSING, summary="Change an entry")
async def patch_entry(services: Hub, caller: Writer, entry_id: UUID, body: EntryChanges) -> Entry:
    """Another scope, reason or end; holds at once."""
    async with services.transaction() as tx:
        changes = body.model_dump(exclude_unset=True)
        told = {name: value for name, value in changes.items() if value is not None or name == "until"}
        await keep.change(tx, caller, entry_id, told)
    return Entry.model_validate(dict(await keep.find(services.db, entry_id)))


@router.delete("/{entry_id}", status_code=204, responses=MISSING, summary="Take a number from its list")
async def delete_entry(services: Hub, caller: Writer, entry_id: UUID) -> None:
    """What no other list stops, and the person did not refuse, may be sent again."""
    async with services.transaction() as tx:
        await keep.remove(tx, caller, entry_id)
