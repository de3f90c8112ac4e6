"""What an item says when parts of it are wrong, missing, new or told in another form."""

import json
from typing import Any

import pytest

from hub_api.whatsapp.inbound import Inbound, Item
from hub_api.whatsapp.parse import Unparsable, parse
from hub_api.whatsapp.split import split
from tests.whatsapp.gateway import text, text_body


def parsed(**more: Any) -> Inbound:
    """A text message by Ana, changed."""
    (item,) = split(json.dumps(text_body(text("wamid.1", **more))).encode()).items
    return parse(item)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1767225599", 1767225599),
        (1767225599, 1767225599),
        (1767225599.9, 1767225599),
        ("4102444800", 4102444800),
        ("0", 0),
        (-5, -5),
        ("yesterday", None),
        ("", None),
        (None, None),
        ("9" * 400, None),
        (10**30, None),
        ("NaN", None),
        ("1_000", 1000),
    ],
)
def test_a_time_is_read_from_text_or_number_and_is_none_when_it_is_neither(written: Any, seconds: int | None):
    assert parsed(timestamp=written).timestamp == seconds


def test_the_contact_is_matched_by_identifier_and_never_by_place():
    body = text_body(text("wamid.1", **{"from": "5511900000002", "from_user_id": "BR.2"}))
    body["entry"][0]["changes"][0]["value"]["contacts"] = [
        {"profile": {"name": "Other"}, "wa_id": "5511900000001", "user_id": "BR.1"},
        {"profile": {"name": "Right"}, "user_id": "BR.2"},
    ]
    (item,) = split(json.dumps(body).encode()).items
    assert parse(item).party.name == "Right"


def test_a_message_without_any_identifier_takes_the_only_contact_and_none_of_several():
    nameless = text("wamid.1", **{"from": "", "from_user_id": None})
    body = text_body(nameless)
    (item,) = split(json.dumps(body).encode()).items
    assert (item.contact_key, parse(item).party.user_id) == ("BR.1", "BR.1")
    body["entry"][0]["changes"][0]["value"]["contacts"] *= 2
    (item,) = split(json.dumps(body).encode()).items
    with pytest.raises(Unparsable, match="neither a phone nor a user id"):
        parse(item)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": {"body": 5}}, "wrong_type"),
        ({"text": []}, "wrong_type"),
        ({"type": 7}, "wrong_type"),
        ({"id": None}, "wrong_type"),
        ({"id": ""}, "missing"),
        ({"id": "w" * 1000}, "bad_identifier"),
        ({"context": "x"}, "wrong_type"),
        ({"errors": {}}, "wrong_type"),
        ({"text": {"body": "a\x00b"}}, "nul_character"),
        ({"type": "interactive", "interactive": 5}, "wrong_type"),
        ({"type": "image", "image": {"id": 5}}, "wrong_type"),
        ({"type": "edit", "edit": {"original_message_id": "w", "message": {}}}, "wrong_type"),
    ],
)
def test_a_wrong_part_makes_the_item_unparsable_with_a_reason_and_no_value(changes: dict[str, Any], reason: str):
    with pytest.raises(Unparsable) as caught:
        parsed(**changes)
    assert caught.value.reason == reason
    assert "body" not in caught.value.message or "$" in caught.value.message


@pytest.mark.parametrize(
    ("detail", "content"),
    [
        ({"type": "text"}, "[sem conteúdo: text]"),
        ({"type": "location", "location": {"latitude": "here", "longitude": 1}}, "[tipo desconhecido: location]"),
        (
            {"type": "location", "location": {"latitude": "-23.5", "longitude": "-46.6"}},
            "[localização: (-23.5, -46.6)]",
        ),
        ({"type": "interactive", "interactive": {"type": "future"}}, "[tipo desconhecido: interactive]"),
        ({"type": "system", "system": {"type": "new", "body": "Hi"}}, "[aviso do canal: Hi]"),
        ({"type": "unsupported", "unsupported": {"type": "hologram"}}, "[não suportada pelo canal: hologram]"),
        ({"type": "contacts", "contacts": []}, "[contato]"),
        ({"type": "order", "order": {}}, "[pedido: 0 itens]"),
    ],
)
def test_what_is_incomplete_or_new_is_kept_and_shown(detail: dict[str, Any], content: str):
    plain = {"text": None}
    assert parsed(**{**plain, **detail}).content == content


def test_a_price_that_is_no_number_costs_no_order():
    lines = [{"quantity": "two", "item_price": "1e400"}, {"quantity": 1e300, "item_price": "caro"}]
    order = parsed(type="order", text=None, order={"product_items": lines}).detail
    assert [(line.quantity, line.price_micros) for line in order.lines] == [(None, None), (None, None)]


def test_an_item_of_an_unknown_kind_is_unparsable():
    with pytest.raises(Unparsable, match="no parser"):
        parse(Item(kind="x", phone_number_id=None, waba_id=None, contact_key=None, payload=b'{"data":{}}'))
