"""The languages that campaigns' texts for people come in."""

from typing import Literal

Language = Literal["pt-BR", "en"]


def language_of(accept_language: str | None) -> Language:
    """Portuguese unless the browser asks for English first."""
    first = (accept_language or "").strip().lower().partition(",")[0]
    return "en" if first.startswith("en") else "pt-BR"
