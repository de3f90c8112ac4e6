"""The door of benefits and costs, from which the return on investment is made, and of exchange rates."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from hub_api.analytics.returns import keep
from hub_api.analytics.returns.schemas import Entry, EntryPage, NewEntry, NewRate, Rate, RatePage
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.platform.idempotency import once
from hub_api.platform.pages import page, read_cursor
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("analytics:read"))]
Writer = Annotated[Principal, Depends(require("settings:write"))]
Currency = Annotated[str, Path(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["USD"])]
ValidFrom = Annotated[date, Path(description="first day on which it holds", examples=["2026-01-01"])]
Limit = Annotated[int, Query(ge=1, le=200, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]
NO_ENTRY: dict[int | str, dict[str, Any]] = {404: {"description": "no such benefit or cost"}}
NO_RATE: dict[int | str, dict[str, Any]] = {404: {"description": "no rate of this currency from this day on"}}


@router.post("/benefits-and-costs", status_code=201, summary="Add a benefit or cost")
async def post_entry(services: Hub, caller: Writer, body: NewEntry, idempotency_key: IdempotencyKey = None) -> Entry:
    """It counts in the return on investment of the dashboard Executivo within some minutes.

    What messages cost is measured, and is not to be entered again.
    """
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await keep.create(tx, caller, body))}

        request = body.model_dump_json().encode()
        made = await once(tx, f"{caller.key_id}:benefits-and-costs", idempotency_key, request, make)
    return await _shown(services, UUID(made["id"]))


@router.get("/benefits-and-costs", summary="List benefits and costs")
async def get_entries(services: Hub, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> EntryPage:
    """Oldest first."""
    rows = await services.db.fetch(keep.queries.list_entries, *read_cursor(cursor, UUID), limit + 1)
    found = page(rows, limit, "id")
    return EntryPage(items=[Entry.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/benefits-and-costs/{entry_id}", responses=NO_ENTRY, summary="A benefit or cost")
async def get_entry(services: Hub, caller: Reader, entry_id: UUID) -> Entry:
    """As it is kept."""
    return await _shown(services, entry_id)


@router.put("/benefits-and-costs/{entry_id}", responses=NO_ENTRY, summary="Change a benefit or cost")
async def put_entry(services: Hub, caller: Writer, entry_id: UUID, body: NewEntry) -> Entry:
    """The months of the past change too: for another amount from a day on, end this one and add another."""
    async with services.transaction() as tx:
        await keep.change(tx, caller, entry_id, body)
    return await _shown(services, entry_id)


@router.delete(
    "/benefits-and-costs/{entry_id}", status_code=204, responses=NO_ENTRY, summary="Remove a benefit or cost"
)
async def delete_entry(services: Hub, caller: Writer, entry_id: UUID) -> None:
    """It counts in no month any more."""
    async with services.transaction() as tx:
        await keep.remove(tx, caller, entry_id)


@router.get("/exchange-rates", summary="List exchange rates")
async def get_rates(services: Hub, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> RatePage:
    """By currency, oldest first."""
    last = read_cursor(cursor, str, date.fromisoformat)
    rows = await services.db.fetch(keep.queries.list_rates, *last, limit + 1)
    found = page(rows, limit, "currency", "valid_from")
    return RatePage(items=[Rate.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor)


@router.put("/exchange-rates/{currency}/{valid_from}", summary="Store an exchange rate")
async def put_rate(services: Hub, caller: Writer, currency: Currency, valid_from: ValidFrom, body: NewRate) -> Rate:
    """What a unit of a currency is worth in BRL from a day on: measured savings in it count only with one."""
    async with services.transaction() as tx:
        row = await keep.set_rate(tx, caller, currency, valid_from, body)
    return Rate.model_validate(dict(row or {}))


@router.delete(
    "/exchange-rates/{currency}/{valid_from}", status_code=204, responses=NO_RATE, summary="Remove an exchange rate"
)
async def delete_rate(services: Hub, caller: Writer, currency: Currency, valid_from: ValidFrom) -> None:
    """The rate before it holds on."""
    async with services.transaction() as tx:
        await keep.remove_rate(tx, caller, currency, valid_from)


async def _shown(services: Services, entry_id: UUID) -> Entry:
    return Entry.model_validate(dict(await keep.find(services, entry_id)))
