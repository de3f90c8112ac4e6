"""Does what was filled in fit the template? Every fault with its field and the limit, before Meta would say 132000,
132012 or 131008 (channel document §3.4)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hub_api.errors import Invalid
from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.template_buttons import ButtonFilling, UrlFilling, UrlPart
from hub_api.whatsapp.compose.template_parts import (
    BodyFilling,
    CarouselFilling,
    CurrencyParameter,
    DateTimeParameter,
    Filled,
    HeaderFilling,
    OfferFilling,
    TextParameter,
)
from hub_api.whatsapp.compose.template_parts import Card as FilledCard
from hub_api.whatsapp.templates.shape import VARIABLE, Button, Card, Header, Shape, Text, read_shape

Fault = tuple[str, str]  # path of the field, what is wrong with it
Words = TextParameter | CurrencyParameter | DateTimeParameter


class TemplateMismatch(Invalid):
    """What was filled in does not fit the template; `errors` names the fields."""

    code = "template_mismatch"


def require_fit(
    template: Mapping[str, Any], filled: Sequence[Filled], *, path: str = "body.components", now: datetime | None = None
) -> Shape:
    """The shape of `template` (name, components, parameter_format), all of it filled in rightly by `filled`.

    `path` is where the components stand in the request. Raises TemplateMismatch with every fault.
    """
    # POSITIONAL is also what stands there until the first sync: then the variables themselves tell.
    named = template["parameter_format"] == "NAMED"
    shape = read_shape(template["components"], "NAMED" if named else None)
    faults = list(check(shape, filled, path, now=now or datetime.now(UTC)))
    if faults:
        raise TemplateMismatch(
            f"template {template['name']!r} cannot be sent like this: {faults[0][1]}",
            errors=[{"field": field, "message": message} for field, message in faults],
        )
    return shape


def check(shape: Shape, filled: Sequence[Filled], path: str, *, now: datetime) -> Iterator[Fault]:
    """Every fault of `filled` for a template of this shape; `path` is where `filled` stands."""
    yield from _parts(shape.header, shape.body, shape.buttons, filled, path, named=shape.named)
    if shape.code:
        yield from _code(filled, path)
    by_type = {one.type: (f"{path}.{position}", one) for position, one in enumerate(filled)}
    where, carousel = by_type.get("carousel", (path, None))
    yield from _cards(shape, carousel.cards if isinstance(carousel, CarouselFilling) else [], where)
    where, offer = by_type.get("limited_time_offer", (path, None))
    yield from _offer(shape, offer if isinstance(offer, OfferFilling) else None, where, now)


def shown(parameter: Words) -> str:
    """A parameter as it is read."""
    match parameter:
        case TextParameter():
            return parameter.text
        case CurrencyParameter():
            return parameter.currency.fallback_value
        case DateTimeParameter():
            return parameter.date_time.fallback_value


def fill(text: Text, filled: Sequence[Filled]) -> str:
    """The text with its variables replaced by the parameters of the body in `filled`; what is not given stays."""
    body = next((one for one in filled if isinstance(one, BodyFilling)), None)
    values = {one.parameter_name or str(number): shown(one) for number, one in enumerate(_given(body), 1)}
    return VARIABLE.sub(lambda variable: values.get(variable[1], variable[0]), text.text)


def _given(component: BodyFilling | None) -> list[Words]:
    return list(component.parameters) if component is not None else []


def _parts(
    header: Header | None,
    body: Text | None,
    buttons: Sequence[Button],
    filled: Sequence[Filled],
    path: str,
    *,
    named: bool,
) -> Iterator[Fault]:
    """What a template and one of its cards have in common: header, body, buttons."""
    given: dict[str, tuple[str, Filled]] = {}
    for position, component in enumerate(filled):
        if not isinstance(component, ButtonFilling):
            given[component.type] = (f"{path}.{position}", component)
    where, one = given.get("header", (path, None))
    yield from _header(header, one if isinstance(one, HeaderFilling) else None, where, named=named)
    where, one = given.get("body", (path, None))
    text = body or Text("")
    words = _given(one if isinstance(one, BodyFilling) else None)
    yield from _values("body", text.variables, words, where, named=named)
    if (length := len(fill(text, filled))) > limits.TEMPLATE_BODY:
        yield where, f"the body has {length} characters once filled in, {limits.TEMPLATE_BODY} are allowed"
    yield from _buttons(buttons, filled, path)


def _values(part: str, wanted: Sequence[str], given: Sequence[Words], path: str, *, named: bool) -> Iterator[Fault]:
    if len(given) != len(wanted):
        of = f" ({', '.join(wanted)})" if named and wanted else ""
        yield path, f"the {part} takes {len(wanted)} parameters{of}, {len(given)} given"
    for position, parameter in enumerate(given):
        field = f"{path}.parameters.{position}.parameter_name"
        if named and parameter.parameter_name is None:
            yield field, f"the template has named variables: one of {', '.join(wanted)}"
        elif named and parameter.parameter_name not in wanted:
            yield field, f"no variable of the {part}: {', '.join(wanted) or 'it has none'}"
        elif not named and parameter.parameter_name is not None:
            yield field, "the template has positional variables: parameters have no names"
    names = [one.parameter_name for one in given]
    if named and len(set(names)) < len(names):
        yield path, "each named variable is filled once"


def _header(header: Header | None, filling: HeaderFilling | None, path: str, *, named: bool) -> Iterator[Fault]:
    given = filling.parameters[0] if filling is not None else None
    if header is None or header.format == "TEXT":
        variables = header.text.variables if header is not None else ()
        if given is not None and not isinstance(given, TextParameter):
            yield f"{path}.parameters.0", f"the template has no {given.type} in its header"
        else:
            yield from _values("header", variables, [given] if given is not None else [], path, named=named)
        return
    wanted = header.format.lower()
    if given is None:
        yield path, f"the header needs its {wanted} at every send"
    elif given.type != wanted:
        yield f"{path}.parameters.0.type", f"the header is a {wanted}, not a {given.type}"


def _code(filled: Sequence[Filled], path: str) -> Iterator[Fault]:
    """A one-time code stands in the body and, the same, in the button."""
    codes = {}
    for position, component in enumerate(filled):
        match component:
            case BodyFilling(parameters=[TextParameter(text=code)]) | UrlFilling(parameters=[UrlPart(text=code)]):
                codes[f"{path}.{position}.parameters.0.text"] = code
    for field, code in codes.items():
        if len(code) > limits.CODE:
            yield field, f"a code has at most {limits.CODE} characters"
    if len(set(codes.values())) > 1:
        yield list(codes)[-1], "the button copies another code than the body shows"


def _buttons(buttons: Sequence[Button], filled: Sequence[Filled], path: str) -> Iterator[Fault]:
    given = {one.index: (f"{path}.{at}", one) for at, one in enumerate(filled) if isinstance(one, ButtonFilling)}
    for button in buttons:
        if button.required and button.index not in given:
            yield path, f"button {button.index} needs its parameter: a component of sub_type {button.needs}"
    by_index = {button.index: button for button in buttons}
    for index, (where, filling) in given.items():
        wanted, kind = by_index.get(index), getattr(filling, "sub_type", "")
        if wanted is None or wanted.needs is None:
            yield f"{where}.index", f"the template has no button {index} that takes a parameter"
        elif wanted.needs != kind:
            yield f"{where}.sub_type", f"button {index} takes {wanted.needs}, not {kind}"


def _cards(shape: Shape, cards: Sequence[FilledCard], path: str) -> Iterator[Fault]:
    if len(cards) != len(shape.cards):
        yield path, f"the template was approved with {len(shape.cards)} cards, {len(cards)} given"
        return
    by_index: dict[int, Card] = {card.index: card for card in shape.cards}
    for position, filled in enumerate(cards):
        where, card = f"{path}.cards.{position}", by_index.get(filled.card_index)
        if card is None:
            yield f"{where}.card_index", f"cards are numbered 0 to {len(shape.cards) - 1}"
            continue
        parts = (card.header, card.body, card.buttons, filled.components)
        yield from _parts(*parts, f"{where}.components", named=shape.named)


def _offer(shape: Shape, filling: OfferFilling | None, path: str, now: datetime) -> Iterator[Fault]:
    if filling is None:
        if shape.offer is not None and shape.offer.expires:
            yield path, "the offer counts down: give a limited_time_offer with its expiration_time_ms"
        return
    if shape.offer is None:
        yield path, "the template has no limited-time offer"
    elif filling.parameters[0].limited_time_offer.expiration_time_ms <= now.timestamp() * 1_000:
        yield f"{path}.parameters.0.limited_time_offer.expiration_time_ms", "the offer would have ended already"
