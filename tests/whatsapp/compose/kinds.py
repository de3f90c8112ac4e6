"""Every kind of message as request, as our validator sees it and as the simulator does; and the templates they name."""

import asyncio
import copy
from typing import Any, cast
from uuid import uuid4

from pydantic import TypeAdapter

from hub_api.platform.postgres import Transaction
from hub_api.simulator.check_message import check_content
from hub_api.simulator.check_template import check_template
from hub_api.simulator.model import Media, Number, Portfolio, Template, Waba
from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.draft import AnyMessage, compose, template_draft
from hub_api.whatsapp.compose.examples import EXAMPLES
from hub_api.whatsapp.compose.template_parts import NewTemplate

MESSAGES: dict[str, dict[str, Any]] = {name: example["value"] for name, example in EXAMPLES.items()}
ADAPTER: TypeAdapter[AnyMessage] = TypeAdapter(AnyMessage)
GONE = object()

_CARD = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "A partir de {{1}} por mês."},
    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Quero este"}]},
]


_PRODUCT_CARD = [
    {"type": "HEADER", "format": "PRODUCT"},
    {"type": "BUTTONS", "buttons": [{"type": "SPM", "text": "Ver"}]},
]


def _buttons(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(buttons)}


_NAMED = "Olá {{primeiro_nome}}, segue sua fatura de {{valor}} em anexo."
_OTP = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"
TEMPLATES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "aviso_visita_tecnica": ("UTILITY", [{"type": "BODY", "text": "Olá {{1}}, a visita é hoje."}]),
    "fatura_com_documento": (
        "UTILITY",
        [
            {"type": "HEADER", "format": "DOCUMENT"},
            {"type": "BODY", "text": _NAMED},
            _buttons({"type": "URL", "text": "Segunda via", "url": "https://provedor.example/{{1}}"}),
        ],
    ),
    "codigo_acesso": (
        "AUTHENTICATION",
        [
            {"type": "BODY", "text": "*{{1}}* é seu código de verificação."},
            _buttons({"type": "URL", "text": "Copiar código", "url": _OTP}),
        ],
    ),
    "oferta_relampago": (
        "MARKETING",
        [
            {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Só hoje", "has_expiration": True}},
            {"type": "BODY", "text": "Olá {{1}}, fibra com desconto."},
            _buttons({"type": "COPY_CODE", "example": "FIBRA25"}),
        ],
    ),
    "vitrine_planos": (
        "MARKETING",
        [
            {"type": "BODY", "text": "Olá {{1}}, escolha o seu plano."},
            {"type": "CAROUSEL", "cards": [{"components": _CARD}, {"components": _CARD}]},
        ],
    ),
    "catalogo_planos": (
        "MARKETING",
        [
            {"type": "BODY", "text": "Olá {{1}}, veja os nossos planos."},
            _buttons({"type": "CATALOG", "text": "Ver catálogo"}),
        ],
    ),
    "planos_da_semana": (
        "MARKETING",
        [{"type": "BODY", "text": "Os planos da semana."}, _buttons({"type": "MPM", "text": "Ver itens"})],
    ),
    "vitrine_produtos": (
        "MARKETING",
        [
            {"type": "BODY", "text": "Escolha o seu plano."},
            {"type": "CAROUSEL", "cards": [{"components": _PRODUCT_CARD}, {"components": _PRODUCT_CARD}]},
        ],
    ),
    "fatura_para_pagar": (
        "UTILITY",
        [
            {"type": "BODY", "text": "Olá {{1}}, sua fatura chegou."},
            _buttons({"type": "ORDER_DETAILS", "text": "Ver e pagar"}),
        ],
    ),
    "atualizar_cadastro": (
        "UTILITY",
        [{"type": "BODY", "text": "Atualize o seu cadastro."}, _buttons({"type": "FLOW", "text": "Começar"})],
    ),
}


def template_row(name: str, language: str = "pt_BR") -> dict[str, Any]:
    """A row of our table of templates. Raises KeyError when there is no such template."""
    category, components = {(known, "pt_BR"): found for known, found in TEMPLATES.items()}[name, language]
    row = {"name": name, "category": category, "status": "APPROVED", "components": components}
    return {**row, "parameter_format": "POSITIONAL"}


def simulated_template(name: str) -> dict[str, Any]:
    """Fields of the simulator's template of that name."""
    category, components = TEMPLATES[name]
    named = "NAMED" if "{{primeiro_nome}}" in str(components) else "POSITIONAL"
    return {
        "name": name,
        "language": "pt_BR",
        "category": category,
        "components": copy.deepcopy(components),
        "parameter_format": named,
    }


def broken(name: str, path: str, value: Any) -> dict[str, Any]:
    """A copy of the example with one field set, or taken away (GONE). `path`: "image.caption", "contacts.0.name"."""
    message = copy.deepcopy(MESSAGES[name])
    here: Any = message
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        here = here[step]
    if value is GONE:
        del here[last]
    else:
        here[last] = value
    return message


def validated(request: dict[str, Any]) -> AnyMessage:
    """What the door makes of a request's body. Raises pydantic's ValidationError."""
    return ADAPTER.validate_python(request)


class _NothingKnown:
    """A transaction in which no row is found: Meta has stopped none of the flows that a message may name."""

    def __init__(self) -> None:
        self.db = self

    async def fetchval(self, query: str, *arguments: Any) -> None:
        return None


def as_called(request: dict[str, Any]) -> tuple[str, Any]:
    """Type and object of the send call that a request becomes. Raises ValidationError or TemplateMismatch.

    Only kinds that need nothing from the database, and templates of TEMPLATES.
    """
    message = validated(request)
    nothing = cast(Transaction, _NothingKnown())
    if isinstance(message, NewTemplate):
        row = template_row(message.name, message.language)
        draft = template_draft(cast(Any, row), message)
    elif message.type == "reaction":
        return "reaction", {"message_id": "wamid.X", "emoji": message.reaction.emoji}
    else:
        bare = message.model_copy(update={"reply_to": None}) if hasattr(message, "reply_to") else message
        draft = asyncio.run(compose(nothing, uuid4(), bare))
    return draft.type, draft.body


_WABA = Waba("1", Portfolio("1"))
_WABA.templates = {(name, "pt_BR"): Template(str(i), **simulated_template(name)) for i, name in enumerate(TEMPLATES)}
_NUMBER = Number("1", "551130001000", _WABA)
_MIME = {kind: next(iter(sorted(types))) for kind, types in limits.MEDIA.items()}


def judged(kind: str, body: Any) -> None:
    """What the simulator says to such a call; every media id is a file of the kind asked for. Raises MetaError."""

    def find_media(media_id: str) -> Media:
        voice = kind == "audio" and body.get("voice")
        return Media(media_id, "1", limits.VOICE if voice else _MIME.get(kind, "image/jpeg"), "", b"", 0.0)

    if kind == "template":
        check_template(_WABA, body, find_media)
    else:
        check_content(kind, body, _NUMBER, find_media)


def raw_call(request: dict[str, Any]) -> tuple[str, Any]:
    """The call that a request would become if nobody checked it."""
    kind = request["type"]
    if kind == "text":
        return kind, {"body": request.get("text")}
    if kind == "template":
        body = {key: request[key] for key in ("name", "components") if key in request}
        return kind, {**body, "language": {"code": request.get("language", "pt_BR")}}
    if kind == "reaction":
        return kind, {**request["reaction"], "message_id": "wamid.X"}
    return kind, request.get(kind)
