"""One example of each kind of message, for the OpenAPI page; a test sends every one of them."""

from typing import Any

MESSAGE = "0199f2c0-7a10-7c31-9a5e-3d1f0b6c2a12"
PDF = "https://provedor.example/faturas/2026-11.pdf"


def _interactive(kind: str, text: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"type": kind, "body": {"text": text}, "action": action, **more}
    return {"type": "interactive", "interactive": body}


def _template(name: str, *components: dict[str, Any]) -> dict[str, Any]:
    return {"type": "template", "name": name, "language": "pt_BR", "components": list(components)}


def _text(value: str, **name: str) -> dict[str, Any]:
    return {"type": "text", "text": value, **name}


def _brl(cents: int) -> dict[str, int]:
    return {"value": cents, "offset": 100}


_REPLIES = [{"type": "reply", "reply": {"id": f"menu:{id}", "title": title}} for id, title in
            (("2via", "Segunda via"), ("sinal", "Sem sinal"), ("pessoa", "Falar com pessoa"))]  # fmt: skip
_ROWS = [
    {"id": "plano:300", "title": "Fibra 300", "description": "R$ 79,90 por mês"},
    {"id": "plano:500", "title": "Fibra 500", "description": "R$ 99,90 por mês"},
]
_PIX = {
    "type": "pix_dynamic_code",
    "pix_dynamic_code": {
        "code": "00020101021226770014BR.GOV.BCB.PIX2555api.psp.example/pix/v2/1a2b3c5204000053039865802BR6304ABCD",
        "merchant_name": "Provedor Exemplo",
        "key": "11222333000181",
        "key_type": "CNPJ",
    },
}
_BILL = {
    "reference_id": "FAT-2026-11-000123",
    "type": "digital-goods",
    "payment_type": "br",
    "payment_settings": [
        _PIX,
        {"type": "boleto", "boleto": {"digitable_line": "03399026944140000002628346101018898510000008848"}},
        {"type": "payment_link", "payment_link": {"uri": "https://provedor.example/pagar/000123"}},
    ],
    "currency": "BRL",
    "total_amount": _brl(9490),
    "order": {
        "status": "pending",
        "items": [{"retailer_id": "fibra-500", "name": "Fibra 500", "amount": _brl(9990), "quantity": 1}],
        "subtotal": _brl(9990),
        "tax": _brl(0),
        "discount": {**_brl(500), "description": "débito automático"},
    },
}
_CARD_BODY = {"type": "body", "parameters": [_text("R$ 79,90")]}


def _card(index: int, image: str) -> dict[str, Any]:
    header = {"type": "header", "parameters": [{"type": "image", "image": {"link": image}}]}
    button = {
        "type": "button",
        "sub_type": "quick_reply",
        "index": 0,
        "parameters": [{"type": "payload", "payload": f"oferta:{index}"}],
    }
    return {"card_index": index, "components": [header, _CARD_BODY, button]}


def _shown(kind: str, action: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": kind, "index": 0, "parameters": [{"type": "action", "action": action}]}


def _product(retailer_id: str) -> dict[str, str]:
    return {"product_retailer_id": retailer_id}


def _product_card(index: int) -> dict[str, Any]:
    product = {"catalog_id": "194836987003835", **_product(f"fibra-{3 + 2 * index}00")}
    header = {"type": "header", "parameters": [{"type": "product", "product": product}]}
    return {"card_index": index, "components": [header]}


_CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("Words", {"type": "text", "text": "Boa tarde, Ana! Já estou verificando."}),
    "reply": ("Words that quote a message", {"type": "text", "text": "R$ 99,90 por mês.", "reply_to": MESSAGE}),
    "image": (
        "An image by link",
        {"type": "image", "image": {"link": "https://provedor.example/modem.jpg", "caption": "As luzes do modem"}},
    ),
    "video": ("A video by id", {"type": "video", "video": {"id": "990002", "caption": "Como reiniciar o modem"}}),
    "audio": ("A sound", {"type": "audio", "audio": {"link": "https://provedor.example/aviso.mp3"}}),
    "voice": (
        "A voice message",
        {"type": "audio", "audio": {"link": "https://provedor.example/voz.ogg", "voice": True}},
    ),
    "document": (
        "A document",
        {"type": "document", "document": {"link": PDF, "filename": "fatura-2026-11.pdf", "caption": "Sua fatura"}},
    ),
    "sticker": ("A sticker", {"type": "sticker", "sticker": {"link": "https://provedor.example/oi.webp"}}),
    "location": (
        "A place",
        {
            "type": "location",
            "location": {
                "latitude": -23.5505,
                "longitude": -46.6333,
                "name": "Loja Sé",
                "address": "Praça da Sé, 1, São Paulo",
            },
        },
    ),
    "contacts": (
        "A card of the address book",
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "Suporte Provedor", "first_name": "Suporte"},
                    "phones": [{"phone": "+551130001000", "type": "WORK", "wa_id": "551130001000"}],
                }
            ],
        },
    ),
    "reaction": ("A reaction", {"type": "reaction", "reaction": {"message_id": MESSAGE, "emoji": "👍"}}),
    "reaction_removed": (
        "A reaction taken back",
        {"type": "reaction", "reaction": {"message_id": MESSAGE, "emoji": ""}},
    ),
    "buttons": (
        "Up to three buttons",
        _interactive(
            "button",
            "Como posso ajudar?",
            {"buttons": _REPLIES},
            header={"type": "text", "text": "Atendimento"},
            footer={"text": "Provedor Exemplo"},
        ),
    ),
    "list": (
        "Up to ten entries",
        _interactive("list", "Escolha um plano", {"button": "Ver planos", "sections": [{"rows": _ROWS}]}),
    ),
    "cta_url": (
        "A button that opens a page",
        _interactive(
            "cta_url",
            "A segunda via está pronta.",
            {"name": "cta_url", "parameters": {"display_text": "Abrir", "url": PDF}},
        ),
    ),
    "flow": (
        "A form",
        _interactive(
            "flow",
            "Atualize o seu cadastro.",
            {
                "name": "flow",
                "parameters": {
                    "flow_message_version": "3",
                    "flow_id": "1234567890",
                    "flow_cta": "Começar",
                    "flow_token": "cadastro-1",
                    "flow_action": "navigate",
                    "flow_action_payload": {"screen": "CADASTRO"},
                },
            },
        ),
    ),
    "location_request": (
        "Ask where the customer is",
        _interactive("location_request_message", "Onde fica a instalação?", {"name": "send_location"}),
    ),
    "contact_request": (
        "Ask for the phone number",
        _interactive("request_contact_info", "Qual é o seu telefone?", {"name": "request_contact_info"}),
    ),
    "order_details": (
        "A bill: Pix, boleto and payment link",
        _interactive("order_details", "Segunda via de novembro", {"name": "review_and_pay", "parameters": _BILL}),
    ),
    "order_status": (
        "News about a bill",
        _interactive(
            "order_status",
            "Recebemos o seu pagamento. Obrigado!",
            {
                "name": "review_order",
                "parameters": {
                    "reference_id": "FAT-2026-11-000123",
                    "order": {"status": "completed"},
                    "payment": {"status": "captured", "timestamp": 1764115200},
                },
            },
        ),
    ),
    "template": (
        "A template, also after 24 h",
        _template("aviso_visita_tecnica", {"type": "body", "parameters": [_text("Ana")]}),
    ),
    "template_named": (
        "Named variables, a document, a dynamic address",
        _template(
            "fatura_com_documento",
            {
                "type": "header",
                "parameters": [{"type": "document", "document": {"link": PDF, "filename": "fatura.pdf"}}],
            },
            {
                "type": "body",
                "parameters": [
                    _text("Ana", parameter_name="primeiro_nome"),
                    _text("R$ 99,90", parameter_name="valor"),
                ],
            },
            {"type": "button", "sub_type": "url", "index": 0, "parameters": [_text("2via/abc123")]},
        ),
    ),
    "template_code": (
        "A one-time code, to a phone number only",
        _template(
            "codigo_acesso",
            {"type": "body", "parameters": [_text("123456")]},
            {"type": "button", "sub_type": "url", "index": 0, "parameters": [_text("123456")]},
        ),
    ),
    "template_offer": (
        "A limited-time offer with a coupon",
        _template(
            "oferta_relampago",
            {
                "type": "limited_time_offer",
                "parameters": [
                    {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 4_070_908_800_000}}
                ],
            },
            {"type": "body", "parameters": [_text("Ana")]},
            {
                "type": "button",
                "sub_type": "copy_code",
                "index": 0,
                "parameters": [{"type": "coupon_code", "coupon_code": "FIBRA25"}],
            },
        ),
    ),
    "template_carousel": (
        "Cards side by side",
        _template(
            "vitrine_planos",
            {"type": "body", "parameters": [_text("Ana")]},
            {
                "type": "carousel",
                "cards": [
                    _card(0, "https://provedor.example/300.jpg"),
                    _card(1, "https://provedor.example/500.jpg"),
                ],
            },
        ),
    ),
    "template_catalog": (
        "A template that opens the catalogue",
        _template(
            "catalogo_planos",
            {"type": "body", "parameters": [_text("Ana")]},
            _shown("catalog", {"thumbnail_product_retailer_id": "fibra-500"}),
        ),
    ),
    "template_products": (
        "A template with several products",
        _template(
            "planos_da_semana",
            _shown(
                "mpm",
                {
                    "thumbnail_product_retailer_id": "fibra-500",
                    "sections": [
                        {"title": "Fibra", "product_items": [_product("fibra-300"), _product("fibra-500")]},
                        {"title": "Extras", "product_items": [_product("ponto-wifi")]},
                    ],
                },
            ),
        ),
    ),
    "template_product_cards": (
        "Products side by side",
        _template("vitrine_produtos", {"type": "carousel", "cards": [_product_card(0), _product_card(1)]}),
    ),
    "template_bill": (
        "A template with a bill: Pix, boleto and payment link, also after 24 h",
        _template(
            "fatura_para_pagar",
            {"type": "body", "parameters": [_text("Ana")]},
            _shown("order_details", {"order_details": _BILL}),
        ),
    ),
    "template_flow": (
        "A template with a form",
        _template(
            "atualizar_cadastro",
            {
                "type": "button",
                "sub_type": "flow",
                "index": 0,
                "parameters": [{"type": "action", "action": {"flow_token": "cadastro-1"}}],
            },
        ),
    ),
}

EXAMPLES: dict[str, Any] = {name: {"summary": summary, "value": value} for name, (summary, value) in _CASES.items()}
