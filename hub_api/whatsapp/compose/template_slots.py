"""What a template asks for when it is sent, out of its components as Meta lists them. Pure; never raises on odd ones."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class ButtonSlot:
    """A button that takes a parameter; one that is not `required` works without."""

    sub_type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Slots:
    """The variables of header and body in their order, the file of the header, buttons by position, cards, the offer."""

    header_format: str = ""  # TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION; "" without a header
    header: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    body_text: str = ""
    buttons: Mapping[int, ButtonSlot] = field(default_factory=dict)
    cards: tuple["Slots", ...] = ()
    has_offer: bool = False
    offer_expires: bool = False
    named: bool = False


def slots_of(components: Iterable[Any], *, parameter_format: str | None = None) -> Slots:
    """The slots of a template, or of one card of it.

    `parameter_format` (POSITIONAL, NAMED) as Meta lists it; without it the variables tell: {{1}} or {{nome}}.
    """
    parts = [part for part in components if isinstance(part, dict)]
    found: dict[str, Any] = {}
    for part in parts:
        match str(part.get("type", "")).upper():
            case "HEADER":
                found["header_format"] = str(part.get("format") or "TEXT").upper()
                found["header"] = variables(part.get("text"))
            case "BODY":
                found["body_text"] = str(part.get("text") or "")
                found["body"] = variables(part.get("text")) or _code(part)
            case "BUTTONS":
                found["buttons"] = _buttons(part.get("buttons"))
            case "CAROUSEL":
                cards = part.get("cards")
                found["cards"] = tuple(
                    slots_of(card.get("components") or (), parameter_format=parameter_format)
                    for card in (cards if isinstance(cards, list) else ())
                    if isinstance(card, dict)
                )
            case "LIMITED_TIME_OFFER":
                offer = part.get("limited_time_offer")
                found["has_offer"] = True
                found["offer_expires"] = bool(offer.get("has_expiration")) if isinstance(offer, dict) else False
    names = (*found.get("header", ()), *found.get("body", ()))
    if parameter_format:
        found["named"] = parameter_format.upper() == "NAMED"
    else:
        found["named"] = any(not name.isdigit() for name in names) or any(c.named for c in found.get("cards", ()))
    return Slots(**found)


def variables(text: Any) -> tuple[str, ...]:
    """The names, or numbers, of the variables of a text; each once, numbers in their order."""
    names = tuple(dict.fromkeys(_VARIABLE.findall(text))) if isinstance(text, str) else ()
    return tuple(sorted(names, key=int)) if all(name.isdigit() for name in names) else names


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced; one without a value stays as it is."""
    return _VARIABLE.sub(lambda variable: values.get(variable[1], variable[0]), text)


def _code(body: dict[str, Any]) -> tuple[str, ...]:
    """An authentication template has no text of its own: Meta writes it around the code."""
    return ("1",) if "add_security_recommendation" in body and not body.get("text") else ()


def _buttons(buttons: Any) -> dict[int, ButtonSlot]:
    slots = {}
    for index, button in enumerate(buttons if isinstance(buttons, list) else ()):
        match str(button.get("type", "")).upper() if isinstance(button, dict) else "":
            case "URL" if "{{" in str(button.get("url", "")):
                slots[index] = ButtonSlot("url", required=True)
            case "OTP":
                slots[index] = ButtonSlot("url", required=True)
            case "COPY_CODE":
                slots[index] = ButtonSlot("copy_code", required=True)
            case "QUICK_REPLY":
                slots[index] = ButtonSlot("quick_reply", required=False)
            case "FLOW":
                slots[index] = ButtonSlot("flow", required=False)
    return slots
