"""Every body of tests/fixtures/whatsapp, from its bytes to its typed value: what each kind says, said by name."""

import json
from typing import Any

import msgspec
import orjson
import pytest

from hub_api.whatsapp import inbound, updates
from hub_api.whatsapp.inbound import Inbound
from hub_api.whatsapp.parse import parse
from hub_api.whatsapp.split import split
from tests.support.hub import FIXTURES, fixture
from tests.whatsapp.gateway import NUMBER, WABA

ANA = {"wa_id": "5511987654321", "user_id": "BR.1502576394655843", "name": "Ana Souza"}


TEMPLATE = {"template_id": "1689556908129832", "language": "pt_BR"}


def read(name: str) -> list[Inbound]:
    """The typed values of a fixture."""
    found = split(json.dumps(fixture(name)).encode())
    assert found.problems == []
    return [parse(item) for item in found.items]


def says(value: Any, expected: Any, path: str = "") -> None:
    """Every expected field is there with its value; a dict looks into a struct, a tuple into a tuple."""
    if isinstance(expected, dict) and not isinstance(value, dict):
        for name, inner in expected.items():
            says(getattr(value, name), inner, f"{path}.{name}")
    elif isinstance(expected, tuple):
        assert len(value) == len(expected), path
        for number, inner in enumerate(expected):
            says(value[number], inner, f"{path}[{number}]")
    else:
        assert value == expected, path


def message(content: str, type: str = "text", **more: Any) -> tuple[str, dict[str, Any]]:
    return "Message", {"content": content, "type": type, "party": ANA, "timestamp": 1767225599, **more}


def status(word: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "Status", {"status": word, "kind": "message", "party": {"wa_id": ANA["wa_id"]}, **more}


def failed(code: int) -> tuple[str, dict[str, Any]]:
    return status("failed", faults=({"code": code},), timestamp=1767225610)


def template_status(event: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "TemplateStatusUpdate", {**TEMPLATE, "event": event, "time": 1767225600, "waba_id": WABA, **more}


def account(event: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "AccountUpdate", {"field": "account_update", "event": event, "phone_number_id": None, **more}


def quality(event: str, limit: str | None, **more: Any) -> tuple[str, dict[str, Any]]:
    return "NumberQualityUpdate", {"event": event, "limit": limit, "display_phone_number": "551130001000", **more}


def update(field: str) -> tuple[str, dict[str, Any]]:
    return "Update", {"field": field, "waba_id": WABA}


PRICED = {"billable": True, "model": "PMP", "type": "regular", "category": "utility"}


OPAQUE = "018f6d3e-0000-7000-8000-000000000001.1"


UNSUPPORTED = ({"code": 131051},)


EXPECTED: dict[str, tuple[str, dict[str, Any]] | list[tuple[str, dict[str, Any]]]] = {
    # what people write
    "text": message(
        "minha internet caiu, já reiniciei o modem 😡 http://exemplo.com.br/",
        waba_id=WABA,
        phone_number_id=NUMBER,
        wants_answer=True,
        party={**ANA, "username": "ana.souza", "parent_user_id": "BR.ENT.11815799212886844830"},
    ),
    "text_bsuid_only": message("quero saber dos planos", party={"wa_id": None, "user_id": ANA["user_id"]}),
    "text_bsuid_only_empty_phone": message("alguém aí?", party={"wa_id": None, "user_id": ANA["user_id"]}),
    "text_phone_only": message("bom dia", party={"wa_id": ANA["wa_id"], "user_id": None}),
    "text_without_contacts": message("cadê vcs", party={"wa_id": ANA["wa_id"], "name": None}),
    "text_without_ninth_digit": message("uai, sem net de novo", party={"wa_id": "553187654321", "name": "Zé Mineiro"}),
    "text_foreign_number": message(
        "this is a text message", party={"wa_id": "16315551181"}, timestamp=1504902988, phone_number_id="123456123"
    ),
    "text_opt_out": message("Sair."),
    "text_reply": message("essa mesma, pode mandar o boleto", context={"author": "551130001000", "forwarded": False}),
    "text_forwarded": message(
        "Promoção: 500 mega por R$ 99,90!", context={"forwarded": True, "frequently_forwarded": False, "wamid": None}
    ),
    "text_frequently_forwarded": message(
        "ATENÇÃO: vai cair o sinal no bairro todo", context={"frequently_forwarded": True}, reply_to=None
    ),
    "text_referred_product": message(
        "esse plano ainda tem?", context={"product_retailer_id": "fibra-500", "catalog_id": "194836987003835"}
    ),
    "text_referral_ad": message(
        "Olá! Tenho interesse e queria mais informações",
        referral={"source_type": "ad", "headline": "Fibra 500 mega", "welcome_text": "Oi! Como podemos ajudar?"},
    ),
    "text_referral_status_placement": message(
        "vi no status de vcs", referral={"source_type": "post", "ctwa_clid": None, "media_type": "video"}
    ),
    "image": message(
        "[imagem] olha as luzes do modem",
        "image",
        detail={"kind": "image", "id": "1337000000000001", "mime_type": "image/jpeg", "voice": False},
    ),
    "image_without_caption": message("[imagem]", "image", detail={"caption": None}),
    "video": message("[vídeo] fica piscando assim", "video", detail={"kind": "video"}),
    "audio_voice": message("[mensagem de voz]", "audio", detail={"voice": True}),
    "audio_file": message("[áudio]", "audio", detail={"voice": False, "mime_type": "audio/mpeg"}),
    "document": message(
        "[documento: Comprovante ção.pdf] comprovante do pix", "document", detail={"filename": "Comprovante ção.pdf"}
    ),
    "sticker": message("[figurinha]", "sticker", detail={"animated": False}),
    "media_with_error": message("[vídeo: não pôde ser baixado do remetente]", "video", faults=({"code": 131052},)),
    "location": message(
        "[localização: Praça da Sé, Praça da Sé - Sé, São Paulo - SP (-23.55052, -46.633308)]",
        "location",
        detail={"latitude": -23.55052, "longitude": -46.633308, "name": "Praça da Sé"},
    ),
    "location_pin": message("[localização: (-23.55, -46.63)]", "location", detail={"name": None}),
    "contacts": message(
        "[contato: João da Silva +55 31 98765-4321]",
        "contacts",
        detail={
            "requested": False,
            "cards": ({"name": "João da Silva", "phones": ({"wa_id": "553187654321"},), "company": "Padaria Pão Doce"},),
        },
    ),
    "contacts_request_answer": message(
        "[contato: +5511987654321]",
        "contacts",
        detail={"requested": True, "cards": ({"name": None, "phones": ({"wa_id": ANA["wa_id"]},)},)},
    ),
    "interactive_button_reply": message("Segunda via", "interactive", choice_id="menu:segunda_via"),
    "interactive_list_reply": message(
        "Sem sinal",
        "interactive",
        choice_id="menu:sem_sinal",
        detail={"kind": "list_reply", "description": "Internet parada ou lenta"},
    ),
    "interactive_nfm_reply": message(
        "[formulário preenchido]",
        "interactive",
        detail={"name": "flow", "response": {"flow_token": "t1", "cpf": "529.982.247-25"}, "raw": None},
    ),
    "interactive_nfm_reply_invalid_json": message(
        "[formulário preenchido]", "interactive", detail={"response": None, "raw": '{"flow_token":"t1",'}
    ),
    "interactive_nfm_reply_without_json": message(
        "[formulário preenchido]", "interactive", detail={"response": None, "raw": None}
    ),
    "interactive_address_message": message(
        "[endereço: Rua das Flores, 10]", "interactive", detail={"name": "address_message"}
    ),
    "interactive_call_permission_reply": message(
        "[permitiu ligações]", "interactive", detail={"response": "accept", "expires": 1767830400}
    ),
    "interactive_without_object": message("[sem conteúdo: interactive]", "interactive", faults=({"code": 131000},)),
    "button": message("Parar promoções", "button", choice_id="OPTOUT_PROMO", detail={"kind": "button"}),
    "button_without_context": message("Quero contratar", "button", choice_id="Quero contratar", context=None),
    "order": message(
        "[pedido: 3 itens] quero esses",
        "order",
        detail={
            "catalog_id": "194836987003835",
            "lines": (
                {"quantity": 1, "price_micros": 299_900_000, "currency": "BRL"},
                {"quantity": 2, "price_micros": 149_900_000, "product_retailer_id": "repetidor"},
            ),
        },
    ),
    "request_welcome": message("[abriu a conversa]", "request_welcome", wants_answer=True),
    "future_type": message("[tipo desconhecido: hologram]", "hologram", wants_answer=True),
    "unsupported": message(
        "[não suportada pelo canal: enquete]",
        "unsupported",
        detail={"type": "poll_creation", "unavailable": False},
        faults=UNSUPPORTED,
        wants_answer=True,
    ),
    "unsupported_without_object": message("[não suportada pelo canal]", "unsupported", detail={"type": None}),
    "unsupported_edit": message(
        "[não suportada pelo canal: edição de mensagem]", "unsupported", detail={"type": "edit"}, wants_answer=False
    ),
    "unsupported_message_unavailable": message(
        "[mensagem indisponível: peça que seja enviada de novo]",
        "unsupported",
        detail={"unavailable": True},
        wants_answer=True,
    ),
    "unknown_legacy": message("[não suportada pelo canal]", "unknown", faults=({"code": 501},)),
    "batch_album": [
        message("[imagem]", "image", detail={"id": f"13370000000001{number:02d}"}) for number in range(3)
    ],
    # acts on messages, and changes of people
    "reaction": ("Reaction", {"emoji": "👍", "party": ANA}),
    "reaction_removed": ("Reaction", {"emoji": None}),
    "reaction_removed_empty": ("Reaction", {"emoji": None}),
    "edit": ("Edit", {"content": "minha internet voltou", "type": "text", "party": ANA}),
    "revoke": ("Revoke", {"target": "wamid.HBgNNTUxMTk4NzY1NDMyMRUCABIYFDc0NjU3ODc0MDAwMDAwMDAwMDAwAA=="}),
    "system_user_changed_number": (
        "PersonChanged",
        {
            "reason": "user_changed_number",
            "party": {"wa_id": "5511987654321", "user_id": ANA["user_id"]},
            "new": {"wa_id": "5521999990000", "user_id": "BR.2602576394655844"},
        },
    ),
    "system_user_changed_user_id": (
        "PersonChanged",
        {"party": {"wa_id": None, "user_id": ANA["user_id"]}, "new": {"wa_id": None, "user_id": "BR.2602576394655844"}},
    ),
    "system_customer_identity_changed": ("SecurityCodeChanged", {"hash": "DF2lS5v2W6x="}),
    "user_id_update": (
        "UserIdUpdate",
        {"previous": ANA["user_id"], "current": "BR.2602576394655844", "timestamp": 1767225600},
    ),
    "user_preferences_stop": (
        "Preference",
        {"value": "stop", "category": "marketing_messages", "timestamp": 1767225600, "party": {"wa_id": ANA["wa_id"]}},
    ),
    "user_preferences_stop_bsuid_only": ("Preference", {"value": "stop", "party": {"wa_id": None}}),
    "user_preferences_resume": ("Preference", {"value": "resume"}),
    "user_preferences_signup": ("Preference", {"value": "signup", "signup_id": "su_9001"}),
    "user_actions_link_click": (
        "UserAction",
        {
            "action": "marketing_messages_link_click",
            "data": {"click_component": "cta", "click_id": "clk_1", "tracking_token": "tok_1"},
            "party": ANA,
        },
    ),
    # statuses, calls, errors
    "status_sent": status("sent", opaque=OPAQUE, pricing=PRICED, timestamp=1767225610),
    "status_delivered": status("delivered", pricing=PRICED, window_id=None),
    "status_read": status("read", pricing=None, timestamp=1767225630),
    "status_played": status("played"),
    "status_bsuid_only": status("delivered", party={"wa_id": None, "user_id": ANA["user_id"]}),
    "status_bsuid_only_empty_phone": status("delivered", party={"wa_id": None, "user_id": ANA["user_id"]}),
    "status_delivered_marketing_lite": status("delivered", pricing={"category": "marketing_lite"}),
    "status_sent_conversation_v23": status(
        "sent", window_id="2b2ac8f2e7d6c9b0d8a3f4e5b6a7c8d9", window_origin="utility", window_expires=1767312000
    ),
    "status_sent_free_customer_service": status("sent", pricing={"type": "free_customer_service"}),
    "status_sent_free_entry_point": status(
        "sent", window_origin="referral_conversion", pricing={"billable": False, "category": "referral_conversion"}
    ),
    "status_sent_service_billable": status("sent", pricing={"billable": True, "category": "service"}),
    "status_unknown_wamid": status("delivered", opaque=None),
    "status_deleted_legacy": status("deleted"),
    "status_warning_legacy": status("warning"),
    "status_payment": ("Status", {"kind": "payment", "status": "captured", "pricing": None}),
    **{f"status_failed_{code}": failed(code) for code in (131026, 131047, 131049, 131050, 132015)},
    "status_failed_bsuid_only": ("Status", {"status": "failed", "party": {"wa_id": None, "user_id": ANA["user_id"]}}),
    "batch_statuses_reversed": [status("read"), status("delivered"), status("sent")],
    "batch_mixed": [
        ("Message", {"content": "oi, voltou?", "party": ANA}),
        ("Message", {"content": "meu boleto veio errado", "party": {"name": "Bia Lima", "wa_id": "5511976543210"}}),
        status("sent"),
        ("Preference", {"value": "stop"}),
        status("failed"),
    ],
    "calls_connect": (
        "Call",
        {"call_id": "wacid.HBgLMTIxODU1NTI4MjgVAgARGBI5", "event": "connect", "by_customer": True, "party": ANA},
    ),
    "calls_terminate": ("Call", {"event": "terminate", "status": "COMPLETED", "duration_s": 59}),
    "calls_status": ("CallStatus", {"status": "RINGING", "party": {"wa_id": ANA["wa_id"]}}),
    **{
        f"error_{code}": ("ChannelError", {"faults": ({"code": code},), "phone_number_id": NUMBER})
        for code in (130429, 131016, 131042)
    },
    # coexistence
    "smb_message_echo_text": (
        "Echo",
        {"inner": {"content": "Oi Ana, aqui é a Carla da loja. Já estou vendo.", "party": {"wa_id": ANA["wa_id"]}}},
    ),
    "smb_message_echo_image": ("Echo", {"inner": {"content": "[imagem]"}}),
    "smb_message_echo_edit": ("Echo", {"inner": {"content": "Oi Ana, aqui é a Carla da loja. Já resolvi."}}),
    "smb_message_echo_revoke": ("Echo", {"inner": {"party": {"user_id": ANA["user_id"]}}}),
    "history_chunk": [
        ("HistoryMessage", {"from_customer": True, "status": "READ", "inner": {"party": {"wa_id": ANA["wa_id"]}}}),
        ("HistoryMessage", {"from_customer": False, "status": "DELIVERED", "inner": {"content": "Bom dia! R$ 79,90"}}),
        ("HistoryMessage", {"inner": {"content": "[mídia do histórico]", "timestamp": 1764720000}}),
    ],
    "history_media": ("HistoryMessage", {"from_customer": True, "inner": {"content": "[imagem]"}}),
    "history_declined": ("HistoryRefused", {"faults": ({"code": 2593109},)}),
    "smb_app_state_sync": (
        "ContactSync",
        {"action": "add", "party": {"name": "Ana Souza", "wa_id": ANA["wa_id"]}, "timestamp": 1767225600},
    ),
    "smb_app_state_sync_remove": ("ContactSync", {"action": "remove", "party": {"name": None}}),
    # management fields
    **{
        f"template_status_{event.lower()}": template_status(event)
        for event in (
            "APPROVED", "ARCHIVED", "DELETED", "FLAGGED", "IN_APPEAL", "LIMIT_EXCEEDED", "LOCKED", "PENDING",
            "PENDING_DELETION", "REINSTATED", "UNARCHIVED",
        )
    },
    "template_status_unpaused": template_status("APPROVED", title="UNPAUSE"),
    "template_status_paused": template_status("PAUSED", title="FIRST_PAUSE", name="oferta_fibra", category="MARKETING"),
    "template_status_disabled": template_status("DISABLED", disable_date=1767225600, title="DISABLED"),
    "template_status_rejected": template_status(
        "REJECTED", reason="PROMOTIONAL", recommendation="Use the marketing category."
    ),
    "template_quality_update": ("TemplateQualityUpdate", {**TEMPLATE, "previous": "GREEN", "current": "YELLOW"}),
    "template_quality_red": ("TemplateQualityUpdate", {**TEMPLATE, "current": "RED"}),
    "template_category_notice": (
        "TemplateCategoryUpdate",
        {**TEMPLATE, "current": "UTILITY", "upcoming": "MARKETING", "changes_at": 1767312000},
    ),
    "template_category_changed": (
        "TemplateCategoryUpdate",
        {**TEMPLATE, "current": "MARKETING", "previous": "UTILITY", "upcoming": None},
    ),
    "template_components_update": ("TemplateComponentsUpdate", TEMPLATE),
    "phone_number_quality_onboarding": quality("ONBOARDING", "TIER_2K"),
    "phone_number_quality_throughput_upgrade": quality("THROUGHPUT_UPGRADE", "TIER_UNLIMITED"),
    "phone_number_quality_flagged": quality("FLAGGED", "TIER_10K"),
    "phone_number_quality_unflagged": quality("UNFLAGGED", "TIER_10K"),
    "phone_number_quality_upgrade": quality("UPGRADE", "TIER_10K", previous_limit="TIER_2K"),
    "phone_number_quality_downgrade": quality("DOWNGRADE", "TIER_2K", previous_limit="TIER_10K"),
    "phone_number_name_update": ("NumberNameUpdate", {"decision": "APPROVED", "reason": None}),
    "phone_number_name_rejected": ("NumberNameUpdate", {"decision": "REJECTED", "requested_name": "Promo 123"}),
    "business_capability_update": ("CapabilityUpdate", {"limit": "TIER_10K", "max_numbers_per_waba": 20}),
    "business_capability_update_numeric": ("CapabilityUpdate", {"limit": "-1", "limit_per_phone": "-1"}),
    "account_restriction": account(
        "ACCOUNT_RESTRICTION",
        restrictions=(
            {"type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expires": 1767484800},
            {"type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expires": 1767484800},
        ),
    ),
    "account_violation": account("ACCOUNT_VIOLATION", violation="SPAM"),
    "account_disabled": account("DISABLED_UPDATE", ban_state="SCHEDULE_FOR_DISABLE"),
    "account_reinstated": account("DISABLED_UPDATE", ban_state="REINSTATE"),
    "account_deleted": account("ACCOUNT_DELETED"),
    "account_offboarded": account("ACCOUNT_OFFBOARDED", display_phone_number="551130001000"),
    "account_reconnected": account("ACCOUNT_RECONNECTED", display_phone_number="551130001000"),
    "account_partner_added": account("PARTNER_ADDED"),
    "account_partner_removed": account("PARTNER_REMOVED"),
    "account_mm_lite_terms_signed": account("MM_LITE_TERMS_SIGNED"),
    "account_auth_intl_price": account("AUTH_INTL_PRICE_ELIGIBILITY_UPDATE"),
    "account_volume_tier": account("VOLUME_BASED_PRICING_TIER_UPDATE"),
    "account_review_update": ("AccountReview", {"decision": "APPROVED"}),
    "account_alerts": ("AccountAlert", {"severity": "CRITICAL", "status": "ACTIVE", "entity_type": "BUSINESS"}),
    "security_pin_changed": ("SecurityUpdate", {"event": "PIN_CHANGED", "requester": "61555822107539"}),
    "security_pin_reset_request": ("SecurityUpdate", {"event": "PIN_RESET_REQUEST"}),
    "security_pin_request_success": ("SecurityUpdate", {"event": "PIN_REQUEST_SUCCESS", "requester": None}),
    "flows_status_change": ("FlowUpdate", {"event": "FLOW_STATUS_CHANGE"}),
    "flows_client_error_rate": (
        "FlowUpdate",
        {"event": "CLIENT_ERROR_RATE", "alert_state": "ACTIVATED", "flow_id": "6627390910605886"},
    ),
    "flows_endpoint_availability": ("FlowUpdate", {"event": "ENDPOINT_AVAILABILITY"}),
    "account_settings_update": update("account_settings_update"),
    "automatic_events": ("Update", {"field": "automatic_events", "phone_number_id": NUMBER}),
    "business_username_update": update("business_username_update"),
    "group_lifecycle_update": update("group_lifecycle_update"),
    "partner_solutions": update("partner_solutions"),
    "payment_configuration_update": update("payment_configuration_update"),
    "field_of_the_future": ("Update", {"value": {"anything": [1, 2, {"nested": None}]}}),
}  # fmt: skip


GROUPS = {"group_text", "status_group"}  # parked before parsing


def test_every_fixture_is_expected():
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED) | GROUPS


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fixture_says_what_it_should(name: str):
    expected = EXPECTED[name]
    wanted = expected if isinstance(expected, list) else [expected]
    values = read(f"{name}.json")
    assert [type(value).__name__ for value in values] == [kind for kind, _ in wanted]
    for value, (_, fields) in zip(values, wanted, strict=True):
        says(value, fields)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_fixture_says_fits_the_database(name: str):
    for value in read(f"{name}.json"):
        orjson.dumps(msgspec.to_builtins(value))
        if isinstance(value, inbound.Message):
            orjson.dumps(value.payload())


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_group_chats_are_set_apart(name: str):
    found = split(json.dumps(fixture(f"{name}.json")).encode())
    assert [item.kind for item in found.items] == ["group"]


def test_an_unknown_type_keeps_the_whole_message():
    (value,) = read("future_type.json")
    assert value.detail.raw["hologram"] == {"url": "https://exemplo.com.br/h", "depth": {"unit": "cm", "value": 3}}


def test_every_known_update_is_a_typed_one():
    typed = {name for name in vars(updates) if name.endswith(("Update", "Review", "Alert")) and name != "Update"}
    assert {kind for kind, _ in (e for e in EXPECTED.values() if isinstance(e, tuple))} >= typed
