"""Does what was filled in fit the template? Every fault with its field and the limit, before Meta would say 132000,
132012 or 131008 (channel document §3.4)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hub_api.errors import Invalid
from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.template_parts import (
    BodyFilling,
    ButtonFilling,
    CarouselFilling,
    CurrencyParameter,
    DateTimeParameter,
    Filled,
    HeaderFilling,
    OfferFilling,
    TextParameter,
    UrlFilling,
)
from hub_api.whatsapp.compose.template_slots import Slots, fill, slots_of

Fault = tuple[str, str]  # path of the field, what is wrong with it
Words = TextParameter | CurrencyParameter | DateTimeParameter


class TemplateMismatch(Invalid):
    """What was filled in does not fit the template; `errors` names the fields."""

    code = "template_mismatch"


def require_fit(
    template: Mapping[str, Any], filled: Sequence[Filled], *, path: str = "body.components", now: datetime | None = None
) -> Slots:
    """The slots of `template` (name, category, components), all of them filled in rightly by `filled`.

    `path` is where the components stand in the request. Raises TemplateMismatch with every fault.
    """
    slots = slots_of(template["components"], parameter_format=template.get("parameter_format"))
    is_code = str(template["category"]).upper() == "AUTHENTICATION"
    faults = list(check(slots, filled, path, is_code=is_code, now=now or datetime.now(UTC)))
    if faults:
        raise TemplateMismatch(
            f"template {template['name']!r} cannot be sent like this: {faults[0][1]}",
            errors=[{"field": field, "message": message} for field, message in faults],
        )
    return slots


def check(slots: Slots, filled: Sequence[Filled], path: str, *, is_code: bool, now: datetime) -> Iterator[Fault]:
    """Every fault of `filled` for a template with these slots."""
    at = {_part_of(component): f"{path}.{position}" for position, component in enumerate(filled)}
    by_part = {_part_of(component): component for component in filled}
    header, body = by_part.get("header"), by_part.get("body")
    yield from _header(slots, header if isinstance(header, HeaderFilling) else None, at.get("header", path))
    values = list(body.parameters) if isinstance(body, BodyFilling) else []
    yield from _values("body", slots.body, values, at.get("body", path), named=slots.named)
    yield from _length(slots, values, at.get("body", path))
    if is_code:
        yield from _code(values, filled, at)
    buttons = {one.index: one for one in filled if isinstance(one, ButtonFilling)}
    yield from _buttons(slots, buttons, at, path)
    carousel = by_part.get("carousel")
    yield from _cards(slots, carousel if isinstance(carousel, CarouselFilling) else None, at.get("carousel", path), now)
    offer = by_part.get("limited_time_offer")
    yield from _offer(
        slots, offer if isinstance(offer, OfferFilling) else None, at.get("limited_time_offer", path), now
    )


def shown(parameter: Words) -> str:
    """A parameter as it is read."""
    match parameter:
        case TextParameter():
            return parameter.text
        case CurrencyParameter():
            return parameter.currency.fallback_value
        case DateTimeParameter():
            return parameter.date_time.fallback_value


def values_of(parameters: Sequence[Words]) -> dict[str, str]:
    """Values by the variable they fill: its name, or its number."""
    return {one.parameter_name or str(number): shown(one) for number, one in enumerate(parameters, 1)}


def _part_of(component: Filled) -> str:
    return f"button {component.index}" if isinstance(component, ButtonFilling) else component.type


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


def _length(slots: Slots, given: Sequence[Words], path: str) -> Iterator[Fault]:
    filled = len(fill(slots.body_text, values_of(given)))
    if filled > limits.TEMPLATE_BODY:
        yield path, f"the body has {filled} characters once filled in, {limits.TEMPLATE_BODY} are allowed"


def _header(slots: Slots, header: HeaderFilling | None, path: str) -> Iterator[Fault]:
    given = header.parameters[0] if header is not None else None
    if slots.header_format in ("", "TEXT"):
        if given is not None and not isinstance(given, TextParameter):
            yield f"{path}.parameters.0", f"the template has no {given.type} in its header"
        else:
            yield from _values("header", slots.header, [given] if given else [], path, named=slots.named)
        return
    wanted = slots.header_format.lower()
    if given is None:
        yield path, f"the header needs its {wanted} at every send"
    elif given.type != wanted:
        yield f"{path}.parameters.0.type", f"the header is a {wanted}, not a {given.type}"


def _code(values: Sequence[Words], filled: Sequence[Filled], at: Mapping[str, str]) -> Iterator[Fault]:
    codes = {at["body"]: shown(values[0])} if values else {}
    codes |= {at[_part_of(one)]: one.parameters[0].text for one in filled if isinstance(one, UrlFilling)}
    for path, code in codes.items():
        if len(code) > limits.CODE:
            yield f"{path}.parameters.0.text", f"a code has at most {limits.CODE} characters"
    if len(set(codes.values())) > 1:
        yield list(codes)[-1], "the code of the button must be the code of the body"


def _buttons(slots: Slots, given: Mapping[int, ButtonFilling], at: Mapping[str, str], path: str) -> Iterator[Fault]:
    for index, slot in slots.buttons.items():
        if slot.required and index not in given:
            yield path, f"button {index} needs its parameter: a component of sub_type {slot.sub_type}, index {index}"
    for index, button in given.items():
        kind = getattr(button, "sub_type", "")
        wanted = slots.buttons.get(index)
        if wanted is None:
            yield f"{at[f'button {index}']}.index", f"the template has no button {index} that takes a parameter"
        elif wanted.sub_type != kind:
            yield f"{at[f'button {index}']}.sub_type", f"button {index} takes {wanted.sub_type}, not {kind}"


def _cards(slots: Slots, carousel: CarouselFilling | None, path: str, now: datetime) -> Iterator[Fault]:
    cards = carousel.cards if carousel is not None else []
    if len(cards) != len(slots.cards):
        yield path, f"the template was approved with {len(slots.cards)} cards, {len(cards)} given"
        return
    for position, card in enumerate(cards):
        where = f"{path}.cards.{position}"
        if card.card_index >= len(slots.cards):
            yield f"{where}.card_index", f"cards are numbered 0 to {len(slots.cards) - 1}"
            continue
        yield from check(slots.cards[card.card_index], card.components, f"{where}.components", is_code=False, now=now)


def _offer(slots: Slots, offer: OfferFilling | None, path: str, now: datetime) -> Iterator[Fault]:
    if offer is None:
        if slots.offer_expires:
            yield path, "the offer counts down: give a limited_time_offer with its expiration_time_ms"
        return
    field = f"{path}.parameters.0.limited_time_offer.expiration_time_ms"
    if not slots.has_offer:
        yield path, "the template has no limited-time offer"
    elif offer.parameters[0].limited_time_offer.expiration_time_ms <= now.timestamp() * 1_000:
        yield field, "the offer would have ended already"
