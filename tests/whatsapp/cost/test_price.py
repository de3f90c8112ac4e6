"""Rate cards and the table of what is free."""

import copy
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hub_api.chat.charges import Money, charged
from hub_api.whatsapp.cost.price import FREE_SERVICE, country_of, is_free
from hub_api.whatsapp.cost.rates import BadRateCard, load_cards, rate_of, read_cards

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NOVEMBER = datetime(2026, 11, 26, 15, tzinfo=UTC)
BEFORE = datetime(2026, 9, 30, 23, 59, tzinfo=UTC)
CARDS: dict[str, Any] = {
    "cards": [
        {
            "currency": "USD", "valid_from": date(2026, 10, 1), "verified": False,
            "markets": {
                "Brazil": {
                    "countries": ["BR"], "marketing": 62_500, "service": 6_800,
                    "utility": [{"above": 0, "micros": 6_800}, {"above": 1_000, "micros": 6_000}, {"above": 5_000, "micros": 5_000}],
                },
                "Rest of Latin America": {"countries": ["UY", "PY"], "marketing": 74_000},
            },
        },
        {"currency": "USD", "valid_from": date(2027, 1, 1), "verified": True, "markets": {"Brazil": {"countries": ["BR"], "marketing": 70_000}}},
        {"currency": "BRL", "valid_from": date(2027, 1, 1), "verified": True, "markets": {"Brazil": {"countries": ["BR"], "marketing": 350_000}}},
    ]
}  # fmt: skip


def rate(at: datetime = NOVEMBER, **changes: Any) -> Money | None:
    asked: dict[str, Any] = {"currency": "USD", "zone": SAO_PAULO, "country": "BR", "category": "marketing"}
    return rate_of(read_cards(CARDS), at=at, **{**asked, **changes})


@pytest.mark.parametrize(
    ("category", "at", "in_window", "free_entry", "used", "free"),
    [
        ("marketing", NOVEMBER, False, False, 0, False),
        ("marketing", NOVEMBER, True, False, 0, False),
        ("marketing", NOVEMBER, True, True, 0, True),
        ("authentication", NOVEMBER, True, False, 0, False),
        ("authentication", NOVEMBER, False, True, 0, True),
        ("utility", NOVEMBER, False, False, 0, False),
        ("utility", NOVEMBER, True, False, 0, False),
        ("utility", BEFORE, True, False, 0, True),
        ("utility", BEFORE, False, False, 0, False),
        ("utility", NOVEMBER, False, True, 0, True),
        ("service", BEFORE, True, False, 5_000, True),
        ("service", NOVEMBER, True, False, 0, True),
        ("service", NOVEMBER, True, False, FREE_SERVICE - 1, True),
        ("service", NOVEMBER, True, False, FREE_SERVICE, False),
        ("service", NOVEMBER, True, True, FREE_SERVICE, True),
    ],
)
def test_the_table_of_what_is_free(category, at, in_window, free_entry, used, free):
    assert is_free(category, at, in_window=in_window, free_entry=free_entry, service_used=used) == free


def test_our_card_has_brazil_and_says_that_it_is_not_verified():
    (card,) = load_cards()
    assert (card.currency, card.valid_from, card.verified) == ("USD", date(2026, 10, 1), False)
    for category, micros in (("marketing", 62_500), ("utility", 6_800), ("authentication", 6_800), ("service", 6_800)):
        found = rate_of(load_cards(), currency="USD", zone=SAO_PAULO, country="BR", category=category, at=NOVEMBER)
        assert found == Money(micros, "USD")


def test_a_card_counts_from_its_day_in_the_account_s_zone():
    last = datetime(2027, 1, 1, 2, 59, tzinfo=UTC)  # 31 December in São Paulo
    assert rate(last) == Money(62_500, "USD")
    assert rate(last + timedelta(minutes=1)) == Money(70_000, "USD")
    assert rate(datetime(2026, 9, 30, tzinfo=UTC)) is None


def test_without_a_card_of_the_account_s_currency_the_amount_is_told_in_dollars():
    assert rate(currency="BRL") == Money(62_500, "USD")
    assert rate(datetime(2027, 2, 1, tzinfo=UTC), currency="BRL") == Money(350_000, "BRL")


def test_a_country_or_category_without_a_rate_has_no_price():
    assert rate(country="UY") == Money(74_000, "USD")
    assert rate(country="UY", category="utility") is None
    assert rate(country="DE") is None
    assert rate(category="marketing_lite") == Money(62_500, "USD")


@given(st.integers(0, 10_000))
def test_more_volume_never_costs_more(volume: int):
    price = rate(category="utility", volume=volume)
    assert price is not None
    assert price.micros == (6_800 if volume < 1_000 else 6_000 if volume < 5_000 else 5_000)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda card: card.update(valid_from=date(2026, 11, 1)), "January, April, July and October"),
        (lambda card: card.update(valid_from=date(2026, 10, 2)), "January, April, July and October"),
        (lambda card: card["markets"]["Brazil"].update(marketing=[{"above": 0, "micros": 1}, {"above": 9, "micros": 1}]), "volume tiers"),
        (lambda card: card["markets"]["Brazil"].update(utility=[{"above": 5, "micros": 1}]), "begin at 0"),
        (lambda card: card["markets"]["Brazil"].update(service=-1), "not negative"),
        (lambda card: card["markets"]["Brazil"].update(adverts=1), "no category"),
        (lambda card: card["markets"]["Brazil"]["countries"].append("UY"), "two markets"),
        (lambda card: card.pop("markets"), "lacks"),
    ],
)  # fmt: skip
def test_a_card_that_breaks_a_rule_is_refused_with_the_reason(change, says):
    data = copy.deepcopy(CARDS)
    change(data["cards"][0])
    with pytest.raises(BadRateCard, match=says):
        read_cards(data)


@pytest.mark.parametrize(
    ("wa_id", "user_id", "country"),
    [
        ("5511987654321", None, "BR"), ("+59899123456", None, "UY"), (None, "BR.150257", "BR"), ("", "PY.ENT.11", "PY"),
        ("x", None, None), (None, None, None), (None, "wamid", None),
    ],
)  # fmt: skip
def test_a_recipient_s_country_is_that_of_the_phone_or_of_the_bsuid(wa_id, user_id, country):
    assert country_of(wa_id, user_id) == country


PRICINGS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["regular", "free_customer_service", "free_entry_point", "of_the_future"]),
        "billable": st.booleans(),
        "category": st.sampled_from(["service", "utility", "marketing"]),
        "rate_micros": st.integers(0, 10**9),
    },
)


@given(PRICINGS, st.integers(0, 15))
def test_a_price_is_the_same_whichever_status_told_which_part(pricing: dict[str, Any], mask: int):
    """Parts may come with `sent` and with one later status, in either order, whole or in pieces."""
    first = {key: value for at, (key, value) in enumerate(pricing.items()) if mask >> at & 1}
    rest = {key: value for key, value in pricing.items() if key not in first}
    whole = {**pricing, "currency": "USD"}
    assert (
        charged({**first, **rest, "currency": "USD"}) == charged({**rest, **first, "currency": "USD"}) == charged(whole)
    )
    cost = charged(whole)
    if cost is not None:
        assert cost.micros == 0 or cost.micros == pricing["rate_micros"]


async def test_the_schema_sums_what_python_says(services):
    for kind in (None, "regular", "free_customer_service", "free_entry_point", "free_group_customer_service", "new"):
        for billable in (None, True, False):
            for micros in (None, 0, 6_800):
                given = {"type": kind, "billable": billable, "rate_micros": micros, "currency": "USD"}
                pricing = {name: value for name, value in given.items() if value is not None}
                cost = charged(pricing)
                told = await services.db.fetchval("SELECT charged_micros($1)", pricing)
                assert told == (cost.micros if cost else None), pricing
    assert await services.db.fetchval("SELECT charged_micros(NULL)") is None and charged(None) is None
