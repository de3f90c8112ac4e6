"""Each limit of the channel, broken by one: refused by us with the field's path, and by the simulator with a code."""

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from hub_api.platform.web import path_of
from hub_api.simulator.errors import MetaError
from hub_api.whatsapp.compose.template_check import TemplateMismatch
from tests.whatsapp.compose.kinds import GONE, MESSAGES, as_called, broken, judged, raw_call, validated

ACTION = "interactive.action"
PARAMETERS = f"{ACTION}.parameters"
ORDER = f"{PARAMETERS}.order"
SHOWN_0, SHOWN_1 = (f"components.{n}.parameters.0.action" for n in (0, 1))
ROW = {"id": "x", "title": "x"}


def rows(count: int) -> list[dict[str, str]]:
    return [{"id": f"r{number}", "title": f"Linha {number}"} for number in range(count)]


def replies(count: int) -> list[dict[str, Any]]:
    return [{"type": "reply", "reply": {"id": f"b{number}", "title": f"Botão {number}"}} for number in range(count)]


def products(count: int) -> list[dict[str, str]]:
    return [{"product_retailer_id": f"p{number}"} for number in range(count)]


def text_parameters(*values: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": value} for value in values]


# example, field to change, value beyond the limit, field that the refusal names (None: the changed one)
BROKEN: list[tuple[str, str, Any, str | None]] = [
    ("text", "text", "x" * 4097, None),
    ("text", "text", "", None),
    ("text", "text", GONE, None),
    ("image", "image.caption", "x" * 1025, None),
    ("image", "image.id", "990001", "image"),
    ("image", "image.link", GONE, "image"),
    ("image", "image.link", "ftp://provedor.example/a.jpg", None),
    ("image", "image.filename", "a.jpg", None),
    ("image", "image", GONE, None),
    ("video", "video.caption", "x" * 1025, None),
    ("audio", "audio.caption", "x", None),
    ("document", "document.caption", "x" * 1025, None),
    ("document", "document.filename", "x" * 241, None),
    ("sticker", "sticker.caption", "x", None),
    ("location", "location.latitude", 90.01, None),
    ("location", "location.latitude", -90.01, None),
    ("location", "location.longitude", 180.01, None),
    ("location", "location.longitude", GONE, None),
    ("location", "location.colour", "red", None),
    ("contacts", "contacts", [], None),
    ("contacts", "contacts", [MESSAGES["contacts"]["contacts"][0]] * 258, None),
    ("contacts", "contacts.0.name.formatted_name", GONE, None),
    ("contacts", "contacts.0.name.first_name", GONE, "contacts.0.name"),
    ("reaction", "reaction.emoji", "ok", None),
    ("reaction", "reaction.emoji", "👍" * 13, None),
    ("reaction", "reaction.emoji", GONE, None),
    ("buttons", "interactive.body.text", "x" * 1025, None),
    ("buttons", "interactive.body", GONE, None),
    ("buttons", "interactive.header.text", "x" * 61, None),
    ("buttons", "interactive.header.type", "location", "interactive.header"),
    ("buttons", "interactive.footer.text", "x" * 61, None),
    ("buttons", f"{ACTION}.buttons", replies(4), None),
    ("buttons", f"{ACTION}.buttons", [], None),
    ("buttons", f"{ACTION}.buttons.1.reply.title", "x" * 21, None),
    ("buttons", f"{ACTION}.buttons.1.reply.id", "x" * 257, None),
    ("buttons", f"{ACTION}.buttons.1.reply.id", "menu:2via", f"{ACTION}.buttons"),
    ("buttons", f"{ACTION}.buttons.1.reply.title", "Segunda via", f"{ACTION}.buttons"),
    ("buttons", f"{ACTION}.buttons.0.type", "url", None),
    ("list", "interactive.body.text", "x" * 4097, None),
    ("list", "interactive.header", {"type": "image", "image": {"link": "https://a.example/a.jpg"}}, "interactive.header.type"),
    ("list", f"{ACTION}.button", "x" * 21, None),
    ("list", f"{ACTION}.sections", [{"title": f"S{n}", "rows": [{"id": f"{n}", "title": f"{n}"}]} for n in range(11)], None),
    ("list", f"{ACTION}.sections.0.rows", rows(11), None),
    ("list", f"{ACTION}.sections", [{"title": "A", "rows": rows(6)}, {"title": "B", "rows": [{"id": f"x{r}", "title": f"x{r}"} for r in range(5)]}], None),
    ("list", f"{ACTION}.sections", [{"title": "A", "rows": rows(1)}, {"rows": [ROW]}], None),
    ("list", f"{ACTION}.sections.0.title", "x" * 25, None),
    ("list", f"{ACTION}.sections.0.rows.0.title", "x" * 25, None),
    ("list", f"{ACTION}.sections.0.rows.0.description", "x" * 73, None),
    ("list", f"{ACTION}.sections.0.rows.0.id", "x" * 201, None),
    ("list", f"{ACTION}.sections.0.rows.0.id", "plano:500", f"{ACTION}.sections"),
    ("list", f"{ACTION}.sections.0.rows.0.title", "Fibra 500", f"{ACTION}.sections"),
    ("cta_url", f"{PARAMETERS}.display_text", "x" * 21, None),
    ("cta_url", f"{PARAMETERS}.url", "provedor.example", None),
    ("cta_url", "interactive.body.text", "x" * 1025, None),
    ("cta_url", f"{ACTION}.name", "cta", None),
    ("flow", f"{PARAMETERS}.flow_cta", "x" * 31, None),
    ("flow", f"{PARAMETERS}.flow_name", "cadastro", PARAMETERS),
    ("flow", f"{PARAMETERS}.flow_id", GONE, PARAMETERS),
    ("flow", f"{PARAMETERS}.flow_action", "data_exchange", PARAMETERS),
    ("flow", f"{PARAMETERS}.flow_message_version", GONE, None),
    ("location_request", f"{ACTION}.name", "send", None),
    ("location_request", "interactive.body.text", "x" * 1025, None),
    ("contact_request", f"{ACTION}.name", "request", None),
    ("contact_request", "interactive.body.text", "", None),
    ("order_details", f"{PARAMETERS}.reference_id", "x" * 61, None),
    ("order_details", f"{PARAMETERS}.reference_id", "com espaço", None),
    ("order_details", f"{PARAMETERS}.currency", "USD", None),
    ("order_details", f"{PARAMETERS}.type", "services", None),
    ("order_details", f"{PARAMETERS}.payment_type", "in", None),
    ("order_details", f"{PARAMETERS}.payment_settings", [], None),
    ("order_details", f"{PARAMETERS}.payment_settings.1", {"type": "payment_link", "payment_link": {"uri": "https://a.example/1"}}, f"{PARAMETERS}.payment_settings"),
    ("order_details", f"{PARAMETERS}.payment_settings.0.type", "upi", f"{PARAMETERS}.payment_settings.0"),
    ("order_details", f"{PARAMETERS}.payment_settings.0.pix_dynamic_code.code", "x" * 2001, None),
    ("order_details", f"{PARAMETERS}.payment_settings.0.pix_dynamic_code.merchant_name", "x" * 61, None),
    ("order_details", f"{PARAMETERS}.payment_settings.0.pix_dynamic_code.key_type", "RG", None),
    ("order_details", f"{PARAMETERS}.payment_settings.1.boleto.digitable_line", "1" * 46, None),
    ("order_details", f"{PARAMETERS}.payment_settings.2.payment_link.uri", "pagar", None),
    ("order_details", f"{PARAMETERS}.total_amount.value", 9491, PARAMETERS),
    ("order_details", f"{PARAMETERS}.total_amount.offset", 10, None),
    ("order_details", f"{PARAMETERS}.total_amount", GONE, None),
    ("order_details", f"{ORDER}.subtotal.value", 9989, ORDER),
    ("order_details", f"{ORDER}.items", [], None),
    ("order_details", f"{ORDER}.items.0.name", "x" * 61, None),
    ("order_details", f"{ORDER}.items.0.quantity", 0, None),
    ("order_details", f"{ORDER}.items.0.amount.value", -1, None),
    ("order_details", f"{ORDER}.discount.description", "x" * 61, None),
    ("order_details", f"{ORDER}.status", "completed", None),
    ("order_details", f"{ORDER}.tax", GONE, None),
    ("order_status", f"{ORDER}.status", "done", None),
    ("order_status", f"{ORDER}.description", "x" * 121, None),
    ("order_status", f"{PARAMETERS}.payment.status", "paid", None),
    ("order_status", PARAMETERS, {"reference_id": "a"}, None),
    ("template", "name", GONE, None),
    ("template", "components.0.parameters", text_parameters("a\nb"), "components.0.parameters.0.text"),
    ("template", "components.0.parameters", text_parameters("a\tb"), "components.0.parameters.0.text"),
    ("template", "components.0.parameters", text_parameters("a     b"), "components.0.parameters.0.text"),
    ("template", "components.0.parameters", text_parameters(""), "components.0.parameters.0.text"),
    ("template", "components.0.parameters", text_parameters("x" * 1010), "components.0"),
    ("template", "components.0.parameters", text_parameters("Ana", "Souza"), "components.0"),
    ("template", "components", [], None),
    ("template", "components.0.parameters.0.parameter_name", "nome", None),
    ("template", "components.0.type", "footer", "components.0"),
    ("template", "components", [{"type": "body", "parameters": text_parameters("Ana")}] * 2, None),
    ("template_named", "components.0", {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/a.jpg"}}]}, "components.0.parameters.0.type"),
    ("template_named", "components.0", GONE, "components"),
    ("template_named", "components.1.parameters.0.parameter_name", "nome", None),
    ("template_named", "components.1.parameters.0.parameter_name", GONE, None),
    ("template_named", "components.1.parameters.1.parameter_name", "primeiro_nome", "components.1"),
    ("template_named", "components.2", GONE, "components"),
    ("template_named", "components.2.index", 1, None),
    ("template_named", "components.2.sub_type", "voice", "components.2"),
    ("template_named", "components.2.parameters.0.text", "", None),
    ("template_code", "components.1.parameters.0.text", "1" * 16, None),
    ("template_code", "components.1", GONE, "components"),
    ("template_offer", "components.0", GONE, "components"),
    ("template_offer", "components.0.parameters.0.limited_time_offer.expiration_time_ms", 0, None),
    ("template_offer", "components.2.parameters.0.coupon_code", "x" * 16, None),
    ("template_offer", "components.2.parameters.0.coupon_code", "DEZ %", None),
    ("template_offer", "components.2", GONE, "components"),
    ("template_carousel", "components.1.cards", MESSAGES["template_carousel"]["components"][1]["cards"][:1], None),
    ("template_carousel", "components.1.cards", [{**card, "card_index": n} for n in range(11) for card in MESSAGES["template_carousel"]["components"][1]["cards"][:1]], None),
    ("template_carousel", "components.1.cards", [{**card, "card_index": n} for n in range(3) for card in MESSAGES["template_carousel"]["components"][1]["cards"][:1]], "components.1"),
    ("template_carousel", "components.1.cards.1.card_index", 0, "components.1.cards"),
    ("template_carousel", "components.1.cards.1.components.0", GONE, "components.1.cards.1.components"),
    ("template_carousel", "components.1.cards.0.components.1.parameters", text_parameters("a", "b"), "components.1.cards.0.components.1"),
    ("template_carousel", "components.1", GONE, "components"),
    ("template_catalog", f"{SHOWN_1}.thumbnail_product_retailer_id", "x" * 101, None),
    ("template_catalog", f"{SHOWN_1}.thumbnail_product_retailer_id", GONE, None),
    ("template_catalog", "components.1.sub_type", "mpm", f"{SHOWN_1}.sections"),
    ("template_products", "components", [], None),
    ("template_products", f"{SHOWN_0}.thumbnail_product_retailer_id", GONE, None),
    ("template_products", f"{SHOWN_0}.sections", [], None),
    ("template_products", f"{SHOWN_0}.sections", [{"title": f"S{n}", "product_items": products(1)} for n in range(11)], None),
    ("template_products", f"{SHOWN_0}.sections.0.product_items", products(31), None),
    ("template_products", f"{SHOWN_0}.sections.0.product_items", products(30), f"{SHOWN_0}.sections"),
    ("template_products", f"{SHOWN_0}.sections.0.product_items", [], None),
    ("template_products", f"{SHOWN_0}.sections.0.title", "x" * 25, None),
    ("template_products", f"{SHOWN_0}.sections.0.title", "Extras", f"{SHOWN_0}.sections"),
    ("template_products", f"{SHOWN_0}.sections.1.product_items.0.product_retailer_id", "x" * 101, None),
    ("template_product_cards", "components.0.cards.0.components.0.parameters.0.product.catalog_id", GONE, None),
    ("template_product_cards", "components.0.cards.1.components.0.parameters.0.product.product_retailer_id", "", None),
    ("template_product_cards", "components.0.cards.1.components.0", {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/a.jpg"}}]}, "components.0.cards.1.components.0.parameters.0.type"),
    ("template_bill", "components", [{"type": "body", "parameters": text_parameters("Ana")}], None),
    ("template_bill", f"{SHOWN_1}.order_details.reference_id", "com espaço", None),
    ("template_bill", f"{SHOWN_1}.order_details.total_amount.value", 1, f"{SHOWN_1}.order_details"),
    ("template_bill", f"{SHOWN_1}.order_details.payment_settings.1.boleto.digitable_line", "1" * 46, None),
    ("template_bill", f"{SHOWN_1}.order_details", GONE, None),
    ("template_flow", "components.0.index", 1, None),
    ("template_flow", "components.0.sub_type", "quick_reply", "components.0.parameters.0.type"),
]  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_passes_here_and_at_the_simulator(name: str):
    kind, body = as_called(copy.deepcopy(MESSAGES[name]))
    judged(kind, body)


@pytest.mark.parametrize(("name", "path", "value", "named"), BROKEN)
def test_a_broken_limit_is_refused_with_its_field_and_by_the_simulator(name, path, value, named):
    request = broken(name, path, value)
    with pytest.raises((ValidationError, TemplateMismatch)) as refused:
        as_called(request)
    assert f"body.{named or path}" in fields_of(refused.value, request)
    with pytest.raises(MetaError):
        judged(*raw_call(request))


def fields_of(error: Exception, request: dict[str, Any]) -> list[str]:
    """The fields that the door would name."""
    if isinstance(error, TemplateMismatch):
        return [fault["field"] for fault in error.context["errors"]]
    assert isinstance(error, ValidationError)
    return [path_of({**fault, "loc": ("body", *fault["loc"])}, request) for fault in error.errors()]


@pytest.mark.parametrize(
    ("name", "path", "value", "says"),
    [
        ("text", "text", "x" * 4097, "4096"),
        ("buttons", f"{ACTION}.buttons.1.reply.title", "x" * 21, "20"),
        ("list", f"{ACTION}.sections.0.rows", rows(11), "10"),
        ("template", "components.0.parameters", text_parameters("x" * 1010), "1024"),
        ("template", "components.0.parameters", text_parameters("a     b"), "4 spaces"),
        ("template", "components", [], "takes 1 parameters, 0 given"),
        ("image", "image.link", "https://provedor.example/a.gif", "image/jpeg, image/png"),
        ("voice", "audio.link", "https://provedor.example/voz.mp3", "audio/ogg"),
    ],
)
def test_a_refusal_says_the_limit_and_never_the_value(name, path, value, says):
    request = broken(name, path, value)
    with pytest.raises((ValidationError, TemplateMismatch)) as refused:
        as_called(request)
    error = refused.value
    told = error.context["errors"] if isinstance(error, TemplateMismatch) else error.errors()
    messages = " ".join(str(fault.get("message") or fault.get("msg")) for fault in told)
    assert says in messages and "xxxx" not in messages


def test_an_unknown_kind_and_an_unknown_key_are_refused():
    for request in ({"type": "poll"}, {"text": "oi"}, {**MESSAGES["text"], "colour": "red"}):
        with pytest.raises(ValidationError):
            validated(request)


def test_an_offer_that_has_ended_is_refused():
    path = "components.0.parameters.0.limited_time_offer.expiration_time_ms"
    with pytest.raises(TemplateMismatch) as refused:
        as_called(broken("template_offer", path, 1_700_000_000_000))
    assert fields_of(refused.value, {}) == [f"body.{path}"]
