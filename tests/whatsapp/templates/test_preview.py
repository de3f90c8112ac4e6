"""The preview shows what the phone shows: markup, values, buttons, cards; and nothing of it can run in a browser."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.simulator.defaults import default_templates
from hub_api.whatsapp.templates.markup import Span, spans, to_html, to_plain
from hub_api.whatsapp.templates.preview import Values, example_values, preview, values_of_send
from hub_api.whatsapp.templates.shape import read_shape
from tests.whatsapp.templates.drafting import card

SEEN_ON_THE_PHONE = {
    "*negrito* e _itálico_": "<strong>negrito</strong> e <em>itálico</em>",
    "~riscado~ e ```mono *x*```": "<s>riscado</s> e <code>mono *x*</code>",
    "*um _dois_ três*": "<strong>um </strong><strong><em>dois</em></strong><strong> três</strong>",
    "2*3*4 e arquivo_de_teste": "2*3*4 e arquivo_de_teste",
    "* não é negrito *": "* não é negrito *",
    "*aberto\nfechado*": "*aberto<br>fechado*",
    "(*sim*), _sim_!": "(<strong>sim</strong>), <em>sim</em>!",
    "R$ *99,90*": "R$ <strong>99,90</strong>",
    "**": "**",
    "*a": "*a",
    "<b>&\"'": "&lt;b&gt;&amp;&quot;&#x27;",
}


@pytest.mark.parametrize("text", SEEN_ON_THE_PHONE)
def test_markup_is_read_as_the_phone_reads_it(text):
    assert to_html(spans(text)) == SEEN_ON_THE_PHONE[text]


@given(st.text(alphabet="*_~`ab \n<>&", max_size=60))
def test_no_text_makes_other_tags_than_ours_and_none_is_lost(text):
    runs = spans(text)
    shown = to_html(runs)
    assert set(re.findall(r"</?(\w+)>", shown)) <= {"strong", "em", "s", "code", "br"}
    assert html.unescape(re.sub(r"<[^<>]*>", "", shown.replace("<br>", "\n"))) == to_plain(runs)
    assert re.sub(r"[*_~`]", "", to_plain(runs)) == re.sub(r"[*_~`]", "", text)


def simulated(name):
    return next(one for one in default_templates() if one["name"] == name)


def test_a_send_s_parameters_stand_in_the_text_the_address_and_the_header():
    template = simulated("fatura_com_documento")
    sent = [
        {"type": "header", "parameters": [{"type": "document", "document": {"id": "9", "filename": "fatura.pdf"}}]},
        {
            "type": "body",
            "parameters": [
                {"type": "text", "parameter_name": "primeiro_nome", "text": "*Ana*"},
                {"type": "text", "parameter_name": "valor", "text": "R$ 99,90"},
            ],
        },
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "2via/abc"}]},
    ]
    shown = preview(read_shape(template["components"], "NAMED"), values_of_send(sent))
    assert shown.missing == []
    assert shown.body[:2] == [Span("Olá "), Span("Ana", ("bold",))]
    assert shown.header is not None and shown.header.media == "fatura.pdf"
    assert shown.buttons[0].url == "https://telecom.example/2via/abc"
    assert shown.as_text().splitlines() == [
        "[📄 documento fatura.pdf]",
        "Olá Ana, segue sua fatura de R$ 99,90 em anexo.",
        "[Segunda via] https://telecom.example/2via/abc",
        "[Parar promoções]",
    ]


def test_examples_fill_what_nobody_gave_and_what_is_left_is_named():
    template = simulated("fatura_com_documento")
    shape = read_shape(template["components"], "NAMED")
    assert (
        preview(shape, example_values(template["components"])).buttons[0].url == "https://telecom.example/2via/abc123"
    )
    empty = preview(shape, Values({"valor": "R$ 1"}, {}, {}))
    assert empty.missing == ["body.primeiro_nome", "button.0"]
    assert "{{primeiro_nome}}" in empty.as_text()


def test_a_value_that_is_html_stays_text():
    shape = read_shape([{"type": "HEADER", "text": "Oi {{1}} aí"}, {"type": "BODY", "text": "Olá {{1}}, bem-vindo"}])
    evil = '<script>alert("1")</script>'
    shown = preview(shape, Values({"1": evil}, {"1": evil}, {})).as_html()
    assert "<script" not in shown and shown.count("&lt;script&gt;") == 2


def test_cards_are_shown_one_by_one():
    components = [
        {"type": "BODY", "text": "Planos:"},
        {"type": "CAROUSEL", "cards": [card(), card(text="1 {{1}} giga")]},
    ]
    shown = preview(read_shape(components), Values({}, {}, {}, "", {1: Values({"1": "super"}, {}, {})}))
    assert "1 super giga" in shown.as_text()
    assert shown.as_html().count('class="card"') == 2
    assert shown.as_json()["cards"][0]["header"]["format"] == "IMAGE"
