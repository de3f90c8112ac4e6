"""The door of canned replies."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import masking, views
from hub_api.chat.desk import canned, schemas
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of

router = APIRouter(prefix="/api/v1/canned-replies", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("conversations:read"))]
Writer = Annotated[Principal, Depends(require("queues:write"))]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such record within the team scope"}}
REFUSED: dict[int | str, dict[str, Any]] = {**NOT_FOUND, 409: {"description": "`conflict`: the shortcut is taken"}}


@router.get("", summary="List canned replies")
async def get_all(
    services: Hub,
    caller: Reader,
    shortcut: Annotated[str, Query(max_length=40, description="its beginning", examples=["boas"])] = "",
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.CannedPage:
    """Those of one's teams and everybody's."""
    found = await canned.list_canned(services, caller, shortcut, limit=limit, cursor=cursor)
    return schemas.CannedPage(
        items=[schemas.Canned.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


@router.post("", status_code=201, responses=REFUSED, summary="Make a canned reply")
async def post_one(
    services: Hub, caller: Writer, body: schemas.NewCanned, idempotency_key: IdempotencyKey = None
) -> schemas.Canned:
    """A text under a shortcut."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await canned.make_canned(tx, caller, body))}

        made = await once(tx, f"{caller.key_id}:canned", idempotency_key, body.model_dump_json().encode(), make)
    return await _shown(services, caller, UUID(made["id"]))


@router.get("/{reply_id}", responses=NOT_FOUND, summary="One canned reply")
async def get_one(services: Hub, caller: Reader, reply_id: UUID, response: Response) -> schemas.Canned:
    """The ETag is for changes."""
    shown = await _shown(services, caller, reply_id)
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


@router.get("/{reply_id}/text", responses=NOT_FOUND, summary="A canned reply for a conversation")
async def get_text(services: Hub, caller: Reader, reply_id: UUID, conversation_id: UUID) -> schemas.Rendered:
    """With its variables filled; what is not known is left out."""
    reply = await canned.find_canned(services.db, caller, reply_id)
    await views.find_conversation(services, caller, str(conversation_id))
    text = await canned.filled(services.db, caller, reply["text"], conversation_id)
    return schemas.Rendered.model_validate(masking.words_for(caller, {"text": text}, "text"))


@router.put(
    "/{reply_id}",
    responses={**REFUSED, 412: {"description": "`stale`: changed since the version in If-Match"}},
    summary="Change a canned reply",
)
async def put_one(
    services: Hub,
    caller: Writer,
    reply_id: UUID,
    body: schemas.NewCanned,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.Canned:
    """All of it."""
    async with services.transaction() as tx:
        await canned.change_canned(tx, caller, reply_id, body, version=version_of(if_match))
    return await get_one(services, caller, reply_id, response)


@router.delete("/{reply_id}", status_code=204, responses=NOT_FOUND, summary="Delete a canned reply")
async def delete_one(services: Hub, caller: Writer, reply_id: UUID) -> None:
    """What was sent with it stays."""
    async with services.transaction() as tx:
        await canned.delete_canned(tx, caller, reply_id)


async def _shown(services: Services, caller: Principal, reply_id: UUID) -> schemas.Canned:
    return schemas.Canned.model_validate(dict(await canned.find_canned(services.db, caller, reply_id)))
