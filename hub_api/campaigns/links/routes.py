"""Short links: the public path that people open, the page that ends our advertising, and the API that makes targets."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from hub_api.auth.decide import anyone, require
from hub_api.auth.principal import Principal
from hub_api.campaigns.languages import language_of
from hub_api.campaigns.links import pages, targets, visit
from hub_api.campaigns.links.visitors import is_program
from hub_api.chat.consent import Scope
from hub_api.platform.idempotency import once
from hub_api.platform.openapi import PROBLEM_JSON
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services

router = APIRouter(tags=["links"])

Hub = Annotated[Services, Depends(get_services)]
READ, WRITE = Depends(require("campaigns:read")), Depends(require("campaigns:write"))
Writer = Annotated[Principal, WRITE]
Code = Annotated[str, Path(max_length=100, description="16 letters and digits", examples=["4fTq0ZbW9xKc2LmA"])]
Accepted = Annotated[str | None, Header(max_length=500)]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "no such link"}}
_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {}}, "description": "a page in Portuguese, or in English for who asks for it"},
    404: {"content": {"text/html": {}, PROBLEM_JSON: _PROBLEM}, "description": "no such code, or no such path"},
    410: {"content": {"text/html": {}}, "description": "its time is over"},
    429: {"description": "`too_many_requests`: from this address"},
}
LEADS: dict[int | str, dict[str, Any]] = {
    302: {"description": "to where the link leads"},
    404: PAGE[404],
    429: PAGE[429],
}


class NewLink(BaseModel):
    """Where a short link leads; each customer gets a code of his own for it when a campaign writes to him."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120, examples=["Fibra 700: contratar"])
    url: str = Field(
        max_length=2000,
        examples=["https://www.example.com/fibra?hub={click}"],
        description="https, on a host of HUB_LINK_HOSTS; `{click}` in the query becomes the code, for the conversion API",
    )
    campaign_id: UUID | None = None
    life_days: int = Field(90, ge=1, le=365, description="codes end so many days after they were made")


class Link(BaseModel):
    """A target with what became of its codes."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    campaign_id: UUID | None
    name: str
    url: str
    life_days: int
    archived_at: datetime | None
    created_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    created_at: datetime
    people: int = Field(description="customers who have a code")
    clicked: int = Field(description="of these, who opened it")
    clicks: int = Field(description="how often people opened it; programs that look ahead are not counted")


class LinkPage(BaseModel):
    """Newest first; `next_cursor` is null on the last page."""

    items: list[Link]
    next_cursor: str | None


@router.get(
    "/l/{code}",
    dependencies=[Depends(anyone)],
    response_class=Response,
    responses=LEADS,
    summary="Open a short link",
)
async def get_link(services: Hub, request: Request, code: Code, accept_language: Accepted = None) -> Response:
    """Leads to its target and to nothing else. Sets no cookie and tells the target nothing of where one comes from."""
    target = await visit.open_link(services, code, by_program=is_program(request.method, request.headers))
    if target is None:
        return pages.show("gone", language_of(accept_language), status=404)
    return Response(status_code=302, headers={"Location": target, **pages.PRIVATE})


@router.head(
    "/l/{code}",
    dependencies=[Depends(anyone)],
    response_class=Response,
    responses=LEADS,
    summary="Look at a short link",
)
async def head_link(services: Hub, request: Request, code: Code) -> Response:
    """As programs look before a person opens it: the same answer, and nothing is counted."""
    return await get_link(services, request, code)


@router.get(
    "/o/{code}",
    dependencies=[Depends(anyone)],
    response_class=Response,
    responses=PAGE,
    summary="The page that ends promotions",
)
async def get_opt_out(services: Hub, code: Code, accept_language: Accepted = None) -> Response:
    """Asks; nothing ends by looking at it, since programs open links too."""
    language, row = language_of(accept_language), await visit.look_up(services, code, "opt_out")
    if row is None:
        return pages.show("gone", language, status=404)
    if visit.is_over(row):
        return pages.show("gone", language, status=410)
    return pages.show("ask", language, code=code)


@router.post(
    "/o/{code}",
    dependencies=[Depends(anyone)],
    response_class=Response,
    responses=PAGE,
    summary="End promotions with one click",
)
async def post_opt_out(
    services: Hub,
    code: Code,
    scope: Annotated[Scope, Query(description="marketing, utility or all")] = "marketing",
    accept_language: Accepted = None,
) -> Response:
    """Holds at once; a body (`List-Unsubscribe=One-Click` of RFC 8058) is not needed. Asking twice is the same as once."""
    language = language_of(accept_language)
    if not await visit.opt_out(services, code, scope):
        return pages.show("gone", language, status=404)
    return pages.show("done", language)


@router.get("/api/v1/links", dependencies=[READ], summary="List links")
async def get_links(
    services: Hub,
    campaign_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> LinkPage:
    """Newest first, with how many people have a code and how many opened it."""
    found = await targets.list_targets(services.db, campaign_id=campaign_id, limit=limit, cursor=cursor)
    return LinkPage(items=[Link.model_validate(dict(row)) for row in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/api/v1/links",
    status_code=201,
    responses={
        409: {"description": "`idempotency_key_reused`: the key came with another link"},
        422: {"description": "`invalid`: not https, or a host that HUB_LINK_HOSTS does not allow"},
    },
    summary="Make a link",
)
async def post_link(services: Hub, caller: Writer, body: NewLink, idempotency_key: IdempotencyKey = None) -> Link:
    """A target; it never changes, so that nobody is led elsewhere than he was told."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await targets.create(tx, caller, services.settings, **body.model_dump()))}

        request = body.model_dump_json().encode()
        made = await once(tx, f"{caller.key_id}:links", idempotency_key, request, make)
    return Link.model_validate(dict(await targets.find(services.db, UUID(made["id"]))))


@router.get("/api/v1/links/{link_id}", dependencies=[READ], responses=MISSING, summary="A link")
async def get_target(services: Hub, link_id: UUID) -> Link:
    """Its target and figures."""
    return Link.model_validate(dict(await targets.find(services.db, link_id)))


@router.delete(
    "/api/v1/links/{link_id}",
    status_code=204,
    responses={**MISSING, 409: {"description": "`conflict`: put away before"}},
    summary="Put a link away",
)
async def delete_link(services: Hub, caller: Writer, link_id: UUID) -> None:
    """Its codes lead nowhere from now on."""
    async with services.transaction() as tx:
        await targets.archive(tx, caller, link_id)
