"""Templates over HTTP: write, check, preview, submit, edit, delete, sync."""

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from fastapi.responses import HTMLResponse

from hub_api.auth import audit
from hub_api.auth.keys import Principal, require
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of
from hub_api.whatsapp.templates import drafts, page, read, schemas, submit
from hub_api.whatsapp.templates.check import check
from hub_api.whatsapp.templates.preview import example_values, preview
from hub_api.whatsapp.templates.shape import read_shape
from hub_api.whatsapp.templates.sync import sync_templates

router = APIRouter(prefix="/api/v1/whatsapp", tags=["templates"])

Hub = Annotated[Services, Depends(get_services)]
READ, WRITE = Depends(require("templates:read")), Depends(require("templates:write"))
Writer = Annotated[Principal, WRITE]
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]
Given = Annotated[
    list[str],
    Query(alias="value", max_length=100, description="place=text over the examples: `nome=Ana`, `header.1=Ana`, "
          "`button.0=abc`, `media=fatura.pdf`, `card.0.nome=Ana`"),
]  # fmt: skip
REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such template or account"},
    409: {
        "description": "`template_exists` · `template_not_editable` · `nothing_to_submit` · `template_limit` (with `retry_at`) · "
        "`management_budget_spent` · `refused_by_meta` (with `meta_code`)"
    },
    422: {"description": "`invalid`: `errors` names each field that Meta would refuse"},
}


@router.get("/templates", dependencies=[READ], summary="List templates")
async def get_templates(
    services: Hub,
    account_id: UUID | None = None,
    status: Annotated[str | None, Query(max_length=40, examples=["APPROVED"])] = None,
    category: Annotated[str | None, Query(max_length=40, examples=["UTILITY"])] = None,
    name: Annotated[str | None, Query(max_length=100, description="part of the name")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.Templates:
    """Drafts, and templates as Meta listed them last, with status, quality and announced changes of category."""
    found = await read.list_templates(
        services, account_id=account_id, status=status, category=category, name=name, limit=limit, cursor=cursor
    )
    items = [schemas.Template.model_validate(dict(row)) for row in found.rows]
    return schemas.Templates(items=items, next_cursor=found.next_cursor)


@router.get("/templates/{template_id}", dependencies=[READ], responses=REFUSED, summary="A template with its versions")
async def get_template(services: Hub, template_id: UUID, response: Response) -> schemas.FullTemplate:
    """All versions with author, time and Meta's answer; changes of status, quality and category. The ETag is the version."""
    template = await read.get_template(services, template_id)
    response.headers["ETag"] = f'"{template["version"]}"'
    return schemas.FullTemplate.model_validate(template)


@router.post("/templates", status_code=201, responses=REFUSED, summary="Write a template")
async def post_template(
    services: Hub,
    caller: Writer,
    body: Annotated[schemas.NewTemplate, Body(openapi_examples=schemas.EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> schemas.Kept:
    """Keep a draft, checked against all of Meta's limits; `submit` sends it to Meta."""
    async with services.transaction() as tx:

        async def create() -> dict[str, Any]:
            saved = await drafts.create(tx, body.account_id, body.draft(), caller.name)
            after = {"name": body.name, "language": body.language, "category": body.category}
            await audit.write(tx, caller, "template.written", "template", saved.id, after=after)
            return schemas.Kept.of(saved).model_dump(mode="json")

        request = body.model_dump_json().encode()
        return schemas.Kept(**await once(tx, f"{caller.key_id}:templates", idempotency_key, request, create))


@router.post("/templates/preview", dependencies=[READ], summary="Check and show a draft that is not kept")
async def post_preview(body: schemas.Unsaved) -> schemas.Shown:
    """What Meta would refuse, what people regret, and how it would look; missing values come from the examples."""
    verdict = check(body.draft())
    values = read.read_values(body.values, example_values(list(body.components)))
    shown = preview(read_shape(body.components, body.parameter_format), values)
    return schemas.Shown(
        preview=shown.as_json(),
        faults=[schemas.Noted(**asdict(fault)) for fault in verdict.faults],
        warnings=[schemas.Noted(**asdict(fault)) for fault in verdict.warnings],
    )


@router.put(
    "/templates/{template_id}",
    responses={**REFUSED, 412: {"description": "`version_changed`: changed since the version in If-Match"}},
    summary="Edit a template",
)
async def put_template(
    services: Hub,
    caller: Writer,
    template_id: UUID,
    body: schemas.Edit,
    if_match: Annotated[str | None, Header(max_length=40, description="ETag of the version that was edited")] = None,
) -> schemas.Kept:
    """Keep a new version as a draft; the present one goes on being sent until Meta has approved the new one."""
    async with services.transaction() as tx:
        version = version_of(if_match)
        saved = await drafts.edit(tx, template_id, author=caller.name, if_version=version, **body.model_dump())
        after = {"version": saved.version}
        await audit.write(tx, caller, "template.edited", "template", template_id, after=after)
    return schemas.Kept.of(saved)


@router.post("/templates/{template_id}/submit", responses=REFUSED, summary="Submit to Meta")
async def post_submit(services: Hub, caller: Writer, template_id: UUID) -> schemas.FullTemplate:
    """Send the waiting draft to Meta's review. Repeating it submits nothing twice: the draft is gone after the first time."""
    await submit.submit(services, template_id, who=caller)
    return schemas.FullTemplate.model_validate(await read.get_template(services, template_id))


@router.post("/templates/{template_id}/unpause", status_code=204, responses=REFUSED, summary="Unpause")
async def post_unpause(services: Hub, caller: Writer, template_id: UUID) -> None:
    """End a pause that came from pacing; one for low quality ends by itself."""
    await submit.unpause(services, template_id, who=caller)


@router.delete("/templates/{template_id}", status_code=204, responses=REFUSED, summary="Delete")
async def delete_template(services: Hub, caller: Writer, template_id: UUID) -> None:
    """Delete it here and at Meta, which blocks its name for 30 days. Repeating it changes nothing more."""
    await submit.delete(services, template_id, who=caller)


@router.get(
    "/templates/{template_id}/preview",
    dependencies=[READ],
    response_model=schemas.Shown,
    responses={
        200: {"content": {"text/html": {}}, "description": "structure, text and HTML; or a page of its own"},
        404: {"description": "no such template or version"},
    },
    summary="A template as the phone shows it",
)
async def get_preview(
    services: Hub,
    template_id: UUID,
    value: Given = [],  # noqa: B006 - FastAPI copies it
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="the newest when left out")] = None,
    form: Annotated[Literal["json", "html"], Query(alias="format")] = "json",
) -> schemas.Shown | HTMLResponse:
    """Any version with its parameters filled in; `missing` in the preview names those without value and example."""
    shown = await read.show(services, template_id, version, value)
    if form == "html":
        return HTMLResponse(page.page_of("Prévia do modelo", shown.as_html(), "pt-BR"), headers=page.HEADERS)
    return schemas.Shown(preview=shown.as_json())


@router.post("/accounts/{account_id}/templates/sync", dependencies=[WRITE], responses=REFUSED, summary="Sync with Meta")
async def post_sync(services: Hub, account_id: UUID) -> schemas.Synced:
    """Read the account's templates from Meta now."""
    return schemas.Synced(templates=await sync_templates(services, account_id))
