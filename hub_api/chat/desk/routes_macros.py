"""The door of macros."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from hub_api.auth.decide import require
from hub_api.auth.identify import count_sends
from hub_api.auth.principal import Principal
from hub_api.chat.desk import macros, schemas
from hub_api.chat.scope import seen
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of

router = APIRouter(prefix="/api/v1", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("conversations:read"))]
may_write = require("conversations:write")
Writer = Annotated[Principal, Depends(require("queues:write"))]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such record within the team scope"}}
REFUSED: dict[int | str, dict[str, Any]] = {**NOT_FOUND, 409: {"description": "`conflict`: the name is taken"}}


@router.get("/macros", summary="List macros")
async def get_macros(
    services: Hub,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.MacroPage:
    """Those of one's teams and everybody's."""
    found = await macros.list_macros(services, caller, limit=limit, cursor=cursor)
    return schemas.MacroPage(
        items=[schemas.Macro.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor
    )


@router.post("/macros", status_code=201, responses=REFUSED, summary="Make a macro")
async def post_macro(
    services: Hub, caller: Writer, body: schemas.NewMacro, idempotency_key: IdempotencyKey = None
) -> schemas.Macro:
    """Steps that are done together."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await macros.make_macro(tx, caller, body))}

        made = await once(tx, f"{caller.key_id}:macros", idempotency_key, body.model_dump_json().encode(), make)
    return await _shown(services, caller, UUID(made["id"]))


@router.get("/macros/{macro_id}", responses=NOT_FOUND, summary="One macro")
async def get_macro(services: Hub, caller: Reader, macro_id: UUID, response: Response) -> schemas.Macro:
    """The ETag is for changes."""
    shown = await _shown(services, caller, macro_id)
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


@router.put(
    "/macros/{macro_id}",
    responses={**REFUSED, 412: {"description": "`stale`: changed since the version in If-Match"}},
    summary="Change a macro",
)
async def put_macro(
    services: Hub,
    caller: Writer,
    macro_id: UUID,
    body: schemas.NewMacro,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.Macro:
    """All of it."""
    async with services.transaction() as tx:
        await macros.change_macro(tx, caller, macro_id, body, version=version_of(if_match))
    return await get_macro(services, caller, macro_id, response)


@router.delete("/macros/{macro_id}", status_code=204, responses=NOT_FOUND, summary="Delete a macro")
async def delete_macro(services: Hub, caller: Writer, macro_id: UUID) -> None:
    """What was done with it stays."""
    async with services.transaction() as tx:
        await macros.delete_macro(tx, caller, macro_id)


@router.post(
    "/conversations/{conversation_id}/macros/{macro_id}",
    dependencies=[Depends(may_write), Depends(seen), Depends(count_sends)],
    responses={
        **NOT_FOUND,
        409: {
            "description": "what a step meets: `window_closed`, `conversation_closed`, `conversation_state`, `conflict`"
        },
    },
    summary="Do a macro",
)
async def post_apply(
    services: Hub,
    caller: Annotated[Principal, Depends(may_write)],
    conversation_id: UUID,
    macro_id: UUID,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Applied:
    """All of its steps, or none."""
    macro = await macros.find_macro(services.db, caller, macro_id)
    async with services.transaction() as tx:

        async def act() -> dict[str, Any]:
            message_id = await macros.apply(tx, caller, conversation_id, macro)
            return {"message_id": str(message_id) if message_id else None}

        scope = f"{caller.key_id}:macro:{conversation_id}:{macro_id}"
        return schemas.Applied(**await once(tx, scope, idempotency_key, b"", act))


async def _shown(services: Services, caller: Principal, macro_id: UUID) -> schemas.Macro:
    return schemas.Macro.model_validate(dict(await macros.find_macro(services.db, caller, macro_id)))
