"""The door to the key figures: values, series, breakdowns, funnels, the conversations behind them, baselines."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub_api.analytics import ask, cache, schemas
from hub_api.analytics.asked import asked
from hub_api.analytics.baselines import store
from hub_api.analytics.behind import shown_conversations
from hub_api.analytics.catalogue import Kpi, catalogue
from hub_api.analytics.filters import Filter, filter_for, queries
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.platform.services import Services
from hub_api.platform.warehouse import Reader, open_reader
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])

AT_ONCE = 4  # questions of one request: more would only wait for each other at the engine

Hub = Annotated[Services, Depends(get_services)]
Analyst = Annotated[Principal, Depends(require("analytics:read"))]
Asked = Annotated[dict[str, Any], Depends(asked)]
KpiKey = Annotated[str, Path(max_length=60, examples=["csat"])]
FunnelKey = Annotated[str, Path(max_length=60, examples=["service"])]
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
AWAY: dict[int | str, dict[str, Any]] = {
    422: {"description": "`invalid`: a filter that cannot be; `too_expensive`: ask for a shorter period"},
    503: {"description": "`unavailable`: the warehouse does not answer"},
}
KEPT: dict[int | str, dict[str, Any]] = {**AWAY, 304: {"description": "nothing is newer than If-None-Match"}}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "`not_found`: no such figure or funnel"}}


@router.get("/catalogue", summary="What is measured")
async def get_catalogue(services: Hub, caller: Analyst) -> schemas.CatalogueShown:
    """Every key figure with its formula, unit, target and baseline; funnels; what both are broken down by."""
    known, baselines = catalogue(), await _baselines(services)
    return schemas.CatalogueShown(
        kpis=[
            *(schemas.info(kpi, baselines) for kpi in known.kpis.values()),
            *(schemas.info(kpi, baselines, "service_levels") for kpi in known.elsewhere.values()),
        ],
        funnels=[
            schemas.FunnelInfo(key=one.key, name=one.name, steps=dict(one.steps)) for one in known.funnels.values()
        ],
        dimensions=dict(known.dimensions),
    )


@router.get("/kpis", responses=KEPT, response_model=schemas.Figures, summary="All key figures")
async def get_kpis(request: Request, services: Hub, caller: Analyst, wanted: Asked) -> Response:
    """Values of a period with target and baseline. Answers have an ETag that stays while the data does."""
    reader, filter_ = await _prepared(services, caller, wanted)

    async def make() -> schemas.Figures:
        baselines, places = await _baselines(services), asyncio.Semaphore(AT_ONCE)

        async def one(kpi: Kpi) -> schemas.Figure:
            async with places:
                return _figure(kpi, baselines, await ask.figure(reader, kpi, filter_))

        items = await asyncio.gather(*(one(kpi) for kpi in catalogue().kpis.values()))
        return schemas.Figures(first=filter_.first, last=filter_.last, items=list(items))

    return await cache.answer(request, services, reader, filter_, make)


@router.get("/kpis/{kpi}", responses={**KEPT, **UNKNOWN}, response_model=schemas.Figure, summary="One key figure")
async def get_kpi(request: Request, services: Hub, caller: Analyst, kpi: KpiKey, wanted: Asked) -> Response:
    """Its value of a period; times with median and 90th percentile."""
    of = catalogue().kpi(kpi)
    reader, filter_ = await _prepared(services, caller, wanted)

    async def make() -> schemas.Figure:
        return _figure(of, await _baselines(services), await ask.figure(reader, of, filter_))

    return await cache.answer(request, services, reader, filter_, make)


@router.get("/kpis/{kpi}/series", responses={**KEPT, **UNKNOWN}, response_model=schemas.Series, summary="Over time")
async def get_series(
    request: Request,
    services: Hub,
    caller: Analyst,
    kpi: KpiKey,
    wanted: Asked,
    grain: Annotated[ask.Grain, Query()] = "day",
) -> Response:
    """The figure of each hour, day, week or month; those without a case are left out."""
    of = catalogue().kpi(kpi)
    reader, filter_ = await _prepared(services, caller, wanted)

    async def make() -> schemas.Series:
        points = await ask.series(reader, of, filter_, grain)
        told = schemas.info(of, await _baselines(services))
        items = [schemas.Point.model_validate(point) for point in points]
        return schemas.Series(first=filter_.first, last=filter_.last, kpi=told, grain=grain, items=items)

    return await cache.answer(request, services, reader, filter_, make)


@router.get(
    "/kpis/{kpi}/breakdown", responses={**KEPT, **UNKNOWN}, response_model=schemas.Breakdown, summary="By a dimension"
)
async def get_breakdown(
    request: Request,
    services: Hub,
    caller: Analyst,
    kpi: KpiKey,
    wanted: Asked,
    by: Annotated[ask.By, Query()] = "queue",
    limit: Limit = 100,
) -> Response:
    """The figure of each queue, agent, number, region, plan, weekday, hour of the day, or segment (by its members now: they overlap)."""
    of = catalogue().kpi(kpi)
    reader, filter_ = await _prepared(services, caller, wanted)

    async def make() -> schemas.Breakdown:
        rows = await ask.breakdown(reader, of, filter_, by, limit=limit, zone=services.settings.timezone)
        labels = await _labels(services, by, [row["by"] for row in rows])
        items = [schemas.Part.model_validate({**row, "label": labels.get(row["by"], row["by"])}) for row in rows]
        told = schemas.info(of, await _baselines(services))
        return schemas.Breakdown(first=filter_.first, last=filter_.last, kpi=told, dimension=by, items=items)

    return await cache.answer(request, services, reader, filter_, make)


@router.get("/kpis/{kpi}/conversations", responses={**AWAY, **UNKNOWN}, summary="The conversations behind a figure")
async def get_conversations(
    services: Hub,
    caller: Analyst,
    kpi: KpiKey,
    wanted: Asked,
    order: Annotated[ask.Order, Query()] = "newest",
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.BehindPage:
    """Which conversations a figure counts, and what each adds to it: with the same filter `total` is the figure."""
    of = catalogue().kpi(kpi)
    reader, filter_ = await _prepared(services, caller, wanted)
    await ask.one_currency(reader, of, filter_)
    cases = ask.Cases.of(of)
    return await shown_conversations(services, caller, reader, cases, filter_, of.figure, order, limit, cursor)


@router.get("/funnels/{funnel}", responses={**KEPT, **UNKNOWN}, response_model=schemas.FunnelShown, summary="A funnel")
async def get_funnel(request: Request, services: Hub, caller: Analyst, funnel: FunnelKey, wanted: Asked) -> Response:
    """How many cases came how far; each step has only cases of the one before."""
    of = catalogue().funnel(funnel)
    reader, filter_ = await _prepared(services, caller, wanted)

    async def make() -> schemas.FunnelShown:
        counts = await ask.funnel(reader, of, filter_)
        steps = [
            schemas.Step(
                key=key, name=name, cases=count, of_first=count / counts[0] if counts[0] else None,
                of_previous=count / before if before else None,
            )
            for (key, name), count, before in zip(of.steps.items(), counts, [counts[0], *counts], strict=False)
        ]  # fmt: skip
        told = schemas.FunnelInfo(key=of.key, name=of.name, steps=dict(of.steps))
        return schemas.FunnelShown(first=filter_.first, last=filter_.last, funnel=told, items=steps)

    return await cache.answer(request, services, reader, filter_, make)


@router.get("/funnels/{funnel}/conversations", responses={**AWAY, **UNKNOWN}, summary="Who came as far as a step")
async def get_funnel_conversations(
    services: Hub,
    caller: Analyst,
    funnel: FunnelKey,
    wanted: Asked,
    step: Annotated[str, Query(max_length=50, examples=["resolved"])],
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")] = None,
) -> schemas.BehindPage:
    """The conversations whose cases reached a step; `total.cases` is the step's figure."""
    cases = ask.Cases.reached(catalogue().funnel(funnel), step)
    reader, filter_ = await _prepared(services, caller, wanted)
    return await shown_conversations(services, caller, reader, cases, filter_, _as_it_is, "newest", limit, cursor)


@router.get("/baselines", summary="List stored baselines")
async def get_baselines(services: Hub, caller: Analyst) -> schemas.BaselineList:
    """With when each was measured and where it is from."""
    rows = await services.db.fetch(queries.baselines)
    return schemas.BaselineList(items=[schemas.Baseline.model_validate(dict(row)) for row in rows])


@router.put("/baselines/{kpi}", responses=UNKNOWN, summary="Store a baseline")
async def put_baseline(
    services: Hub,
    caller: Annotated[Principal, Depends(require("settings:write"))],
    kpi: KpiKey,
    body: schemas.NewBaseline,
) -> schemas.Baseline:
    """What a figure was before the hub; targets such as "cost 40 % below" are judged by it."""
    async with services.transaction() as tx:
        row = await store(tx, caller, kpi, body)
    return schemas.Baseline.model_validate(dict(row or {}))


async def _prepared(services: Services, caller: Principal, wanted: Mapping[str, Any]) -> tuple[Reader, Filter]:
    return await services.shared(open_reader), await filter_for(services, caller, wanted)


async def _baselines(services: Services) -> dict[str, float]:
    return {row["kpi"]: row["value"] for row in await services.db.fetch(queries.baselines)}


def _figure(kpi: Kpi, baselines: dict[str, float], found: Mapping[str, Any]) -> schemas.Figure:
    told = schemas.info(kpi, baselines)
    return schemas.Figure.model_validate(
        {**found, "kpi": told, "is_met": kpi.is_met(found["value"], told.target)}, from_attributes=True
    )


async def _labels(services: Services, by: str, values: list[str]) -> dict[str, str]:
    names = {
        "queue": queries.queue_names, "agent_id": queries.agent_names, "number_id": queries.number_names, "segment": queries.segment_names,
    }  # fmt: skip
    if by not in names:
        return {}
    return {row["value"]: row["label"] or row["value"] for row in await services.db.fetch(names[by], values)}


def _as_it_is(numerator: int, _: int) -> float:
    return float(numerator)
