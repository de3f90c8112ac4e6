"""pywa, an independent client of the Cloud API, sends every kind of message through the simulator."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pywa import errors
from pywa.types import templates as t
from pywa_async import WhatsApp, types

from hub_api.simulator.config import PHONE_NUMBER_ID, PORTFOLIO_ID, WABA_ID
from hub_api.simulator.render import choices_of, text_of
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.simulator import ANA, ANA_BSUID, TOKEN, GraphTransport, test_config

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(test_config(template_review_s=0.05)) as running:
        ana = running.core.world.register([NewUser(ANA, name="Ana Souza", bsuid=ANA_BSUID)])[0]
        ana.pair(PHONE_NUMBER_ID).wrote_at = running.core.clock.now()
        yield running


@pytest.fixture
async def wa(sim: Simulator) -> AsyncIterator[WhatsApp]:
    async with httpx.AsyncClient(transport=GraphTransport(sim)) as session:
        yield WhatsApp(
            phone_id=PHONE_NUMBER_ID, token=TOKEN, session=session, waba_id=WABA_ID, business_portfolio_id=PORTFOLIO_ID
        )


def last_call(sim: Simulator) -> dict:
    return sim.core.ledger.calls[-1].body


async def test_a_text_comes_back_with_a_wamid_and_the_wa_id(sim, wa):
    sent = await wa.send_message(ANA, "Olá! Sua fatura está pronta.", preview_url=True, tracker="m1.1")
    assert sent.id.startswith("wamid.")
    assert sent.input == ANA
    assert last_call(sim)["biz_opaque_callback_data"] == "m1.1"
    assert sim.core.messages[sent.id].user.name == "Ana Souza"


async def test_a_user_addressed_by_bsuid_gets_the_message(sim, wa):
    sent = await wa.send_message(ANA_BSUID, "Olá!")
    assert last_call(sim)["recipient"] == ANA_BSUID
    assert sim.core.messages[sent.id].user.phone == ANA


async def test_every_medium_goes_by_id_and_by_link(sim, wa):
    media = await wa.upload_media(PNG, mime_type="image/png", filename="modem.png")
    await wa.send_image(ANA, media.id, caption="as luzes")
    assert last_call(sim)["image"] == {"id": media.id, "caption": "as luzes"}
    await wa.send_image(ANA, "https://telecom.example/a.png")
    await wa.send_video(ANA, "https://telecom.example/a.mp4", caption="veja")
    await wa.send_audio(ANA, "https://telecom.example/a.mp3")
    await wa.send_voice(ANA, "https://telecom.example/a.ogg")
    assert last_call(sim)["audio"]["voice"] is True
    await wa.send_document(ANA, "https://telecom.example/fatura.pdf", filename="fatura.pdf")
    await wa.send_sticker(ANA, "https://telecom.example/a.webp")
    assert [m.type for m in sim.core.messages.values()] == [
        "image", "image", "video", "audio", "audio", "document", "sticker",
    ]  # fmt: skip


async def test_media_is_found_downloaded_and_deleted(sim, wa):
    media = await wa.upload_media(PNG, mime_type="image/png", filename="modem.png")
    found = await wa.get_media_url(media.id)
    assert (found.mime_type, found.file_size) == ("image/png", len(PNG))
    assert await wa.get_media_bytes(found.url) == PNG
    await wa.delete_media(media.id)
    with pytest.raises(errors.WhatsAppError) as refused:
        await wa.get_media_url(media.id)
    assert (refused.value.code, refused.value.subcode) == (100, 33)


async def test_reaction_location_and_contacts_are_accepted(sim, wa):
    await wa.send_reaction(ANA, "👍", message_id="wamid.X")
    await wa.remove_reaction(ANA, message_id="wamid.X")
    await wa.send_location(ANA, latitude=-23.55, longitude=-46.63, name="Loja Sé", address="Praça da Sé")
    contact = types.Contact(
        name=types.Contact.Name(formatted_name="Suporte Telecom", first_name="Suporte"),
        phones=[types.Contact.Phone(phone="+551130001000", type="WORK")],
    )
    await wa.send_contact(ANA, contact)
    assert [m.type for m in sim.core.messages.values()] == ["reaction", "reaction", "location", "contacts"]


async def test_every_interactive_message_is_accepted(sim, wa):
    await wa.send_message(
        ANA, "Como posso ajudar?", header="Menu", footer="Telecom",
        buttons=[types.Button("Segunda via", "menu:2via"), types.Button("Sem sinal", "menu:sinal")],
    )  # fmt: skip
    rows = [types.SectionRow("Fibra 500", "plano:500", "R$ 99,90"), types.SectionRow("Fibra 300", "plano:300")]
    await wa.send_message(ANA, "Escolha", buttons=types.SectionList("Planos", [types.Section("Fibra", rows)]))
    await wa.send_message(ANA, "Veja", buttons=types.URLButton("Abrir", "https://telecom.example/2via"))
    await wa.send_message(ANA, "Cadastro", buttons=types.FlowButton(title="Começar", flow_id="1", flow_token="t1"))
    await wa.send_message(ANA, "Qual o seu telefone?", buttons=types.ContactInfoRequestButton())
    await wa.request_location(ANA, "Onde você está?")
    kinds = [m.body["type"] for m in sim.core.messages.values()]
    assert kinds == ["button", "list", "cta_url", "flow", "request_contact_info", "location_request_message"]


async def test_templates_with_named_and_positional_parameters_and_a_payload(sim, wa):
    language = t.TemplateLanguage.PORTUGUESE_BR
    named = await wa.send_template(
        ANA, "fatura_disponivel", language, params=[t.BodyText.params(primeiro_nome="Ana", valor="R$ 99,90")]
    )
    await wa.send_template(
        ANA, "oferta_fibra", language,
        params=[t.BodyText.params("Ana"), t.QuickReplyButton.params(callback_data="OPTOUT_PROMO", index=1)],
    )  # fmt: skip
    code = [t.BodyText.params("123456"), t.CopyCodeOTPButton.params(otp="123456")]
    await wa.send_template(ANA, "codigo_acesso", language, params=code)
    document = t.HeaderDocument.params(document="https://telecom.example/fatura.pdf")
    await wa.send_template(
        ANA, "fatura_com_documento", language,
        params=[document, t.BodyText.params(primeiro_nome="Ana", valor="R$ 9,90"),
                t.URLButton.params(url_variable="2via/abc", index=0)],
    )  # fmt: skip
    assert [m.category for m in sim.core.messages.values()] == ["utility", "marketing", "authentication", "utility"]
    sent = list(sim.core.messages.values())
    assert text_of(sent[0]).startswith("Olá Ana, sua fatura de R$ 99,90")
    assert [c.id for c in choices_of(sent[1])] == ["Quero contratar", "OPTOUT_PROMO"]
    assert named.status == "accepted"


async def test_a_marketing_template_goes_through_the_marketing_messages_api(sim, wa):
    language = t.TemplateLanguage.PORTUGUESE_BR
    await wa.send_template(ANA, "oferta_fibra", language, params=[t.BodyText.params("Ana")], use_mm_lite_api=True)
    assert next(iter(sim.core.messages.values())).category == "marketing_lite"
    with pytest.raises(errors.WhatsAppError) as refused:
        await wa.send_template(ANA, "boas_vindas", language, params=[t.BodyText.params("Ana")], use_mm_lite_api=True)
    assert refused.value.code == 134100


async def test_read_receipts_and_typing_are_acknowledged(sim, wa):
    assert await wa.mark_message_as_read("wamid.IN")
    assert await wa.indicate_typing("wamid.IN")
    assert sim.core.events["marked_read"] == sim.core.events["typing"] == 1


async def test_a_refusal_is_understood_by_its_code(sim, wa):
    with pytest.raises(errors.TemplateParamCountMismatch) as refused:
        await wa.send_template(ANA, "boas_vindas", t.TemplateLanguage.PORTUGUESE_BR, params=[])
    assert "does not match the expected number of params (1)" in refused.value.details
    assert refused.value.fbtrace_id
    with pytest.raises(errors.TemplateNotExists) as refused:
        await wa.send_template(ANA, "boas_vindas", t.TemplateLanguage.ENGLISH, params=[])
    assert refused.value.status_code == 404
    wa.token = "wrong"
    wa._api._session.headers["Authorization"] = "Bearer wrong"
    with pytest.raises(errors.ExpiredAccessToken):
        await wa.send_message(ANA, "Olá")


async def test_templates_are_listed_created_edited_and_deleted(sim, wa):
    names = {template.name for template in await wa.get_templates()}
    assert {"fatura_disponivel", "boas_vindas", "oferta_fibra", "pesquisa_satisfacao", "codigo_acesso"} <= names
    created = await wa.create_template(
        t.Template(
            name="visita_tecnica",
            language=t.TemplateLanguage.PORTUGUESE_BR,
            category=t.TemplateCategory.UTILITY,
            parameter_format=t.ParamFormat.NAMED,
            components=[
                t.HeaderText("Visita marcada"),
                t.BodyText("Olá {{nome}}, sua visita será {{dia}}. Até lá!", nome="Ana", dia="amanhã"),
                t.Buttons(buttons=[t.QuickReplyButton(text="Confirmar"), t.QuickReplyButton(text="Remarcar")]),
            ],
        )
    )
    assert created.status == t.TemplateStatus.PENDING
    await sim.core.settled()
    details = await wa.get_template(created.id)
    assert details.status == t.TemplateStatus.APPROVED
    await details.update(new_components=[t.BodyText("Sua visita será {{dia}} de manhã.", dia="amanhã")])
    await wa.delete_template("visita_tecnica")
    assert "visita_tecnica" not in {template.name for template in await wa.get_templates()}


async def test_number_account_and_business_show_their_state(sim, wa):
    number = await wa.get_business_phone_number()
    assert (number.quality_rating, number.status) == ("GREEN", "CONNECTED")
    assert number.whatsapp_business_manager_messaging_limit == "TIER_UNLIMITED"
    assert number.health_status["can_send_message"] == "AVAILABLE"
    account = await wa.get_business_account()
    assert (account.id, account.currency) == (WABA_ID, "BRL")
    assert [n.id for n in await wa.get_business_phone_numbers()] == [PHONE_NUMBER_ID]


async def test_a_user_is_blocked_and_unblocked(sim, wa):
    result = await wa.block_users([ANA])
    assert [user.wa_id for user in result.added_users] == [ANA]
    with pytest.raises(errors.WhatsAppError) as refused:
        await wa.send_message(ANA, "Olá")
    assert refused.value.code == 130403
    await wa.unblock_users([ANA])
    await wa.send_message(ANA, "Olá")


async def test_an_unknown_number_id_is_refused_like_graph_does(sim, wa):
    with pytest.raises(errors.WhatsAppError) as refused:
        await wa.send_message(ANA, "Olá", sender="123456123")
    assert (refused.value.code, refused.value.subcode) == (100, 33)
