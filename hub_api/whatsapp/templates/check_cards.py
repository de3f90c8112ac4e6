"""The carousel of a template: 2 to 10 cards that all look alike."""

from collections.abc import Mapping

from hub_api.whatsapp.templates import check_buttons
from hub_api.whatsapp.templates.check_texts import check_text
from hub_api.whatsapp.templates.faults import Found
from hub_api.whatsapp.templates.shape import Component, kind, objects

CARDS, CARD_BODY_LIMIT, CARD_BUTTONS = (2, 10), 160, 2
_HEADERS = ("IMAGE", "VIDEO", "PRODUCT")


def check_carousel(parts: Mapping[str, tuple[str, Component]], parameter_format: str, found: Found) -> None:
    """The CAROUSEL component among `parts` (type → path and component)."""
    path, carousel = parts["CAROUSEL"]
    for other in ("HEADER", "FOOTER", "BUTTONS", "LIMITED_TIME_OFFER"):
        if other in parts:
            found.fault(parts[other][0], f"a template with a carousel has no {other} outside its cards")
    cards = objects(carousel.get("cards"))
    if not CARDS[0] <= len(cards) <= CARDS[1]:
        found.fault(f"{path}.cards", f"must have {CARDS[0]} to {CARDS[1]} cards, not {len(cards)}")
    looks = set()
    for index, card in enumerate(cards):
        at = f"{path}.cards[{index}]"
        inner = {kind(one): (f"{at}.components[{n}]", one) for n, one in enumerate(objects(card.get("components")))}
        looks.add(_look(inner))
        if (header := inner.get("HEADER")) is None or str(header[1].get("format")).upper() not in _HEADERS:
            found.fault(f"{at}.components", f"must have a HEADER with a format of {', '.join(_HEADERS)}")
        if body := inner.get("BODY"):
            example = body[1].get("example")
            check_text(
                body[1].get("text"),
                example if isinstance(example, Mapping) else {},
                body[0],
                parameter_format,
                found,
                key="body",
                limit=CARD_BODY_LIMIT,
            )
        if buttons := inner.get("BUTTONS"):
            check_buttons.check_buttons(buttons[1], buttons[0], found, most=CARD_BUTTONS)
        for odd in inner.keys() - {"HEADER", "BODY", "BUTTONS"}:
            found.fault(inner[odd][0], f"a card has no {odd}")
    if len(looks) > 1:
        found.fault(f"{path}.cards", "must all have the same components, header format and kinds of buttons")


def _look(parts: Mapping[str, tuple[str, Component]]) -> tuple[object, ...]:
    header = parts.get("HEADER", ("", {}))[1].get("format")
    buttons = [kind(button) for button in objects(parts.get("BUTTONS", ("", {}))[1].get("buttons"))]
    return (tuple(sorted(parts)), str(header).upper(), tuple(buttons))
