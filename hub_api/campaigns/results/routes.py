"""Results of campaigns as of seconds ago, and one message from its audience to its goals."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.campaigns.plans import keep
from hub_api.campaigns.plans.routes import channel
from hub_api.campaigns.ports import Channel
from hub_api.campaigns.results import live, readout, schemas
from hub_api.campaigns.results import watch as watching
from hub_api.campaigns.results.lineage import lineage, queries
from hub_api.chat import views
from hub_api.chat.viewed import note_view
from hub_api.errors import Conflict
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.warehouse import open_reader
from hub_api.platform.web import get_services


class NothingToCompare(Conflict):
    """There is no test, or not yet."""

    code = "nothing_to_compare"


router = APIRouter(prefix="/api/v1", tags=["campaign results"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("campaigns:read"))]
Meta = Annotated[Channel, Depends(channel)]
RunId = Annotated[UUID | None, Query(description="of this run; the newest when left out")]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "no such campaign or run among those you see"}}
COMPARED: dict[int | str, dict[str, Any]] = {
    **MISSING,
    409: {"description": "`nothing_to_compare`: one variant only, or it has not begun"},
}
ASKED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such campaign"},
    422: {"description": "`too_expensive`: more events than one question may read"},
    503: {"description": "`unavailable`: the warehouse does not answer"},
}


@router.get(
    "/campaigns/{campaign_id}/results",
    responses=ASKED,
    summary="Results of a campaign",
)
async def get_results(services: Hub, caller: Reader, campaign_id: UUID) -> schemas.Results:
    """From sent to converted as gold.campaign_funnel counts it, with the events of the last seconds: whole, by variant, number,
    segment, and hour by hour."""
    row = await keep.find(services.db, caller, campaign_id)
    settings = services.settings
    since = row["created_at"].astimezone(settings.zone).date()
    found = await live.read(await services.shared(open_reader), settings, campaign_id, since)
    names = {row["id"]: row["name"] for row in await services.db.fetch(
        queries.segment_names, [one["segment_id"] for one in found.segments]
    )}  # fmt: skip
    total = live.add_up(found.cells).get(None, {**dict.fromkeys(live.COUNTS, 0), **dict.fromkeys(live.CURRENCIES, "")})
    return schemas.Results(
        campaign_id=campaign_id,
        as_of=found.as_of,
        total=schemas.Figures.model_validate(total),
        by_variant=[
            schemas.OfVariant(variant=key, **sums) for key, sums in sorted(live.add_up(found.cells, "variant").items())
        ],
        by_number=[
            schemas.OfNumber(number_id=key, **sums)
            for key, sums in sorted(live.add_up(found.cells, "number_id").items())
        ],
        by_segment=[
            schemas.OfSegment.model_validate({**one, "name": names.get(one["segment_id"])}) for one in found.segments
        ],
        series=[schemas.OfHour(hour=key, **sums) for key, sums in sorted(live.add_up(found.cells, "hour").items())],
    )


@router.get("/campaigns/{campaign_id}/monitor", responses=MISSING, summary="A campaign at this moment")
async def get_monitor(
    services: Hub, caller: Reader, meta: Meta, campaign_id: UUID, run_id: RunId = None
) -> schemas.Monitor:
    """Where a run's recipients stand, the pace, what failed and why, what a pause holds: true at once, cheap enough for every second."""
    row = await keep.find(services.db, caller, campaign_id)
    return schemas.Monitor.model_validate(await watching.watch(services, meta, row, run_id))


@router.get("/campaigns/{campaign_id}/experiment", responses=COMPARED, summary="The test as it stands")
async def get_experiment(services: Hub, caller: Reader, campaign_id: UUID, run_id: RunId = None) -> schemas.Readout:
    """Rates, differences with intervals, sample ratio and guardrails of a run, by the formulas of the rule that decides."""
    row, run = await _compared(services, caller, campaign_id, run_id)
    if (found := await readout.readout(services, row, run)) is None:
        raise NothingToCompare("the campaign has one variant only")
    return schemas.Readout.model_validate(found)


@router.get("/campaigns/{campaign_id}/experiment/series", responses={**COMPARED, **ASKED}, summary="The test over time")
async def get_experiment_series(
    services: Hub, caller: Reader, campaign_id: UUID, run_id: RunId = None
) -> schemas.ReadoutSeries:
    """Rates and differences up to each moment, as gold.campaign_funnel counts replies, readings and conversions."""
    row, run = await _compared(services, caller, campaign_id, run_id)
    found = await readout.series(services, row, run)
    return schemas.ReadoutSeries(items=[schemas.TestPoint.model_validate(one) for one in found])


@router.get("/campaigns/{campaign_id}/recipients", responses=MISSING, summary="Who is on its lists")
async def get_recipients(
    services: Hub,
    caller: Reader,
    campaign_id: UUID,
    state: Annotated[schemas.RecipientState | None, Query(description="only those in this state")] = None,
    variant: Annotated[str | None, Query(max_length=40)] = None,
    reason: Annotated[str | None, Query(max_length=40, description="of `excluded`")] = None,
    run_id: RunId = None,
    limit: Annotated[int, Query(ge=1, le=200, description="rows of one page")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.RecipientPage:
    """Each with his state, the reason when he was left out, and the message, whose lineage says more."""
    found, items = await watching.recipients(
        services, caller, campaign_id, state=state, variant=variant, reason=reason, run_id=run_id, limit=limit, cursor=cursor
    )  # fmt: skip
    if caller.may("customers:read"):
        await note_view(services, caller, "customer", [one["customer_id"] for one in items], "campaign recipients")
    return schemas.RecipientPage(
        items=[schemas.Recipient.model_validate(one) for one in items], next_cursor=found.next_cursor
    )


@router.get(
    "/customers/{customer_id}/campaigns",
    responses={404: {"description": "no such customer among those you see"}},
    summary="What campaigns meant for a customer",
)
async def get_customer_campaigns(services: Hub, caller: Reader, customer_id: UUID) -> schemas.MeantList:
    """Newest first: what was sent, what was not and why; `lineage` of a message says more."""
    customer = await views.find_customer(
        services, caller, customer_id
    )  # not one of a team that the caller does not see
    await note_view(services, caller, "customer", [customer["id"]], "customer campaigns")
    rows = await watching.of_customer(services, caller, customer["id"])
    return schemas.MeantList(items=[schemas.Meant.model_validate(dict(row)) for row in rows])


@router.get(
    "/messages/{message_id}/lineage",
    responses={404: {"description": "no such outgoing message"}},
    summary="Why a person received a message, and what became of it",
)
async def get_lineage(services: Hub, caller: Reader, message_id: UUID) -> schemas.Lineage:
    """Audience with the hash of its frozen list, assignment, consent at that time, statuses, answers, clicks, goals, cost."""
    found = await lineage(services, message_id)
    await views.find_customer(services, caller, found["customer_id"])  # not one of a team that the caller does not see
    await note_view(services, caller, "customer", [found["customer_id"]], "message lineage")
    return schemas.Lineage.model_validate(
        {name: [dict(one) for one in value] if isinstance(value, list) else value for name, value in found.items()}
    )


async def _compared(services: Services, caller: Principal, campaign_id: UUID, run_id: UUID | None) -> tuple[Row, Row]:
    row = await keep.find(services.db, caller, campaign_id)
    run = await watching.find_run(services, campaign_id, run_id)
    if run is None:
        raise NothingToCompare("the campaign has not begun")
    return row, run
