"""What the channel costs: estimated when Meta accepted a message, actual when it told the price."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from hub_api.auth import audit
from hub_api.auth.keys import Principal, require
from hub_api.errors import Invalid, NotFound
from hub_api.platform.services import Services
from hub_api.platform.web import get_services
from hub_api.whatsapp.cost.estimate import queries
from hub_api.whatsapp.cost.rates import Card, load_cards

router = APIRouter(prefix="/api/v1/whatsapp", tags=["whatsapp"])

Hub = Annotated[Services, Depends(get_services)]
READ = Depends(require("costs:read"))
Operator = Annotated[Principal, Depends(require("numbers:write"))]
LONGEST = timedelta(days=92)
USUAL = timedelta(days=7)


class CostRow(BaseModel):
    """One day, number, category and currency. Amounts are whole millionths: 6_800 is 0.0068."""

    day: date = Field(description="on which Meta accepted the messages, in the account's zone")
    number_id: UUID
    phone_number_id: str = Field(examples=["106540000000001"])
    category: str = Field(examples=["utility"])
    currency: str | None = Field(examples=["USD"], description="null: no rate card has this recipient's country")
    accepted: int
    delivered: int
    charged: int = Field(description="delivered, and not free")
    untold: int = Field(description="delivered, and the channel has not told a price yet, or no rate is known")
    estimated_micros: int = Field(description="of everything accepted")
    estimated_delivered_micros: int = Field(description="of what was delivered: to compare with `actual_micros`")
    actual_micros: int = Field(description="what the channel charges for what was delivered, by the rate card")


class UsedCard(BaseModel):
    """A rate card that estimates go by."""

    currency: str
    valid_from: date
    verified: bool = Field(description="false: orders of magnitude; compare with Meta's own card before deciding by it")


class Costs(BaseModel):
    """Costs by day, number and category, oldest first."""

    items: list[CostRow]
    cards: list[UsedCard]


class Billing(BaseModel):
    """How Meta bills the account."""

    model_config = ConfigDict(extra="forbid")

    currency: str = Field(pattern="^[A-Z]{3}$", examples=["BRL"])
    timezone: str = Field(max_length=64, examples=["America/Sao_Paulo"], description="free replies count by its months")


@router.get("/costs", dependencies=[READ], summary="What messages cost")
async def get_costs(
    services: Hub,
    since: Annotated[date | None, Query(alias="from", description="first day; without it a week before `to`")] = None,
    to: Annotated[date | None, Query(description="last day; without it today")] = None,
    number_id: Annotated[UUID | None, Query(description="one number; without it all")] = None,
) -> Costs:
    """Estimate against actual per day, number and category; at most 92 days. Undelivered messages cost nothing."""
    last = to or datetime.now(UTC).astimezone(services.settings.zone).date()
    first = since or last - USUAL
    if not timedelta() <= last - first <= LONGEST:
        raise Invalid(f"`from` must be at most {LONGEST.days} days before `to`, not {(last - first).days}")
    rows = await services.db.fetch(queries.costs, first, last + timedelta(days=1), number_id)
    cards = [_shown(card) for card in load_cards(services.settings.rate_cards)]
    return Costs(items=[CostRow.model_validate(dict(row)) for row in rows], cards=cards)


@router.put(
    "/accounts/{account_id}/billing",
    status_code=204,
    responses={404: {"description": "no such account"}},
    summary="How an account is billed",
)
async def put_billing(services: Hub, caller: Operator, account_id: UUID, body: Billing) -> None:
    """Set currency and time zone as Meta shows them for the account; estimates go by them from now on."""
    if body.timezone not in available_timezones():
        raise Invalid(
            f"{body.timezone!r} is no time zone",
            errors=[{"field": "body.timezone", "message": "a name of the IANA database, such as America/Sao_Paulo"}],
        )
    async with services.transaction() as tx:
        if await tx.db.fetchval(queries.set_billing, account_id, body.currency, body.timezone) is None:
            raise NotFound(f"there is no WhatsApp account {account_id}", account_id=str(account_id))
        await audit.write(tx, caller, "account.billing_set", "account", account_id, after=body.model_dump())


def _shown(card: Card) -> UsedCard:
    return UsedCard(currency=card.currency, valid_from=card.valid_from, verified=card.verified)
