"""The door of campaigns: make, change, check, review, start, pause, resume, cancel; runs and decisions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.campaigns.languages import language_of
from hub_api.campaigns.plans import check as checks
from hub_api.campaigns.plans import keep, schemas, states
from hub_api.campaigns.ports import Channel
from hub_api.campaigns.sending import tick
from hub_api.chat import views
from hub_api.chat.viewed import note_view
from hub_api.errors import Conflict
from hub_api.platform.idempotency import once
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.platform.web import IdempotencyKey, get_services, version_of


def channel(request: Request) -> Channel:
    """FastAPI dependency: the channel this process was composed with."""
    return request.app.state.campaign_channel  # type: ignore[no-any-return]


router = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])

Hub = Annotated[Services, Depends(get_services)]
Meta = Annotated[Channel, Depends(channel)]
Reader = Annotated[Principal, Depends(require("campaigns:read"))]
Writer = Annotated[Principal, Depends(require("campaigns:write"))]
Approver = Annotated[Principal, Depends(require("campaigns:approve"))]
Limit = Annotated[int, Query(ge=1, le=200, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]
Spoken = Annotated[str | None, Header(max_length=500)]
IfMatch = Annotated[str | None, Header(max_length=40, description="ETag of the version that was looked at")]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "no such campaign among those you see"}}
REFUSED: dict[int | str, dict[str, Any]] = {
    **MISSING,
    409: {
        "description": "`campaign_state`: not where this step begins · `needs_second_person` · `campaign_under_way` · `campaign_blocked`"
    },
    412: {"description": "`stale`: changed since the version in If-Match"},
}


class Blocked(Conflict):
    """Something is in the way: `problems` names each."""

    code = "campaign_blocked"


@router.post("", status_code=201, summary="Plan a campaign")
async def post_campaign(
    services: Hub, caller: Writer, body: schemas.NewCampaign, response: Response, idempotency_key: IdempotencyKey = None
) -> schemas.Campaign:
    """A draft; nothing is sent before somebody else approved it and it was started."""
    async with services.transaction() as tx:

        async def make() -> dict[str, Any]:
            return {"id": str(await keep.create(tx, caller, body))}

        request = body.model_dump_json().encode()
        made = await once(tx, f"{caller.key_id}:campaigns", idempotency_key, request, make)
    return await _shown(services, caller, UUID(made["id"]), response)


@router.get("", summary="List campaigns")
async def get_campaigns(
    services: Hub,
    caller: Reader,
    state: Annotated[schemas.State | None, Query(description="only those in this state")] = None,
    name: Annotated[str | None, Query(max_length=120, description="part of the name")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.CampaignPage:
    """Newest first: those of your teams, of no team, and your own."""
    found = await keep.list_campaigns(services, caller, state=state, name=name, limit=limit, cursor=cursor)
    items = [schemas.Campaign.model_validate(row) for row in await keep.with_standing(services, found.rows)]
    return schemas.CampaignPage(items=items, next_cursor=found.next_cursor)


@router.get("/{campaign_id}", responses=MISSING, summary="A campaign")
async def get_campaign(services: Hub, caller: Reader, campaign_id: UUID, response: Response) -> schemas.Campaign:
    """What was asked and where it stands; the ETag is its version."""
    return await _shown(services, caller, campaign_id, response)


@router.put("/{campaign_id}", responses=REFUSED, summary="Change a campaign")
async def put_campaign(
    services: Hub,
    caller: Writer,
    campaign_id: UUID,
    body: schemas.CampaignChanges,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.Campaign:
    """Replace all of it before it has begun: it is a draft again, and an approval is void."""
    async with services.transaction() as tx:
        await keep.change(tx, caller, campaign_id, body, version_of(if_match))
    return await _shown(services, caller, campaign_id, response)


@router.post("/{campaign_id}/check", responses=MISSING, summary="What would happen if it began now")
async def post_check(
    services: Hub,
    caller: Reader,
    meta: Meta,
    campaign_id: UUID,
    accept_language: Spoken = None,
) -> schemas.Checked:
    """Whom it would reach and whom not and why, cost, quota, end, sample size, previews, and what is in the way."""
    campaign = await keep.find(services.db, caller, campaign_id)
    checked = await checks.check(services, meta, campaign, language_of(accept_language))
    if not caller.may("customers:read"):
        return checked.model_copy(update={"samples": None})
    seen = await views.seen_customers(services, caller, checks.shown_customers(checked))
    await note_view(services, caller, "customer", sorted(seen), "campaign preview")
    return checked.model_copy(update={"samples": [one for one in checked.samples or () if one.customer_id in seen]})


@router.post("/{campaign_id}/submit", responses=REFUSED, summary="Hand in for review")
async def post_submit(
    services: Hub,
    caller: Writer,
    meta: Meta,
    campaign_id: UUID,
    response: Response,
    if_match: IfMatch = None,
    accept_language: Spoken = None,
) -> schemas.Campaign:
    """Refused while something is in the way, which `POST check` tells."""
    await _require_free(services, meta, caller, campaign_id, accept_language)
    return await _step(services, caller, campaign_id, "submit", response, if_match)


@router.post("/{campaign_id}/approve", responses=REFUSED, summary="Approve")
async def post_approve(
    services: Hub, caller: Approver, campaign_id: UUID, response: Response, if_match: IfMatch = None
) -> schemas.Campaign:
    """By somebody who neither made it, nor changed it last, nor handed it in."""
    return await _step(services, caller, campaign_id, "approve", response, if_match)


@router.post("/{campaign_id}/reject", responses=REFUSED, summary="Send back")
async def post_reject(
    services: Hub,
    caller: Approver,
    campaign_id: UUID,
    body: schemas.Reason,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.Campaign:
    """Back to draft, with the reason in the audit log."""
    return await _step(services, caller, campaign_id, "reject", response, if_match, body.reason)


@router.post("/{campaign_id}/start", responses=REFUSED, summary="Start, now or at its time")
async def post_start(
    services: Hub,
    caller: Approver,
    meta: Meta,
    campaign_id: UUID,
    response: Response,
    if_match: IfMatch = None,
    accept_language: Spoken = None,
) -> schemas.Campaign:
    """The audience is computed anew and frozen when it begins. Repeating the request changes nothing: it is running then."""
    await _require_free(services, meta, caller, campaign_id, accept_language)
    return await _step(services, caller, campaign_id, "start", response, if_match)


@router.post("/{campaign_id}/pause", responses=REFUSED, summary="Pause")
async def post_pause(
    services: Hub,
    caller: Approver,
    campaign_id: UUID,
    body: schemas.Reason,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.Campaign:
    """Within a second nothing of it leaves any more; what waits in the outbox is held."""
    shown = await _step(services, caller, campaign_id, "pause", response, if_match, body.reason)
    await tick.hold(services, campaign_id)
    return shown


@router.post("/{campaign_id}/resume", responses=REFUSED, summary="Go on")
async def post_resume(
    services: Hub, caller: Approver, campaign_id: UUID, response: Response, if_match: IfMatch = None
) -> schemas.Campaign:
    """Exactly where it stood: what was held leaves, whoever still waits gets his turn. A smooth start or a mismatch that had stopped
    it is overruled, which is kept as a decision."""
    shown = await _step(services, caller, campaign_id, "resume", response, if_match)
    await tick.let_go(services, campaign_id)
    return shown


@router.post("/{campaign_id}/cancel", responses=REFUSED, summary="Cancel for good")
async def post_cancel(
    services: Hub,
    caller: Approver,
    campaign_id: UUID,
    body: schemas.Reason,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.Campaign:
    """What waits is never sent; what was sent stays what it is."""
    shown = await _step(services, caller, campaign_id, "cancel", response, if_match, body.reason)
    await tick.hold(services, campaign_id)
    await tick.end(services, campaign_id)
    return shown


@router.put("/{campaign_id}/budget", responses=REFUSED, summary="Let it spend more, or less")
async def put_budget(
    services: Hub,
    caller: Approver,
    campaign_id: UUID,
    body: schemas.Budget,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.Campaign:
    """Of a campaign under way, by somebody who could approve it. One that stands still for its budget goes on when it is resumed."""
    async with services.transaction() as tx:
        await states.set_budget(tx, caller, campaign_id, body.budget_micros, version_of(if_match))
    return await _shown(services, caller, campaign_id, response)


@router.get("/{campaign_id}/runs", responses=MISSING, summary="Its occurrences and their frozen lists")
async def get_runs(services: Hub, caller: Reader, campaign_id: UUID) -> schemas.RunList:
    """Newest first: count, hash, exclusions by reason, progress, and where the recipients stand."""
    return schemas.RunList(
        items=[schemas.Run.model_validate(run) for run in await keep.list_runs(services, caller, campaign_id)]
    )


@router.get("/{campaign_id}/decisions", responses=MISSING, summary="What was decided, and why")
async def get_decisions(services: Hub, caller: Reader, campaign_id: UUID) -> schemas.DecisionList:
    """Of rules, with all the evidence they had."""
    await keep.find(services.db, caller, campaign_id)
    rows = await services.db.fetch(keep.queries.list_decisions, campaign_id)
    return schemas.DecisionList(items=[schemas.Decision.model_validate(dict(row)) for row in rows])


async def _require_free(
    services: Services, meta: Channel, caller: Principal, campaign_id: UUID, accept_language: str | None
) -> None:
    campaign = await keep.find(services.db, caller, campaign_id)
    checked = await checks.check(services, meta, campaign, language_of(accept_language))
    if problems := checks.blocking(checked):
        raise Blocked("something is in the way: see problems", problems=problems)


async def _step(
    services: Services,
    caller: Principal,
    campaign_id: UUID,
    verb: str,
    response: Response,
    if_match: str | None,
    reason: str = "",
) -> schemas.Campaign:
    async with services.transaction() as tx:
        await states.step(tx, caller, campaign_id, verb, reason=reason, if_version=version_of(if_match))
        tx.ring(REGISTRY["campaign_jobs.watch"])
    return await _shown(services, caller, campaign_id, response)


async def _shown(services: Services, caller: Principal, campaign_id: UUID, response: Response) -> schemas.Campaign:
    (row,) = await keep.with_standing(services, [await keep.find(services.db, caller, campaign_id)])
    response.headers["ETag"] = f'"{row["version"]}"'
    return schemas.Campaign.model_validate(row)
