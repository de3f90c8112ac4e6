"""Template drafts for tests, each one that Meta takes."""

from dataclasses import replace
from typing import Any

from hub_api.whatsapp.templates.check import Draft

BODY = {
    "type": "BODY",
    "text": "Olá {{primeiro_nome}}, sua fatura de {{valor}} já está disponível para pagamento.",
    "example": {
        "body_text_named_params": [
            {"param_name": "primeiro_nome", "example": "Ana"},
            {"param_name": "valor", "example": "R$ 99,90"},
        ]
    },
}
BILL = Draft("fatura_nova", "pt_BR", "UTILITY", [BODY], "NAMED")
STOP = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Parar promoções"}]}


def plain(text: str = "Sua visita técnica foi confirmada para amanhã.") -> dict[str, Any]:
    """A body without variables."""
    return {"type": "BODY", "text": text}


def bill(**changes: Any) -> Draft:
    """The bill, changed."""
    return replace(BILL, **changes)


def card(**changes: Any) -> dict[str, Any]:
    """One card of a carousel."""
    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}}
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Quero este"}]}
    return {"components": [header, {"type": "BODY", "text": "500 mega por R$ 99", **changes}, buttons]}
