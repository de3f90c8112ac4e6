"""What the tables of the warehouse know of one customer, put together for who talks with him."""

import asyncio
from typing import Any
from uuid import UUID

import structlog

from hub_api.analytics.insights import schemas
from hub_api.errors import Unavailable
from hub_api.platform import sqlfile
from hub_api.platform.services import Services
from hub_api.platform.warehouse import TooExpensive, open_reader

log = structlog.get_logger(__name__)

questions = sqlfile.load(__package__, "questions.clickhouse.sql")
names = sqlfile.load(__package__, "names.sql")

PATIENCE_S = 4  # somebody has the conversation open: better without than late
NOTHING = schemas.Insights(
    available=False, segments=[], segments_as_of=None, churn=None, value=None, moods=[], habits=None
)


async def insights_of(services: Services, customer_id: UUID) -> schemas.Insights:
    """Everything at once. A warehouse that is away, too busy or not built yet is said, not raised: the talk goes on."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await _ask(services, customer_id)
    except (Unavailable, TooExpensive, TimeoutError) as error:
        log.info("no_insights", error=type(error).__name__)
        return NOTHING
    known = [row["segment_id"] for row in found["segments"]]
    called = {row["id"]: row["name"] for row in await services.db.fetch(names.segment_names, known)}
    churn, value, habits = _first(found["churn"]), _first(found["value"]), _first(found["habits"])
    computed = _first(found["segments_as_of"])
    return schemas.Insights(
        available=True,
        segments=[
            schemas.InSegment(**row, name=called[row["segment_id"]])
            for row in found["segments"]
            if row["segment_id"] in called
        ],
        segments_as_of=computed["computed_at"] if computed else None,
        churn=schemas.Churn(**_dated(churn, "day")) if churn else None,
        value=schemas.Value(
            as_of=value["as_of"], tier=value["tier"], score=value["value_score"], group=value["rfm_group"]
        )
        if value
        else None,
        moods=[
            schemas.Mood(
                day=row["day"],
                conversation_id=row["conversation_id"],
                score=row["score_mean"],
                label=row["final_label"],
                reason=row["reason"],
            )
            for row in found["sentiment"]
        ],
        habits=schemas.Habits(**_dated(habits, "day")) if habits else None,
    )


async def _ask(services: Services, customer_id: UUID) -> dict[str, list[dict[str, Any]]]:
    reader, given = await services.shared(open_reader), {"customer": customer_id}
    asked = ("segments", "segments_as_of", "churn", "value", "sentiment", "habits")
    answers = await asyncio.gather(*(reader.rows(getattr(questions, one), given) for one in asked))
    return dict(zip(asked, answers, strict=True))


def _first(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    return rows[0] if rows else None


def _dated(row: dict[str, Any], day: str) -> dict[str, Any]:
    return {"as_of": row[day], **{name: value for name, value in row.items() if name != day}}
