"""What our validator accepts, the simulator accepts, whatever the message; and what pywa builds, we accept."""

import asyncio
import copy
from typing import Any

import httpx
import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError
from pywa.types import templates as t
from pywa_async import WhatsApp, types

from hub_api.errors import NotFound
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from hub_api.whatsapp.compose.template_check import TemplateMismatch
from tests.support.simulator import ANA, TOKEN, GraphTransport, test_config
from tests.whatsapp.compose.kinds import GONE, MESSAGES, as_called, judged, simulated_template

# Around every limit there is, and odd ones.
LENGTHS = sorted(
    {n + d for n in (0, 12, 15, 20, 24, 25, 30, 60, 72, 120, 200, 256, 1024, 4096) for d in (-1, 0, 1)} - {-1}
)
TEXTS = st.one_of(
    st.sampled_from(LENGTHS).map("x".__mul__),
    st.text(max_size=30),
    st.sampled_from(["👍", "", " ", "a\nb", "a     b", "Segunda via", "FIBRA25", "123456", "990001", "nome"]),
    st.sampled_from(["https://a.example/x", "http://a.example", "https://", "text", "image", "body", "url"]),
)
VALUES = st.one_of(
    TEXTS,
    st.integers(-2, 20),
    st.integers(),
    st.floats(-200, 200),
    st.booleans(),
    st.none(),
    st.just([]),
    st.just({}),
    st.just(GONE),
)
# Fields whose value is anybody's choice within a limit.
FREE = {
    "text",
    "caption",
    "filename",
    "id",
    "title",
    "description",
    "display_text",
    "flow_cta",
    "flow_token",
    "latitude",
}
FREE |= {"longitude", "name", "address", "payload", "coupon_code", "emoji", "merchant_name", "reference_id", "index"}


def _like(value: Any) -> st.SearchStrategy[Any]:
    """Values of the same type, which are accepted more often."""
    if isinstance(value, str):
        return TEXTS
    if isinstance(value, bool | int | float):
        return st.one_of(st.integers(-2, 100), st.floats(-200, 200))
    return VALUES


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every field and item."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in ((*path, key), *_places(inner, (*path, key)))]


def _changed(message: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        message = message[step]
    if value is GONE:
        del message[path[-1]]
    elif value == "again" and isinstance(message, list):
        message.append(copy.deepcopy(message[path[-1]]))
    else:
        message[path[-1]] = value


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """An example with one or two fields set to something else, taken away or repeated."""
    message = copy.deepcopy(MESSAGES[draw(st.sampled_from(sorted(MESSAGES)))])
    for _ in range(draw(st.integers(1, 2))):
        places = _places(message)
        free = [place for place in places if place[-1] in FREE]
        path = draw(st.sampled_from(draw(st.sampled_from([free or places, free or places, places]))))
        if path[0] != "type":
            old = message
            for step in path:
                old = old[step]
            _changed(message, path, draw(st.one_of(_like(old), _like(old), VALUES, st.just("again"))))
    return message


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages())
def test_what_we_accept_the_simulator_accepts(request: dict[str, Any]):
    try:
        kind, body = as_called(request)
    except (ValidationError, TemplateMismatch, NotFound, KeyError):  # a file or template that nobody has
        return
    judged(kind, body)


def _request(call: dict[str, Any]) -> dict[str, Any]:
    """The request of ours that stands for a send call."""
    kind, body = call["type"], call[call["type"]]
    if kind == "text":
        return {"type": "text", "text": body["body"], "preview_url": bool(body.get("preview_url"))}
    if kind == "template":
        return {
            "type": kind,
            "name": body["name"],
            "language": body["language"]["code"],
            "components": body["components"],
        }
    if kind == "reaction":
        body = {**body, "message_id": "0199f2c0-7a10-7c31-9a5e-3d1f0b6c2a12"}
    return {"type": kind, kind: body}


async def test_what_pywa_sends_we_would_send_too():
    """pywa is written by others from Meta's documentation: its calls pass our validation unchanged."""
    async with (
        Simulator(test_config(enforce_limits=frozenset())) as sim,
        httpx.AsyncClient(transport=GraphTransport(sim)) as session,
    ):
        sim.core.world.register([NewUser(ANA, name="Ana Souza")])
        waba = next(iter(sim.core.world.wabas.values()))
        waba.templates.clear()
        for name in ("fatura_com_documento", "codigo_acesso", "oferta_relampago", "atualizar_cadastro"):
            sim.core.world.add_template(waba, **simulated_template(name))
        wa = WhatsApp(phone_id=PHONE_NUMBER_ID, token=TOKEN, session=session)
        await _send_everything(wa)
        calls = [call.body for call in sim.core.ledger.calls if call.outcome == "accepted"]
    assert len(calls) == len(sim.core.ledger.calls) == 19
    for call in calls:
        kind, body = await asyncio.to_thread(as_called, _request(call))
        assert kind == call["type"]
        judged(kind, body)


async def _send_everything(wa: WhatsApp) -> None:
    language = t.TemplateLanguage.PORTUGUESE_BR
    await wa.send_message(ANA, "Olá!", preview_url=True)
    await wa.send_image(ANA, "https://telecom.example/a.png", caption="veja")
    await wa.send_video(ANA, "https://telecom.example/a.mp4")
    await wa.send_voice(ANA, "https://telecom.example/a.ogg")
    await wa.send_document(ANA, "https://telecom.example/f.pdf", filename="f.pdf", caption="fatura")
    await wa.send_sticker(ANA, "https://telecom.example/a.webp")
    await wa.send_reaction(ANA, "👍", message_id="wamid.X")
    await wa.remove_reaction(ANA, message_id="wamid.X")
    await wa.send_location(ANA, latitude=-23.55, longitude=-46.63, name="Loja Sé", address="Praça da Sé")
    phone = types.Contact.Phone(phone="+551130001000", type="WORK")
    name = types.Contact.Name(formatted_name="Suporte", first_name="Suporte")
    await wa.send_contact(ANA, types.Contact(name=name, phones=[phone]))
    buttons = [types.Button("Segunda via", "2via"), types.Button("Sem sinal", "sinal")]
    await wa.send_message(ANA, "Como posso ajudar?", header="Menu", footer="Telecom", buttons=buttons)
    rows = [types.SectionRow("Fibra 500", "500", "R$ 99,90"), types.SectionRow("Fibra 300", "300")]
    await wa.send_message(ANA, "Escolha", buttons=types.SectionList("Planos", [types.Section("Fibra", rows)]))
    await wa.send_message(ANA, "Veja", buttons=types.URLButton("Abrir", "https://telecom.example/2via"))
    await wa.send_message(ANA, "Cadastro", buttons=types.FlowButton(title="Começar", flow_id="1", flow_token="t1"))
    await wa.send_message(ANA, "Qual o seu telefone?", buttons=types.ContactInfoRequestButton())
    await wa.request_location(ANA, "Onde você está?")
    document = t.HeaderDocument.params(document="https://telecom.example/fatura.pdf")
    words = t.BodyText.params(primeiro_nome="Ana", valor="R$ 9,90")
    url = t.URLButton.params(url_variable="2via/abc", index=0)
    await wa.send_template(ANA, "fatura_com_documento", language, params=[document, words, url])
    code = [t.BodyText.params("123456"), t.CopyCodeOTPButton.params(otp="123456")]
    await wa.send_template(ANA, "codigo_acesso", language, params=code)
    flow = t.FlowButton.params(flow_token="t1", index=0)
    await wa.send_template(ANA, "atualizar_cadastro", language, params=[flow])
