"""The door of queues."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat.hours import hours_of
from hub_api.chat.queues import keep, schemas
from hub_api.platform.idempotency import once
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of

router = APIRouter(prefix="/api/v1/queues", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("queues:read"))]
Writer = Annotated[Principal, Depends(require("queues:write"))]
QueueKey = Annotated[str, Path(max_length=100, examples=["suporte"])]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such queue within the team scope"}}
REFUSED: dict[int | str, dict[str, Any]] = {**NOT_FOUND, 409: {"description": "`conflict`: see the detail"}}


@router.get("", summary="List queues")
async def get_queues(
    services: Hub,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.QueuePage:
    """With their rules and how each line stands; who does not see all teams sees his own and everybody's."""
    found = await keep.list_queues(services, caller, limit=limit, cursor=cursor)
    return schemas.QueuePage(items=[_queue(services, caller, row) for row in found.rows], next_cursor=found.next_cursor)


@router.post("", status_code=201, responses=REFUSED, summary="Make a queue")
async def post_queue(
    services: Hub, caller: Writer, body: schemas.NewQueue, idempotency_key: IdempotencyKey = None
) -> schemas.Queue:
    """Served by a team, or by everybody who is online."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"key": await keep.make_queue(services, tx, caller, body)}

        made = await once(tx, f"{caller.key_id}:queues", idempotency_key, body.model_dump_json().encode(), make)
    return _queue(services, caller, await keep.find_queue(services.db, caller, made["key"]))


@router.get("/{key}", responses=NOT_FOUND, summary="One queue")
async def get_queue(services: Hub, caller: Reader, key: QueueKey, response: Response) -> schemas.Queue:
    """The ETag is for changes."""
    row = await keep.find_queue(services.db, caller, key)
    response.headers["ETag"] = f'"{row["version"]}"'
    return _queue(services, caller, row)


@router.put(
    "/{key}",
    responses={**REFUSED, 412: {"description": "`stale`: changed since the version in If-Match"}},
    summary="Change a queue's rules",
)
async def put_queue(
    services: Hub,
    caller: Writer,
    key: QueueKey,
    body: schemas.QueueRules,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.Queue:
    """All of them at once; they hold at once, for who waits too."""
    async with services.transaction() as tx:
        await keep.change_queue(services, tx, caller, key, body, version=version_of(if_match))
    return await get_queue(services, caller, key, response)


@router.delete("/{key}", status_code=204, responses=REFUSED, summary="Delete a queue")
async def delete_queue(services: Hub, caller: Writer, key: QueueKey) -> None:
    """One that was never used; any other is made inactive."""
    async with services.transaction() as tx:
        await keep.delete_queue(tx, caller, key)


def _queue(services: Services, caller: Principal, row: Row) -> schemas.Queue:
    hours = hours_of(services.settings, row["business_hours"], holidays_closed=row["holidays_closed"])
    # An address may hold a secret: it is shown to who could set it.
    hook_url = row["hook_url"] if caller.may("queues:write") else None
    return schemas.Queue.model_validate(
        {**dict(row), "hook_url": hook_url, "is_open": hours.is_open(datetime.now(UTC))}
    )
