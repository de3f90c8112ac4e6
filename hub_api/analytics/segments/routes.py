"""Segments over HTTP: make, change, preview, freeze; members and history."""

import base64
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from hub_api.analytics.segments import freeze, keep, membership, schemas
from hub_api.analytics.segments import preview as previews
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import masking, views
from hub_api.chat.viewed import note_view
from hub_api.platform.idempotency import once
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of

router = APIRouter(prefix="/api/v1/segments", tags=["segments"])

Hub = Annotated[Services, Depends(get_services)]
READ, WRITE = Depends(require("campaigns:read")), Depends(require("campaigns:write"))
Reader = Annotated[Principal, READ]
Writer = Annotated[Principal, WRITE]
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]
IfMatch = Annotated[str | None, Header(max_length=40, description="ETag of the version that was changed")]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "no such segment or snapshot"}}
REFUSED: dict[int | str, dict[str, Any]] = {
    **MISSING,
    409: {
        "description": "`segment_name_taken` · `segment_in_use` · `conflict`: it was put away, or there are too many"
    },
    412: {"description": "`stale`: changed since the version in If-Match"},
    422: {"description": "`invalid`: `errors` names each fault of the definition by its path"},
}
ASKED: dict[int | str, dict[str, Any]] = {
    **MISSING,
    409: {"description": "`customers_not_built`: the tables were never built · `conflict`: the segment was put away"},
    422: {"description": "`invalid`: `errors` names each fault by its path · `too_expensive`"},
    503: {"description": "`unavailable`: the warehouse does not answer"},
}


@router.get("", dependencies=[READ], summary="List segments")
async def get_segments(
    services: Hub,
    name: Annotated[str | None, Query(max_length=120, description="part of the name")] = None,
    archived: Annotated[bool, Query(description="those put away too")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.SegmentPage:
    """Newest first, each with its newest definition."""
    found = await keep.list_segments(services, name=name, archived=archived, limit=limit, cursor=cursor)
    items = [schemas.Segment.model_validate(dict(row)) for row in found.rows]
    return schemas.SegmentPage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=201, responses=REFUSED, summary="Make a segment")
async def post_segment(
    services: Hub, caller: Writer, body: schemas.NewSegment, idempotency_key: IdempotencyKey = None
) -> schemas.Segment:
    """Version 1 of a segment by rules; its members are computed with the tables of customers."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await keep.create(tx, caller, body.name, body.description, body.definition))}

        request = body.model_dump_json().encode()
        made = await once(tx, f"{caller.key_id}:segments", idempotency_key, request, make)
    return schemas.Segment.model_validate(dict(await keep.find(services.db, UUID(made["id"]))))


@router.post("/preview", responses=ASKED, summary="Preview a definition")
async def post_preview(services: Hub, caller: Reader, body: schemas.Asked) -> schemas.Preview:
    """Count, sample, query, cost and overlap of a definition that is not kept; it ends after five seconds."""
    found = await previews.preview(services, keep.read_definition(body.definition), body.segment_id)
    sample = None
    if caller.may("customers:read"):
        known = await views.seen_customers(services, caller, [row["id"] for row in found.sample])
        people = [dict(row) for row in found.sample if row["id"] in known]
        sample = [schemas.Somebody.model_validate(masking.customer_for(caller, row)) for row in people]
        await note_view(services, caller, "customer", [row["id"] for row in people], "segment preview")
    return schemas.Preview(
        as_of=found.data.as_of,
        members=found.members,
        customers=found.customers,
        sample=sample,
        overlap=[schemas.Shared(segment_id=one, customers=shared) for one, shared in found.overlap],
        sql=found.sql,
        parameters=found.parameters,
        columns=list(found.columns),
        cost=schemas.Cost(
            estimated_rows=found.estimated_rows,
            read_rows=found.read_rows,
            read_bytes=found.read_bytes,
            seconds=found.seconds,
        ),
    )


@router.get("/snapshots/{snapshot_id}", dependencies=[READ], responses=MISSING, summary="A frozen list")
async def get_snapshot(services: Hub, snapshot_id: UUID) -> schemas.Snapshot:
    """Count, hash, definition and build of the data; `members` of it are listed apart."""
    return schemas.Snapshot.model_validate(dict(await freeze.find_snapshot(services, snapshot_id)))


@router.get("/snapshots/{snapshot_id}/members", responses=MISSING, summary="Members of a frozen list")
async def get_snapshot_members(
    services: Hub, caller: Reader, snapshot_id: UUID, limit: Limit = 100, cursor: Cursor = None
) -> schemas.MemberPage:
    """Customers by id; who was erased since is not among them."""
    found = await freeze.list_members(services, snapshot_id, limit=limit, cursor=cursor)
    items = [schemas.Member.model_validate(one) for one in await _with_names(services, caller, found.rows)]
    return schemas.MemberPage(items=items, next_cursor=found.next_cursor)


@router.get("/{segment_id}", responses=MISSING, dependencies=[READ], summary="A segment")
async def get_segment(services: Hub, segment_id: UUID, response: Response) -> schemas.Segment:
    """With its newest definition; the ETag is its version."""
    row = await keep.find(services.db, segment_id)
    response.headers["ETag"] = f'"{row["version"]}"'
    return schemas.Segment.model_validate(dict(row))


@router.put("/{segment_id}", responses=REFUSED, summary="Change a segment")
async def put_segment(
    services: Hub, caller: Writer, segment_id: UUID, body: schemas.Changes, if_match: IfMatch = None
) -> schemas.Segment:
    """Another definition is a new version; frozen lists stay as they are."""
    async with services.transaction() as tx:
        await keep.change(tx, caller, segment_id, body.model_dump(exclude_none=True), version_of(if_match))
    return schemas.Segment.model_validate(dict(await keep.find(services.db, segment_id)))


@router.delete("/{segment_id}", status_code=204, responses=REFUSED, summary="Put a segment away")
async def delete_segment(services: Hub, caller: Writer, segment_id: UUID) -> None:
    """It is computed no longer; its versions, history and frozen lists stay."""
    async with services.transaction() as tx:
        await keep.archive(tx, caller, segment_id)


@router.get("/{segment_id}/versions", dependencies=[READ], responses=MISSING, summary="Versions of a segment")
async def get_versions(
    services: Hub, segment_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> schemas.VersionPage:
    """Newest first: who asked what, when."""
    found = await keep.list_versions(services, segment_id, limit=limit, cursor=cursor)
    items = [schemas.Version.model_validate(dict(row)) for row in found.rows]
    return schemas.VersionPage(items=items, next_cursor=found.next_cursor)


@router.post("/{segment_id}/snapshots", status_code=201, responses=ASKED, summary="Freeze a segment")
async def post_snapshot(
    services: Hub, caller: Writer, segment_id: UUID, idempotency_key: IdempotencyKey = None
) -> schemas.Snapshot:
    """Store who is in it now, for sending. The same Idempotency-Key answers with the same frozen list, and makes it anew where it
    failed."""
    async with services.transaction() as tx:

        async def name() -> dict[str, Any]:
            return {"id": str(uuid7()), "new": True}

        scope = f"{caller.key_id}:segments/{segment_id}/snapshots"
        named = await once(tx, scope, idempotency_key, b"", name)
    snapshot_id = UUID(named["id"])
    known = await services.db.fetchrow(keep.queries.find_snapshot, snapshot_id)
    if known is None or known["state"] == "failed":
        known = await freeze.freeze(services, caller, segment_id, snapshot_id)
    return schemas.Snapshot.model_validate(dict(known))


@router.get("/{segment_id}/snapshots", dependencies=[READ], responses=MISSING, summary="Frozen lists of a segment")
async def get_snapshots(
    services: Hub, segment_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> schemas.SnapshotPage:
    """Newest first."""
    found = await freeze.list_snapshots(services, segment_id, limit=limit, cursor=cursor)
    items = [schemas.Snapshot.model_validate(dict(row)) for row in found.rows]
    return schemas.SnapshotPage(items=items, next_cursor=found.next_cursor)


@router.get("/{segment_id}/members", responses=ASKED, summary="Members by the last run")
async def get_members(
    services: Hub, caller: Reader, segment_id: UUID, limit: Limit = 100, cursor: Cursor = None
) -> schemas.CurrentPage:
    """Customers by id, with the day they entered."""
    found = await membership.members(services, segment_id, limit=limit, cursor=cursor)
    next_cursor = base64.urlsafe_b64encode(found.next_key.encode()).decode() if found.next_key else None
    items = [schemas.Current.model_validate(one) for one in await _with_names(services, caller, found.items)]
    return schemas.CurrentPage(items=items, next_cursor=next_cursor)


@router.get("/{segment_id}/history", dependencies=[READ], responses=ASKED, summary="Who came and went")
async def get_history(
    services: Hub,
    segment_id: UUID,
    before: Annotated[date | None, Query(description="days before this one; the newest when left out")] = None,
) -> schemas.ChangeList:
    """How many customers entered and left a day, and why."""
    items = await membership.history(services, segment_id, before=before)
    return schemas.ChangeList(items=[schemas.Change.model_validate(one) for one in items])


async def _with_names(
    services: Services, caller: Principal, rows: Iterable[Row | Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Members by name as far as the caller may know them, which the log notes."""
    members = await membership.with_names(services, caller, rows)
    if caller.may("customers:read"):
        await note_view(services, caller, "customer", [one["customer_id"] for one in members], "segment members")
    return members
