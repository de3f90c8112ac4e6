"""The cases of a figure as a file, streamed: CSV for spreadsheets, Parquet for programs (the warehouse writes it)."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from hub_api.analytics import ask
from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.filters import filter_for
from hub_api.analytics.routes import AWAY, UNKNOWN, Asked, Hub, KpiKey
from hub_api.auth import audit
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.platform.csv_export import stream_csv
from hub_api.platform.warehouse import open_reader

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])

# As cases.clickhouse.sql gives them: no customer and no text.
COLUMNS = (
    *(
        "day",
        "hour",
        "at",
        "conversation_id",
        "queue",
        "agent_id",
        "number_id",
        "channel",
        "state_code",
        "region",
        "plan",
    ),
    *("currency", "numerator", "denominator"),
)
TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@router.get(
    "/kpis/{kpi}/export",
    responses={
        **AWAY,
        **UNKNOWN,
        200: {"description": "the file", "content": {"text/csv": {}, "application/vnd.apache.parquet": {}}},
    },
    response_class=StreamingResponse,
    summary="The cases of a figure as a file",
)
async def get_export(
    services: Hub,
    caller: Annotated[Principal, Depends(require("analytics:export"))],
    kpi: KpiKey,
    wanted: Asked,
    format_: Annotated[Literal["csv", "parquet"], Query(alias="format")] = "csv",
) -> StreamingResponse:
    """One row per case in the order of time. Text that a spreadsheet would run is marked as text. Every export is audited."""
    of = catalogue().kpi(kpi)
    reader, filter_ = await services.shared(open_reader), await filter_for(services, caller, wanted)
    sql, given = ask.export_of(ask.Cases.of(of), filter_)
    if format_ == "parquet":
        pieces = reader.stream(sql, given, "Parquet")
    else:
        pieces = stream_csv(COLUMNS, reader.row_stream(sql, given))
    first = await anext(pieces, b"")  # what is wrong is told by the status, before the answer begins
    async with services.transaction() as tx:
        detail = {"format": format_, "first": str(filter_.first), "last": str(filter_.last)}
        await audit.write(tx, caller, "analytics.exported", "kpi", kpi, detail=detail)
    name = f"{kpi}_{filter_.first}_{filter_.last}.{format_}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingResponse(_all(first, pieces), media_type=TYPES[format_], headers=headers)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
