"""Superset's page in Brazilian Portuguese.

Superset asks for its words by the language alone (`pt`), and gives Portugal's then, of which a third is missing and stays
English: here it gets `pt_BR`, with the words that this page shows and that pack lacks.
"""

import json
import re
from collections.abc import Mapping

from flask import Flask, Response, jsonify, request
from superset.translations.utils import get_language_pack

RANGE = "/api/v1/time_range/"
ASKED = ("/superset/language_pack/pt/", "/superset/language_pack/pt_BR/")
OURS: Mapping[str, tuple[str, ...]] = {
    "%s option": ("%s opção", "%s opções"),
    "%s options": ("%s opções",),
    "Clear All": ("Limpar",),
    "Cross-filtering": ("Filtros cruzados",),
    "Data error": ("Erro nos dados",),
    "Export to CSV": ("Exportar CSV",),
    "Inv": ("Inverter",),
    "Last updated %s": ("Atualizado %s",),
    "No results were returned for this query": ("Nada neste período",),
    "Theme": ("Tema",),
    "There is currently no information to display.": ("Não há o que mostrar.",),
}


def speak_brazilian(app: Flask) -> None:
    """Answer the page's question for Portuguese with Brazil's words and ours, before Superset does."""
    pack = get_language_pack("pt_BR") or {}
    words = {**pack["locale_data"]["superset"], **{told: list(ours) for told, ours in OURS.items()}}
    answer = {**pack, "locale_data": {"superset": words}}

    @app.after_request
    def answer_ranges(response: Response) -> Response:
        """The filter of the period shows what it is told here."""
        if request.path.endswith(RANGE) and response.status_code == 200:
            told = json.loads(response.get_data())
            response.set_data(json.dumps({"result": [brazilian_range(one) for one in told["result"]]}))
        return response

    @app.before_request
    def answer_words() -> Response | None:
        return jsonify(answer) if request.path.endswith(ASKED) else None


def brazilian_range(told: Mapping[str, str | None]) -> dict[str, str | None]:
    """The ends of a period as Brazilians write days; the page itself cuts off a midnight (`T00:00:00`)."""
    days = {end: re.sub(r"^(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1", told[end] or "") for end in ("since", "until")}
    return {**told, **days}
