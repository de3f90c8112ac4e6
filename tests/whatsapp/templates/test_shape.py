"""What a send must fill in follows from a template's components."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from hub_api.simulator.defaults import default_templates
from hub_api.whatsapp.templates.shape import Button, Offer, read_shape, texts


def simulated(name: str) -> dict[str, Any]:
    return next(one for one in default_templates() if one["name"] == name)


def test_named_variables_and_the_header_s_document_are_what_a_send_fills():
    template = simulated("fatura_com_documento")
    shape = read_shape(template["components"], template["parameter_format"])
    assert shape.named and shape.body.variables == ("primeiro_nome", "valor")
    assert shape.header is not None and shape.header.is_media and shape.header.format == "DOCUMENT"
    assert [(b.index, b.needs, b.required) for b in shape.buttons] == [(0, "url", True), (1, "quick_reply", False)]


def test_the_format_follows_from_the_variables_when_nobody_says_it():
    assert read_shape([{"type": "body", "text": "Olá {{nome}}, tudo bem?"}]).format == "NAMED"
    assert read_shape([{"type": "BODY", "text": "Olá {{1}} e {{ 2 }} e {{1}}!"}]).body.variables == ("1", "2")
    assert read_shape([{"type": "BODY", "text": "Olá"}]).format == "POSITIONAL"


def test_a_one_time_code_has_a_body_and_a_button_that_meta_writes():
    listed = read_shape(simulated("codigo_acesso")["components"])
    asked = read_shape(
        [
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": 5},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
        ]
    )
    for shape in (listed, asked):
        assert shape.code and shape.body.variables == ("1",)
        assert shape.buttons[0].needs == "url" and shape.buttons[0].required
    assert asked.footer == "Este código expira em 5 minutos."


def test_cards_and_an_offer_are_read():
    card = {
        "components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "Plano {{1}} mega"},
            {
                "type": "BUTTONS",
                "buttons": [{"type": "PHONE_NUMBER", "text": "Ligar", "phone_number": "+551130001000"}],
            },
        ]
    }
    offer = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Só hoje", "has_expiration": True}}
    shape = read_shape([{"type": "BODY", "text": "Veja {{1}}!"}, {"type": "CAROUSEL", "cards": [card, card]}, offer])
    assert len(shape.cards) == 2 and shape.cards[1].index == 1
    assert shape.cards[0].buttons == (Button(0, "PHONE_NUMBER", "Ligar", phone="+551130001000"),)
    assert [text.variables for text in texts(shape)] == [("1",), ("1",), ("1",)]
    assert shape.offer == Offer("Só hoje", True)


PARTS = ["type", "text", "format", "buttons", "cards", "components", "url"]
leaves = st.none() | st.integers() | st.text(max_size=3)
objects = st.dictionaries(st.sampled_from(PARTS), leaves | st.lists(st.dictionaries(st.sampled_from(PARTS), leaves)))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(st.lists(objects, max_size=3), st.sampled_from(["BODY", "HEADER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"]))
def test_whatever_meta_lists_has_a_shape(components, kind):
    for component in components:
        component["type"] = kind
    assert read_shape(components).format in ("NAMED", "POSITIONAL")
