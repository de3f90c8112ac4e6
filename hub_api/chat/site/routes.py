"""The door of sites: which pages may embed the chat, and how."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat.site import keep, schemas
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of

router = APIRouter(prefix="/api/v1/sites", tags=["chat"])

Hub = Annotated[Services, Depends(get_services)]
Writer = Annotated[Principal, Depends(require("settings:write"))]
may_read = [Depends(require("settings:read"))]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such site, or no such queue"}}


@router.get("", dependencies=may_read, summary="List sites")
async def get_sites(
    services: Hub,
    limit: Annotated[int, Query(ge=1, le=500, description="rows of one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.SitePage:
    """Which websites embed the chat, oldest first."""
    found = await keep.list_sites(services, limit=limit, cursor=cursor)
    items = [schemas.Site.model_validate(dict(row)) for row in found.rows]
    return schemas.SitePage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=201, responses=NOT_FOUND, summary="Let a website embed the chat")
async def post_site(
    services: Hub, caller: Writer, body: schemas.SiteRules, idempotency_key: IdempotencyKey = None
) -> schemas.Site:
    """Its pages name the key: `<script src="https://hub/widget.js" data-key="…" async></script>`."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await keep.make_site(tx, caller, body))}

        made = await once(tx, f"{caller.key_id}:sites", idempotency_key, body.model_dump_json().encode(), make)
    return schemas.Site.model_validate(dict(await keep.find_site(services.db, UUID(made["id"]))))


@router.get("/{site_id}", dependencies=may_read, responses=NOT_FOUND, summary="One site")
async def get_site(services: Hub, site_id: UUID, response: Response) -> schemas.Site:
    """The ETag is for changes."""
    row = await keep.find_site(services.db, site_id)
    response.headers["ETag"] = f'"{row["version"]}"'
    return schemas.Site.model_validate(dict(row))


@router.put(
    "/{site_id}",
    responses={**NOT_FOUND, 412: {"description": "`stale`: changed since the version in If-Match"}},
    summary="Change a site",
)
async def put_site(
    services: Hub,
    caller: Writer,
    site_id: UUID,
    body: schemas.SiteRules,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.Site:
    """All of it at once. One that is not active answers nobody; its conversations stay."""
    async with services.transaction() as tx:
        await keep.change_site(tx, caller, site_id, body, version=version_of(if_match))
    return await get_site(services, site_id, response)


@router.post("/{site_id}/identity-secret", status_code=201, responses=NOT_FOUND, summary="Make a site's signing secret")
async def post_secret(services: Hub, caller: Writer, site_id: UUID) -> schemas.IdentitySecret:
    """The website's server signs its users' ids with it (HMAC-SHA-256, hexadecimal); shown once, and it ends the one before."""
    async with services.transaction() as tx:
        return schemas.IdentitySecret(secret=await keep.new_secret(services, tx, caller, site_id))
