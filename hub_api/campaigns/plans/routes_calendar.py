"""The calendar of campaigns over HTTP."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from hub_api.campaigns.plans import calendar, schemas
from hub_api.campaigns.plans.routes import Hub, Reader
from hub_api.campaigns.timing import USUAL_HOURS

router = APIRouter(prefix="/api/v1/campaign-calendar", tags=["campaigns"])


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CalendarEntry(_Shown):
    """A campaign at a time: an occurrence that began, or one that is to come."""

    campaign_id: UUID
    name: str = Field(examples=["Upgrade para 600 Mbps"])
    kind: Literal["once", "recurring", "triggered"]
    lane: Literal["marketing", "utility"]
    state: schemas.State
    begins_at: datetime
    ends_at: datetime | None = Field(description="null: it goes on, or is still to begin")
    planned: bool = Field(description="it has not begun; of a draft or one in review: it would, if it were approved")
    members: int | None = Field(description="of its frozen list")


class CalendarHoliday(_Shown):
    """A day on which campaigns rest, unless they were told not to."""

    day: date
    name: str = Field(examples=["Proclamação da República"])
    states: list[str] = Field(description="only there (UF); empty: in all of Brazil")


class Calendar(BaseModel):
    """Entries by begin, holidays by day. `hours` are by the recipient's clock: outside of them campaigns are quiet."""

    zone: str = Field(examples=["America/Sao_Paulo"], description="whose days these are")
    hours: dict[str, str] = Field(
        description="usual hours of each lane, where a campaign has none of its own",
        examples=[{"marketing": "1-5 09:00-20:00, 6 09:00-14:00"}],
    )
    entries: list[CalendarEntry]
    holidays: list[CalendarHoliday]


@router.get(
    "",
    responses={422: {"description": "`invalid`: the span runs backwards or is longer than 62 days"}},
    summary="Campaigns by day",
)
async def get_calendar(
    services: Hub,
    caller: Reader,
    first: Annotated[date, Query(description="first business day", examples=["2026-11-01"])],
    last: Annotated[date, Query(description="last business day, this one included", examples=["2026-11-30"])],
) -> Calendar:
    """Occurrences that ran, run, or are to come on these days, of campaigns you see; with holidays and usual hours."""
    found = await calendar.entries(services, caller, first, last)
    return Calendar(
        zone=services.settings.timezone,
        hours=USUAL_HOURS,
        entries=[CalendarEntry.model_validate(one) for one in found],
        holidays=[CalendarHoliday.model_validate(one) for one in calendar.holidays_between(first, last)],
    )
