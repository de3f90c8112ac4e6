"""Rate cards: dated data, read once, looked up by currency, market, category, time and volume (channel document §4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from hub_api.chat.charges import Money
from hub_api.errors import HubError

# Meta changes prices on the first of these months only.
QUARTERS = (1, 4, 7, 10)
FALLBACK_CURRENCY = "USD"
# What statuses call a category -> the row of the card; a card may have a row of its own for any of them.
ROW_OF = {"marketing_lite": "marketing", "authentication-international": "authentication"}
TIERED = frozenset({"utility", "authentication"})
CATEGORIES = frozenset({"marketing", "utility", "authentication", "service", *ROW_OF})


class BadRateCard(HubError):
    """A rate card breaks a rule: the message says which card, which row and what is wrong."""

    code = "bad_rate_card"


@dataclass(frozen=True, slots=True)
class Market:
    """The rates of the countries that Meta prices alike: by category, tiers of (from so many messages on, micros)."""

    name: str
    countries: frozenset[str]
    rates: dict[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Card:
    """The rates of one currency from a day on; `verified`: somebody compared it with Meta's own card."""

    currency: str
    valid_from: date
    verified: bool
    markets: tuple[Market, ...]

    def market(self, country: str) -> Market | None:
        """The market of a country (ISO 3166, two letters)."""
        return next((market for market in self.markets if country in market.countries), None)


@lru_cache(maxsize=4)
def load_cards(path: Path | None = None) -> tuple[Card, ...]:
    """The cards of `path`, or ours, oldest first. Raises BadRateCard."""
    file = path or resources.files(__package__).joinpath("rates.yaml")
    return read_cards(yaml.safe_load(file.read_text(encoding="utf-8")))


def read_cards(data: Any) -> tuple[Card, ...]:
    """Cards out of parsed YAML, oldest first. Raises BadRateCard."""
    try:
        cards = [_card(card) for card in data["cards"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRateCard(f"a rate card lacks {error} or has it in another form than rates.yaml") from error
    if len({(card.currency, card.valid_from) for card in cards}) < len(cards):
        raise BadRateCard("two rate cards of one currency begin on the same day")
    return tuple(sorted(cards, key=lambda card: card.valid_from))


def rate_of(
    cards: Sequence[Card], *, currency: str, zone: ZoneInfo, country: str, category: str, at: datetime, volume: int = 0
) -> Money | None:
    """The price of one message at `at`: of the card of `currency` (without one, of USD) in force on that day in `zone`.

    `volume`: messages of the category that the portfolio has had in the month, for tiers. None when no card of that
    time has the country or the category.
    """
    day = at.astimezone(zone).date()
    in_force = [card for card in cards if card.valid_from <= day]
    card = next((c for c in reversed(in_force) if c.currency == currency), None)
    card = card or next((c for c in reversed(in_force) if c.currency == FALLBACK_CURRENCY), None)
    market = card.market(country) if card is not None else None
    if card is None or market is None:
        return None
    tiers = market.rates.get(category) or market.rates.get(ROW_OF.get(category, category))
    if tiers is None:
        return None
    return Money(next(micros for above, micros in reversed(tiers) if volume >= above), card.currency)


def _card(data: dict[str, Any]) -> Card:
    valid_from = data["valid_from"]
    name = f"the card of {data['currency']} from {valid_from}"
    if not isinstance(valid_from, date) or valid_from.day != 1 or valid_from.month not in QUARTERS:
        raise BadRateCard(f"{name}: rates change on the first of January, April, July and October only")
    markets = tuple(_market(name, key, rows) for key, rows in data["markets"].items())
    countries = [country for market in markets for country in market.countries]
    if len(set(countries)) < len(countries):
        raise BadRateCard(f"{name}: a country is in two markets")
    return Card(data["currency"], valid_from, bool(data["verified"]), markets)


def _market(card: str, name: str, rows: dict[str, Any]) -> Market:
    rates = {}
    for category, tiers in rows.items():
        if category == "countries":
            continue
        if category not in CATEGORIES:
            raise BadRateCard(f"{card}, {name}: {category} is no category")
        rates[category] = _tiers(f"{card}, {name}, {category}", category, tiers)
    return Market(name, frozenset(rows["countries"]), rates)


def _tiers(row: str, category: str, data: Any) -> tuple[tuple[int, int], ...]:
    tiers = ((0, data),) if isinstance(data, int) else tuple((tier["above"], tier["micros"]) for tier in data)
    if len(tiers) > 1 and ROW_OF.get(category, category) not in TIERED:
        raise BadRateCard(f"{row}: only utility and authentication have volume tiers")
    bounds = [above for above, _ in tiers]
    if not tiers or bounds != sorted(set(bounds)) or bounds[0] != 0:
        raise BadRateCard(f"{row}: tiers begin at 0 and rise")
    if any(not isinstance(micros, int) or micros < 0 for _, micros in tiers):
        raise BadRateCard(f"{row}: rates are whole millionths, not negative")
    return tiers
