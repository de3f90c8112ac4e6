"""What the send endpoint says of a message's content: Meta's limits of each kind, each with its code."""

from typing import Any

import pytest

from tests.simulator.conftest import TEXT, interactive, otp
from tests.support.simulator import ANA


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "text", "text": {}}, 100),
        ({"type": "text", "text": {"body": ""}}, 100),
        ({"type": "text", "text": {"body": "x" * 4_097}}, 100),
        ({"type": "text", "text": {"body": "x", "colour": "red"}}, 100),
        ({"type": "hologram", "hologram": {}}, 100),
        ({"type": "image", "image": {}}, 100),
        ({"type": "image", "image": {"id": "1", "link": "https://x/y"}}, 100),
        ({"type": "image", "image": {"id": "999"}}, 100),
        ({"type": "image", "image": {"link": "ftp://x/y"}}, 100),
        ({"type": "image", "image": {"link": "https://x/y", "caption": "x" * 1_025}}, 100),
        ({"type": "audio", "audio": {"link": "https://x/y", "caption": "não pode"}}, 100),
        ({"type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "abc"}}, 131009),
        ({"type": "location", "location": {"latitude": 99, "longitude": 0}}, 131009),
        ({"type": "location", "location": {"latitude": 9}}, 100),
        ({"type": "contacts", "contacts": []}, 131009),
        ({"type": "contacts", "contacts": [{"phones": []}]}, 131008),
        ({**TEXT, "biz_opaque_callback_data": "x" * 513}, 100),
        ({**TEXT, "context": {}}, 100),
        ({**TEXT, "recipient_type": "group"}, 100),
        ({**TEXT, "messaging_product": "telegram"}, 100),
    ],
)
async def test_what_breaks_a_limit_is_refused_with_its_code(send, body, code):
    status, answer = await send(ANA, **body)
    assert (status, answer["error"]["code"]) == (400, code), answer
    assert answer["error"]["fbtrace_id"]
    assert answer["error"]["error_data"]["details"]


def button(id_: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": id_, "title": title}}


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": f"r{i}", "title": f"Linha {i}"} for i in range(count)]


@pytest.mark.parametrize(
    "body",
    [
        interactive("button", {"buttons": [button(str(i), f"T{i}") for i in range(4)]}),
        interactive("button", {"buttons": [button("1", "x" * 21)]}),
        interactive("button", {"buttons": [button("x" * 257, "T")]}),
        interactive("button", {"buttons": [button("1", "A"), button("1", "B")]}),
        interactive("button", {"buttons": [button("1", "A"), button("2", "A")]}),
        interactive("button", {"buttons": [button("1", "A")]}, text="x" * 1_025),
        interactive("button", {"buttons": [button("1", "A")]}, footer={"text": "x" * 61}),
        interactive("button", {"buttons": [button("1", "A")]}, header={"type": "text", "text": "x" * 61}),
        interactive("list", {"button": "Ver", "sections": [{"title": "S", "rows": rows(11)}]}),
        interactive("list", {"button": "Ver", "sections": [{"title": f"S{i}", "rows": rows(6)} for i in range(2)]}),
        interactive("list", {"button": "x" * 21, "sections": [{"title": "S", "rows": rows(1)}]}),
        interactive("list", {"button": "Ver", "sections": [{"rows": [{"id": "1", "title": "x" * 25}]}]}),
        interactive("list", {"button": "Ver", "sections": [{"rows": [{"id": "1", "title": "T", "description": "x" * 73}]}]}),
        interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "x" * 21, "url": "https://x"}}),
        interactive("request_contact_info", {"name": "other"}),
    ],
)  # fmt: skip
async def test_interactive_limits_are_refused_with_131009(send, body):
    status, answer = await send(ANA, **body)
    assert (status, answer["error"]["code"]) == (400, 131009), answer


@pytest.mark.parametrize(
    ("name", "values", "more", "status", "code"),
    [
        ("boas_vindas", (), {}, 400, 132000),
        ("boas_vindas", ("Ana", "Bia"), {}, 400, 132000),
        ("boas_vindas", ("Ana\nSouza",), {}, 400, 132018),
        ("boas_vindas", ("Ana     Souza",), {}, 400, 132018),
        ("boas_vindas", ("",), {}, 400, 131008),
        ("boas_vindas", ("x" * 1_025,), {}, 400, 132005),
        ("boas_vindas", ("nome=Ana",), {}, 400, 132012),
        ("boas_vindas", ("Ana",), {"language": "pt_PT"}, 404, 132001),
        ("nao_existe", (), {}, 404, 132001),
        ("fatura_disponivel", ("primeiro_nome=Ana",), {}, 400, 132000),
        ("fatura_disponivel", ("primeiro_nome=Ana", "total=9"), {}, 400, 132012),
        ("fatura_disponivel", ("Ana", "R$ 9"), {}, 400, 100),
        ("fatura_com_documento", ("primeiro_nome=Ana", "valor=9"), {}, 400, 132012),
        ("codigo_acesso", ("123456",), {}, 400, 131008),
        ("codigo_acesso", (), {"components": otp("1234567890123456")}, 400, 132005),
    ],
)
async def test_a_template_filled_in_wrongly_is_refused_with_its_code(send, name, values, more, status, code):
    given_status, answer = await send.template(name, *values, **more)
    assert (given_status, answer["error"]["code"]) == (status, code), answer


async def test_a_template_with_document_and_button_as_documented_is_accepted(send):
    components = [
        {"type": "header", "parameters": [{"type": "document", "document": {"link": "https://x/f.pdf", "filename": "f"}}]},
        {"type": "body", "parameters": [
            {"type": "text", "parameter_name": "primeiro_nome", "text": "Ana"},
            {"type": "text", "parameter_name": "valor", "text": "R$ 99,90"}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "2via/abc123"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "1",
         "parameters": [{"type": "payload", "payload": "OPTOUT_PROMO"}]},
    ]  # fmt: skip
    status, answer = await send.template("fatura_com_documento", components=components)
    assert status == 200, answer
