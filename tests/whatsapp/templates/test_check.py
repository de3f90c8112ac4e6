"""Every limit of Meta's on templates is found before Meta is asked, with the field that breaks it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.simulator.defaults import default_templates
from hub_api.whatsapp.templates.check import Draft, check
from tests.whatsapp.templates.drafting import BODY, STOP, bill, card, plain


def faults(draft: Draft) -> dict[str, str]:
    return {fault.field: fault.message for fault in check(draft).faults}


def buttons(*given: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(given)}


def reply(label: str = "Sim") -> dict[str, Any]:
    return {"type": "QUICK_REPLY", "text": label}


def url(**more: Any) -> dict[str, Any]:
    return {"type": "URL", "text": "Abrir", "url": "https://telecom.example/a", **more}


def body(text: str, *examples: str) -> dict[str, Any]:
    return {"type": "BODY", "text": text, "example": {"body_text": [list(examples)]} if examples else {}}


def positional(text: str, *examples: str) -> Draft:
    return bill(components=[body(text, *examples)], parameter_format="POSITIONAL")


def header(**more: Any) -> dict[str, Any]:
    return {"type": "HEADER", "format": "TEXT", "text": "Fatura", **more}


WRONG: dict[str, tuple[Draft, str]] = {
    "name in capitals": (bill(name="Fatura"), "name"),
    "name with an accent": (bill(name="cobrança"), "name"),
    "name of 513": (bill(name="a" * 513), "name"),
    "language": (bill(language="pt-br"), "language"),
    "category": (bill(category="ALERT"), "category"),
    "ttl of a utility": (bill(ttl_s=29), "ttl_s"),
    "no body": (bill(components=[header()]), "components"),
    "two bodies": (bill(components=[BODY, BODY]), "components[1]"),
    "unknown component": (bill(components=[BODY, {"type": "TITLE"}]), "components[1].type"),
    "empty body": (bill(components=[plain(" ")]), "components[0].text"),
    "body of 1025": (bill(components=[plain("a" * 1025)]), "components[0].text"),
    "four lines apart": (bill(components=[plain("um\n\n\ndois")]), "components[0].text"),
    "variable first": (positional("{{1}}, sua fatura chegou hoje.", "Ana"), "components[0].text"),
    "variable last": (positional("Sua fatura chegou, {{1}}", "Ana"), "components[0].text"),
    "variables side by side": (positional("Olá {{1}} {{2}}, sua fatura chegou.", "A", "B"), "components[0].text"),
    "numbers with a gap": (positional("Olá {{1}} e também {{3}} vocês.", "A", "B"), "components[0].text"),
    "variable left open": (positional("Olá {{1}, tudo bem por aí?"), "components[0].text"),
    "names among positional ones": (positional("Olá {{nome}}, tudo bem?", "Ana"), "components[0].text"),
    "numbers among named ones": (bill(components=[body("Olá {{1}}, tudo bem?", "Ana")]), "components[0].text"),
    "no example": (positional("Olá {{1}}, tudo bem?"), "components[0].example.body_text"),
    "one example too few": (positional("Olá {{1}} e {{2}} daí.", "A"), "components[0].example.body_text"),
    "no example of a name": (
        bill(components=[{**BODY, "example": {}}]),
        "components[0].example.body_text_named_params",
    ),
    "header of 61": (bill(components=[header(text="a" * 61), BODY]), "components[0].text"),
    "bold header": (bill(components=[header(text="*Fatura*"), BODY]), "components[0].text"),
    "two variables in a header": (
        bill(
            components=[header(text="A {{a}} b {{c}} d"), BODY],
        ),
        "components[0].text",
    ),
    "header of no format": (bill(components=[{"type": "HEADER"}, BODY]), "components[0].format"),
    "header without a sample": (
        bill(components=[header(format="IMAGE"), BODY]),
        "components[0].example.header_handle",
    ),
    "footer of 61": (bill(components=[BODY, {"type": "FOOTER", "text": "a" * 61}]), "components[1].text"),
    "footer with a variable": (
        bill(components=[BODY, {"type": "FOOTER", "text": "Oi {{1}} aí"}]),
        "components[1].text",
    ),
    "eleven buttons": (
        bill(components=[BODY, buttons(*(reply(f"Opção {n}") for n in range(11)))]),
        "components[1].buttons",
    ),
    "label of 26": (bill(components=[BODY, buttons(reply("a" * 26))]), "components[1].buttons[0].text"),
    "the same label twice": (bill(components=[BODY, buttons(reply(), reply())]), "components[1].buttons[1].text"),
    "replies apart": (
        bill(components=[BODY, buttons(reply("A"), url(), reply("B"))]),
        "components[1].buttons",
    ),
    "three addresses": (
        bill(components=[BODY, buttons(url(text="A"), url(text="B"), url(text="C"))]),
        "components[1].buttons",
    ),
    "no address": (bill(components=[BODY, buttons(url(url="telecom.example"))]), "components[1].buttons[0].url"),
    "variable inside an address": (
        bill(components=[BODY, buttons(url(url="https://t.example/{{1}}/a", example=["x"]))]),
        "components[1].buttons[0].url",
    ),
    "address without example": (
        bill(components=[BODY, buttons(url(url="https://t.example/{{1}}"))]),
        "components[1].buttons[0].example",
    ),
    "no phone": (
        bill(components=[BODY, buttons({"type": "PHONE_NUMBER", "text": "Ligar", "phone_number": "zero"})]),
        "components[1].buttons[0].phone_number",
    ),
    "coupon of 16": (
        bill(components=[BODY, buttons({"type": "COPY_CODE", "example": "A" * 16})]),
        "components[1].buttons[0].example",
    ),
    "no flow": (
        bill(components=[BODY, buttons({"type": "FLOW", "text": "Começar"})]),
        "components[1].buttons[0].flow_id",
    ),
    "one card": (bill(components=[BODY, {"type": "CAROUSEL", "cards": [card()]}]), "components[1].cards"),
    "cards that differ": (
        bill(components=[BODY, {"type": "CAROUSEL", "cards": [card(), {"components": card()["components"][:2]}]}]),
        "components[1].cards",
    ),
    "card text of 161": (
        bill(components=[BODY, {"type": "CAROUSEL", "cards": [card(), card(text="a" * 161)]}]),
        "components[1].cards[1].components[1].text",
    ),
    "footer beside a carousel": (
        bill(components=[BODY, {"type": "FOOTER", "text": "a"}, {"type": "CAROUSEL", "cards": [card(), card()]}]),
        "components[1]",
    ),
    "code with a text": (
        bill(category="AUTHENTICATION", components=[BODY, buttons({"type": "OTP", "otp_type": "COPY_CODE"})]),
        "components[0].text",
    ),
    "code without a button": (bill(category="AUTHENTICATION", components=[{"type": "BODY"}]), "components.buttons"),
    "code that expires in 91 minutes": (
        bill(
            category="AUTHENTICATION",
            components=[
                {"type": "BODY"},
                {"type": "FOOTER", "code_expiration_minutes": 91},
                buttons({"type": "OTP", "otp_type": "COPY_CODE"}),
            ],
        ),
        "components[1].code_expiration_minutes",
    ),
    "one tap without an app": (
        bill(
            category="AUTHENTICATION",
            components=[{"type": "BODY"}, buttons({"type": "OTP", "otp_type": "ONE_TAP"})],
        ),
        "components[1].buttons[0].supported_apps",
    ),
    "offer in a utility": (
        bill(components=[BODY, {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Hoje"}}, buttons(url())]),
        "components[1]",
    ),
    "offer of 17": (
        bill(
            category="MARKETING",
            components=[
                BODY,
                {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "a" * 17}},
                buttons(url()),
            ],
        ),
        "components[1].limited_time_offer.text",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_limit_that_is_broken_is_found_at_its_field(case):
    draft, field = WRONG[case]
    assert field in faults(draft)


RIGHT = {
    "bill": bill(),
    "header with one variable": bill(
        components=[
            header(text="Fatura de {{mes}} aqui", example={"header_text_named_params": [{"param_name": "mes", "example": "maio"}]}),
            BODY,
        ]
    ),
    "ten buttons": bill(components=[BODY, buttons(*(reply(f"Opção {n}") for n in range(8)), url(text="A"), url(text="B"))]),
    "dynamic address": bill(
        components=[BODY, buttons(url(url="https://t.example/{{1}}", example=["https://t.example/abc"]))]
    ),
    "carousel": bill(category="MARKETING", components=[plain("Veja os planos:"), {"type": "CAROUSEL", "cards": [card(), card()]}]),
    "code": bill(
        category="AUTHENTICATION",
        parameter_format="POSITIONAL",
        ttl_s=-1,
        components=[
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": 5},
            buttons({"type": "OTP", "otp_type": "COPY_CODE", "text": "Copiar"}),
        ],
    ),
    "offer": bill(
        category="MARKETING",
        components=[
            BODY,
            {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Só hoje!", "has_expiration": True}},
            buttons({"type": "COPY_CODE", "example": "FIBRA50"}, url()),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_what_meta_takes_has_no_fault(case):
    assert faults(RIGHT[case]) == {}


def test_the_simulator_s_own_templates_pass():
    for one in default_templates():
        if one["category"] != "AUTHENTICATION":  # listed as Meta wrote it, not as it was asked for
            draft = Draft(one["name"], one["language"], one["category"], one["components"], one["parameter_format"])
            expected = (
                {"components[0].text"} if one["name"] == "oferta_fibra" else set()
            )  # an old one: begins with {{1}}
            assert faults(draft).keys() == expected, one["name"]


def test_advertising_without_a_way_out_is_a_warning():
    loud = bill(category="MARKETING")
    assert [w.field for w in check(loud).warnings] == ["components"]
    assert check(bill(category="MARKETING", components=[BODY, STOP])).warnings == []


def test_many_variables_in_few_words_are_a_warning():
    [warning] = check(positional("Oi {{1}} e {{2}} aí", "A", "B")).warnings
    assert warning.field == "components[0].text"


leaf = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6) | st.just("{{1}}")
part = st.dictionaries(
    st.sampled_from(["type", "format", "text", "example", "buttons", "cards", "limited_time_offer", "url"]),
    leaf | st.lists(leaf, max_size=2) | st.dictionaries(st.sampled_from(["body_text", "header_handle", "text"]), leaf),
    max_size=4,
)
KINDS = st.sampled_from(["BODY", "HEADER", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "x"])


@given(st.lists(st.tuples(KINDS, part), max_size=4), st.sampled_from(["MARKETING", "AUTHENTICATION", "UTILITY"]))
def test_whatever_is_written_is_judged_and_never_crashes(given_parts, category):
    draft = Draft("x", "pt_BR", category, [{**content, "type": kind} for kind, content in given_parts])
    assert all(fault.field and fault.message for fault in check(draft).faults)
