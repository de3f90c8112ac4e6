"""A template as the phone shows it, with its parameters filled in: a structure, safe HTML and plain text. Pure."""

import html
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hub_api.whatsapp.templates.markup import Span, spans, to_html, to_plain
from hub_api.whatsapp.templates.shape import VARIABLE, Button, Card, Component, Header, Shape, Text, kind, objects

# Labels that the app writes itself, as it shows them in Portuguese.
_OWN_LABELS = {"COPY_CODE": "Copiar código da oferta", "OTP": "Copiar código", "REQUEST_CONTACT_INFO": "Enviar contato"}
_SIGNS = {"IMAGE": "🖼 imagem", "VIDEO": "🎞 vídeo", "DOCUMENT": "📄 documento", "GIF": "🎞 GIF", "LOCATION": "📍 localização",
          "PRODUCT": "🛍 produto"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Values:
    """What fills a template: `body` and `header` by variable, `buttons` by index, `media` the header's file name or link,
    `cards` by card index. What is missing stays as {{variable}}."""

    body: Mapping[str, str]
    header: Mapping[str, str]
    buttons: Mapping[int, str]
    media: str = ""
    cards: Mapping[int, "Values"] | None = None


NOTHING = Values({}, {}, {})


@dataclass(frozen=True, slots=True)
class ShownHeader:
    """`format` as in the template; `text` for TEXT (shown bold, without markup), `media` what was given of a file."""

    format: str
    text: str = ""
    media: str = ""


@dataclass(frozen=True, slots=True)
class ShownButton:
    """What a tap does: `url`, `phone`, or a reply with the label."""

    type: str
    label: str
    url: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class ShownCard:
    """One card of a carousel."""

    header: ShownHeader | None
    body: list[Span]
    buttons: list[ShownButton]


@dataclass(frozen=True, slots=True)
class Preview:
    """The message; `missing` names the variables that nothing filled, as header.1, body.nome, button.0, card.1.body.1."""

    header: ShownHeader | None
    body: list[Span]
    footer: str | None
    buttons: list[ShownButton]
    cards: list[ShownCard]
    offer: str | None
    missing: list[str]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "text": self.as_text(), "html": self.as_html()}

    def as_text(self) -> str:
        """For a terminal or a search index: one part a line."""
        lines = [*_header_lines(self.header), to_plain(self.body)]
        lines += [self.footer] if self.footer else []
        lines += [f"⏳ {self.offer}"] if self.offer else []
        lines += [_button_line(button) for button in self.buttons]
        for number, card in enumerate(self.cards, start=1):
            lines += [f"— {number} —", *_header_lines(card.header)]
            lines += [to_plain(card.body)] if card.body else []
            lines += [_button_line(button) for button in card.buttons]
        return "\n".join(lines)

    def as_html(self) -> str:
        """A fragment without style, script or link: classes say what each part is. Everything given is escaped."""
        offer = f'<div class="offer">⏳ {html.escape(self.offer)}</div>' if self.offer else ""
        footer = f'<div class="footer">{html.escape(self.footer)}</div>' if self.footer else ""
        bubble = f"{_header_html(self.header)}{offer}{_body_html(self.body)}{footer}"
        cards = "".join(
            f'<div class="card">{_header_html(card.header)}{_body_html(card.body)}{_buttons_html(card.buttons)}</div>'
            for card in self.cards
        )
        carousel = f'<div class="cards">{cards}</div>' if cards else ""
        return f'<div class="message"><div class="bubble">{bubble}</div>{_buttons_html(self.buttons)}{carousel}</div>'


def preview(shape: Shape, values: Values) -> Preview:
    """The template filled with `values`."""
    missing: list[str] = []
    cards = values.cards or {}
    return Preview(
        header=_header(shape.header, values, "", missing),
        body=spans(_fill(shape.body, values.body, "body.", missing)),
        footer=shape.footer,
        buttons=[_button(button, values, "", missing) for button in shape.buttons],
        cards=[_card(card, cards.get(card.index, NOTHING), missing) for card in shape.cards],
        offer=shape.offer.text if shape.offer else None,
        missing=missing,
    )


def example_values(components: list[Component]) -> Values:
    """The examples that the template was submitted with, as values."""
    parts = {kind(component): component for component in components}
    cards = objects(parts.get("CAROUSEL", {}).get("cards"))
    return Values(
        body=_examples(parts.get("BODY", {}), "body"),
        header=_examples(parts.get("HEADER", {}), "header"),
        buttons={
            index: example
            for index, button in enumerate(objects(parts.get("BUTTONS", {}).get("buttons")))
            if (example := _button_example(button))
        },
        cards={index: example_values(objects(card.get("components"))) for index, card in enumerate(cards)},
    )


def values_of_send(components: list[Component]) -> Values:
    """The values of a send, from its components in the Cloud API's form."""
    body, header, media = {}, {}, ""
    buttons: dict[int, str] = {}
    cards: dict[int, Values] = {}
    for component in components:
        parameters = objects(component.get("parameters"))
        match kind(component):
            case "BODY":
                body = _by_name(parameters)
            case "HEADER":
                header, media = _by_name(parameters), _media(parameters)
            case "BUTTON" if parameters and str(component.get("index", "")).isdigit():
                first = parameters[0]
                buttons[int(component["index"])] = str(first.get("text") or first.get("coupon_code") or "")
            case "CAROUSEL":
                for index, card in enumerate(objects(component.get("cards"))):
                    cards[index] = values_of_send(objects(card.get("components")))
            case _:
                pass
    return Values(body, header, buttons, media, cards)


def _by_name(parameters: list[Component]) -> dict[str, str]:
    return {str(p.get("parameter_name") or n): _shown(p) for n, p in enumerate(parameters, start=1) if _shown(p)}


def _shown(parameter: Component) -> str:
    inner = parameter.get(str(parameter.get("type")))
    return str(inner.get("fallback_value") or "") if isinstance(inner, Mapping) else str(parameter.get("text") or "")


def _media(parameters: list[Component]) -> str:
    first = parameters[0] if parameters else {}
    given = first.get(str(first.get("type")))
    if not isinstance(given, Mapping):
        return ""
    return str(given.get("filename") or given.get("name") or given.get("link") or given.get("id") or "")


def _examples(component: Component, key: str) -> dict[str, str]:
    example = component.get("example")
    if not isinstance(example, Mapping):
        return {}
    if named := objects(example.get(f"{key}_text_named_params")):
        return {str(one.get("param_name")): str(one.get("example")) for one in named}
    given = example.get(f"{key}_text")
    if isinstance(given, list) and given and isinstance(given[0], list):
        given = given[0]
    return {str(n): str(value) for n, value in enumerate(given, start=1)} if isinstance(given, list) else {}


def _button_example(button: Component) -> str:
    example = button.get("example")
    example = example[0] if isinstance(example, list) and example else example
    if not isinstance(example, str):
        return ""
    url = button.get("url")
    # The example of an address is the whole of it, the value is what stands for the variable at its end.
    return example.removeprefix(VARIABLE.sub("", url)) if isinstance(url, str) else example


def _fill(text: Text, values: Mapping[str, str], where: str, missing: list[str]) -> str:
    missing += [f"{where}{name}" for name in text.variables if not values.get(name)]
    return VARIABLE.sub(lambda variable: values.get(variable[1]) or variable[0], text.text)


def _header(header: Header | None, values: Values, where: str, missing: list[str]) -> ShownHeader | None:
    if header is None:
        return None
    return ShownHeader(header.format, _fill(header.text, values.header, f"{where}header.", missing), values.media)


def _button(button: Button, values: Values, where: str, missing: list[str]) -> ShownButton:
    url, value = button.url, values.buttons.get(button.index)
    if button.required and not value:
        missing.append(f"{where}button.{button.index}")
    if url and value:
        url = VARIABLE.sub(lambda _: value, url)
    return ShownButton(button.type, button.text or _OWN_LABELS.get(button.type, button.type), url, button.phone)


def _card(card: Card, values: Values, missing: list[str]) -> ShownCard:
    where = f"card.{card.index}."
    return ShownCard(
        _header(card.header, values, where, missing),
        spans(_fill(card.body, values.body, f"{where}body.", missing)) if card.body else [],
        [_button(button, values, where, missing) for button in card.buttons],
    )


def _header_lines(header: ShownHeader | None) -> list[str]:
    if header is None:
        return []
    return [header.text] if header.format == "TEXT" else [f"[{_sign(header)}]"]


def _sign(header: ShownHeader) -> str:
    return f"{_SIGNS.get(header.format, header.format.lower())} {header.media}".rstrip()


def _button_line(button: ShownButton) -> str:
    return f"[{button.label}]" + (f" {button.url or button.phone}" if button.url or button.phone else "")


def _header_html(header: ShownHeader | None) -> str:
    if header is None:
        return ""
    shown = header.text if header.format == "TEXT" else _sign(header)
    return f'<div class="header {html.escape(header.format.lower())}">{html.escape(shown)}</div>'


def _body_html(body: list[Span]) -> str:
    return f'<div class="body">{to_html(body)}</div>' if body else ""


def _buttons_html(buttons: list[ShownButton]) -> str:
    shown = "".join(
        f'<div class="button" title="{html.escape(button.url or button.phone or "")}">{html.escape(button.label)}</div>'
        for button in buttons
    )
    return f'<div class="buttons">{shown}</div>' if shown else ""
