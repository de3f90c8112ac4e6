"""What messages will cost, told when Meta accepts them; and the rate of what Meta then says they were."""

from collections.abc import Collection, Mapping, Sequence
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
    known: dict[tuple[UUID, str, str | None, bool], Money | None] = {}  # most of a batch is alike
    for one in sent:
        if (alike := _alike(one, free)) not in known:
            number_id, category, country, free_entry = alike
            known[alike] = _estimate(billing[number_id], category, country, at, cards, free_entry=free_entry)
    return [known[_alike(one, free)] for one in sent]


def rate(billing: Billing, category: str, country: str | None, at: datetime, cards: Path | None) -> Money | None:
    """The price of a message of this category to this country by the cards; None when none has it."""
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


def _alike(one: Sent, free: Collection[UUID]) -> tuple[UUID, str, str | None, bool]:
    by_phone = one.to.startswith("+")
    country = country_of(one.to if by_phone else None, None if by_phone else one.to)
    return one.number_id, one.category, country, one.conversation_id in free


def _estimate(
    billing: Billing, category: str, country: str | None, at: datetime, cards: Path | None, *, free_entry: bool
) -> Money | None:
    price = rate(billing, category, country, at, cards)
    # Whether the window is open no longer matters for the price: since October 2026 only replies need it.
    free = is_free(category, at, in_window=False, free_entry=free_entry, service_used=billing["service_used"])
    return Money(0, price.currency if price else billing["currency"]) if free else price


def _volume(billing: Billing, country: str, category: str, cards: Path | None) -> int:
    """Where this month's volume has got to, as Meta told it by webhook: the lower bound of the tier reached."""
    tiers: Mapping[str, int] = billing["volume_tiers"] or {}
    if not tiers:
        return 0
    names = {market.name for card in load_cards(cards) if (market := card.market(country)) is not None}
    return max((tiers.get(f"{name}/{category}", 0) for name in names), default=0)
