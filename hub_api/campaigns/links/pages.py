"""The pages that people see behind short links, in Portuguese or English: one file, no script, nothing loaded from elsewhere."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from fastapi import Response

from hub_api.campaigns.languages import Language

_TEXTS: Mapping[str, Mapping[Language, tuple[str, str]]] = {
    "gone": {
        "pt-BR": ("Este link não leva mais a lugar nenhum", "Ele expirou ou foi digitado de outro jeito. Se precisar, fale com a gente pelo WhatsApp."),
        "en": ("This link leads nowhere any more", "It has expired or was typed differently. If you need help, write to us on WhatsApp."),
    },
    "ask": {
        "pt-BR": ("Parar de receber promoções?", "Você continua recebendo respostas e avisos sobre os seus serviços."),
        "en": ("Stop receiving promotions?", "You will still get answers and notices about your services."),
    },
    "done": {
        "pt-BR": ("Pronto, está feito", "Vale a partir de agora. Para voltar a receber, responda VOLTAR no WhatsApp."),
        "en": ("Done", "This holds from now on. To receive messages again, answer VOLTAR on WhatsApp."),
    },
}  # fmt: skip
_BUTTONS: Mapping[Language, tuple[str, str]] = {
    "pt-BR": ("Sim, parar promoções", "Parar promoções e avisos"),
    "en": ("Yes, stop promotions", "Stop promotions and notices"),
}


def show(what: str, language: Language, *, status: int = 200, code: str | None = None) -> Response:
    """The page `what` (gone, ask, done); with `code` the buttons that end messages, each a POST to /o/{code}."""
    title, text = _TEXTS[what][language]
    form = ""
    if code is not None:
        less, everything = _BUTTONS[language]
        form = (
            f'<form method="post" action="/o/{code}"><button>{less}</button></form>\n'
            f'<form method="post" action="/o/{code}?scope=all"><button class="second">{everything}</button></form>'
        )
    style = _file("page.css")
    page = _file("page.html")
    for name, value in {"lang": language, "title": title, "text": text, "form": form, "style": style}.items():
        page = page.replace(f"{{{name}}}", value)
    return Response(page, status, headers=_headers(style), media_type="text/html")


@cache
def _headers(style: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    return {"Content-Security-Policy": policy, **PRIVATE}


# Whose link it is must reach nobody: no cache, no referrer, no search engine.
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
