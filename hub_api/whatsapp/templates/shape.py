"""What a template is made of and what a send must fill in: its components as Meta keeps them, read once into a `Shape`.

Pure and forgiving: what Meta lists is never refused here, an unknown component or button is kept by its type. What a
new template may contain is judged by `check.py`; what a send must contain follows from `variables`, `format` and
`Button.needs` (channel document §3.4).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Format = Literal["POSITIONAL", "NAMED"]
Component = Mapping[str, Any]

VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

MEDIA = frozenset({"IMAGE", "VIDEO", "DOCUMENT", "GIF"})

# By type of button: the `sub_type` of the component with which a send fills it, and whether it must.
_NEEDS = {
    "COPY_CODE": ("copy_code", True),
    "OTP": ("url", True),
    "QUICK_REPLY": ("quick_reply", False),
    "FLOW": ("flow", False),
    "CATALOG": ("catalog", False),
    "MPM": ("mpm", True),
    "ORDER_DETAILS": ("order_details", True),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its variables, each once, in the order in which they first stand: ("1", "2") or ("nome", "valor")."""

    text: str
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """`format`: TEXT, IMAGE, VIDEO, DOCUMENT, GIF, LOCATION or PRODUCT. All but TEXT need their object at every send."""

    format: str
    text: Text = Text("")

    @property
    def is_media(self) -> bool:
        """Whether a send must bring a file, by id or link."""
        return self.format in MEDIA


@dataclass(frozen=True, slots=True)
class Button:
    """A button by its place among all buttons (`index` of a send, from 0).

    `needs` is the `sub_type` of the component that fills it, None when nothing can be filled; `required` says whether
    a send without it is refused. `url` and `phone` are what Meta keeps, with `{{1}}` in the url when it is dynamic;
    `flow_id` is the flow that a FLOW button opens.
    """

    index: int
    type: str
    text: str
    needs: str | None = None
    required: bool = False
    url: str | None = None
    phone: str | None = None
    flow_id: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a carousel: a send has the same number of cards, each with its header's object."""

    index: int
    header: Header | None
    body: Text | None
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A limited-time offer; with `expires` a send gives `expiration_time_ms`."""

    text: str
    expires: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A template's parts; None or empty for what it does not have. `code`: its body is a one-time code (authentication)."""

    format: Format
    body: Text
    header: Header | None = None
    footer: str | None = None
    buttons: tuple[Button, ...] = ()
    cards: tuple[Card, ...] = ()
    offer: Offer | None = None
    code: bool = False

    @property
    def named(self) -> bool:
        """Whether parameters carry `parameter_name`; never mixed with positional ones."""
        return self.format == "NAMED"


def read_shape(components: Sequence[Component], parameter_format: str | None = None) -> Shape:
    """The shape of a template's components as Meta lists them.

    `parameter_format` as Meta says it; without it, it follows from the variables: a name that is no number means NAMED.
    """
    parts = {kind(component): component for component in components}
    buttons = _buttons(parts.get("BUTTONS", {}))
    code = any(button.type == "OTP" or is_code_url(button.url) for button in buttons)
    body = parts.get("BODY", {})
    cards = tuple(_card(index, card) for index, card in enumerate(objects(parts.get("CAROUSEL", {}).get("cards"))))
    header = _header(parts.get("HEADER"))
    # Meta writes the words of a code's body itself and does not always list them.
    text = read_text(body.get("text") or ("*{{1}}*" if code else ""))
    return Shape(
        format=_format(parameter_format, [text, header.text if header else Text("")]),
        body=text,
        header=header,
        footer=_footer(parts.get("FOOTER")),
        buttons=buttons,
        cards=cards,
        offer=_offer(parts.get("LIMITED_TIME_OFFER")),
        code=code,
    )


def read_text(text: Any) -> Text:
    """A text and the names of its variables."""
    words = text if isinstance(text, str) else ""
    return Text(words, tuple(dict.fromkeys(VARIABLE.findall(words))))


def kind(component: Component) -> str:
    """The type of a component or button; Meta lists it in upper case, people write it in either."""
    return str(component.get("type", "")).upper()


def objects(value: Any) -> list[Component]:
    """The objects of a list; whatever else is there is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def texts(shape: Shape) -> Iterator[Text]:
    """Every text of a shape that may have variables, cards included."""
    if shape.header is not None:
        yield shape.header.text
    yield shape.body
    yield from (card.body for card in shape.cards if card.body is not None)


def is_code_url(url: str | None) -> bool:
    """Whether a url button is what Meta makes of a one-time-code button."""
    return bool(url) and str(url).startswith("https://www.whatsapp.com/otp/")


def _format(given: str | None, found: Sequence[Text]) -> Format:
    if given:
        return "NAMED" if given.upper() == "NAMED" else "POSITIONAL"
    named = any(not name.isdigit() for text in found for name in text.variables)
    return "NAMED" if named else "POSITIONAL"


def _header(component: Component | None) -> Header | None:
    if component is None:
        return None
    return Header(str(component.get("format") or "TEXT").upper(), read_text(component.get("text")))


def _footer(component: Component | None) -> str | None:
    if component is None:
        return None
    if minutes := component.get("code_expiration_minutes"):
        return f"Este código expira em {minutes} minutos."
    return str(component.get("text") or "")


def _offer(component: Component | None) -> Offer | None:
    given = component.get("limited_time_offer") if component is not None else None
    if not isinstance(given, Mapping):
        return None
    return Offer(str(given.get("text") or ""), bool(given.get("has_expiration")))


def _card(index: int, card: Component) -> Card:
    parts = {kind(component): component for component in objects(card.get("components"))}
    body = parts.get("BODY")
    return Card(
        index,
        _header(parts.get("HEADER")),
        read_text(body.get("text")) if body is not None else None,
        _buttons(parts.get("BUTTONS", {})),
    )


def _buttons(component: Component) -> tuple[Button, ...]:
    return tuple(_button(index, button) for index, button in enumerate(objects(component.get("buttons"))))


def _button(index: int, button: Component) -> Button:
    type_, url = kind(button), button.get("url")
    needs, required = _NEEDS.get(type_, (None, False))
    if type_ == "URL" and isinstance(url, str) and VARIABLE.search(url):
        needs, required = "url", True
    return Button(
        index,
        type_,
        str(button.get("text") or ""),
        needs,
        required,
        url if isinstance(url, str) else None,
        str(button["phone_number"]) if button.get("phone_number") else None,
        str(button["flow_id"]) if button.get("flow_id") else None,
    )
