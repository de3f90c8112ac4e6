"""What messages will cost, told when Meta accepts them; and the rate of what Meta then says they were."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from hub_api.chat import windows
from hub_api.chat.charges import Money
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.cost.price import FREE_SERVICE, country_of, is_free
from hub_api.whatsapp.cost.rates import load_cards, rate_of

queries = sqlfile.load(__package__)

Billing = Row | Mapping[str, Any]  # a row of the view number_billing


class Sent(NamedTuple):
    """A message that Meta has just accepted; `to` is a phone or a BSUID."""

    number_id: UUID
    conversation_id: UUID
    category: str
    to: str


async def estimates(tx: Transaction, sent: Sequence[Sent], at: datetime, cards: Path | None) -> list[Money | None]:
    """What each message accepted at `at` will cost if it is delivered, in the order given; None: no rate is known.

    Two look-ups for all of them. Replies in flight are not counted as used yet, so the last free ones of a month may be
    estimated free once too often.
    """
    serving = list({one.number_id for one in sent if one.category == "service"})
    numbers = list({one.number_id for one in sent})
    rows = await tx.db.fetch(queries.billing, numbers, serving, FREE_SERVICE)
    billing = {row["number_id"]: row for row in rows}
    entries = await tx.db.fetch(queries.ad_entries, [one.conversation_id for one in sent])
    free = {
        row["id"]
        for row in entries
        if windows.free_entry_until(row["arrivals"] or (), [*(row["answers"] or ()), at], at) is not None
    }
    return [_estimate(one, billing[one.number_id], one.conversation_id in free, at, cards) for one in sent]


def rate(
    billing: Billing, category: str, at: datetime, cards: Path | None, *, wa_id: str | None, user_id: str | None
) -> Money | None:
    """The price of a message of this category to this recipient by the cards; None when none has it."""
    country = country_of(wa_id, user_id)
    if country is None:
        return None
    return rate_of(
        load_cards(cards),
        currency=billing["currency"],
        zone=ZoneInfo(billing["timezone"]),
        country=country,
        category=category,
        at=at,
        volume=_volume(billing, country, category, cards),
    )


def _estimate(one: Sent, billing: Billing, free_entry: bool, at: datetime, cards: Path | None) -> Money | None:
    by_phone = one.to.startswith("+")
    price = rate(
        billing, one.category, at, cards, wa_id=one.to if by_phone else None, user_id=None if by_phone else one.to
    )
    # Whether the window is open no longer matters for the price: since October 2026 only replies need it.
    free = is_free(one.category, at, in_window=False, free_entry=free_entry, service_used=billing["service_used"])
    return Money(0, price.currency if price else billing["currency"]) if free else price


def _volume(billing: Billing, country: str, category: str, cards: Path | None) -> int:
    """Where this month's volume has got to, as Meta told it by webhook: the lower bound of the tier reached."""
    tiers: Mapping[str, int] = billing["volume_tiers"] or {}
    if not tiers:
        return 0
    names = {market.name for card in load_cards(cards) if (market := card.market(country)) is not None}
    return max((tiers.get(f"{name}/{category}", 0) for name in names), default=0)
