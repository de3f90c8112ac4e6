"""Validation of template sends: state, parameters named or positional, headers, buttons, cards.

What a template asks for is worked out once per version of its components (`Slots`), so that a send is a comparison.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hub_api.simulator.check_template_buttons import check_button
from hub_api.simulator.errors import MetaError
from hub_api.simulator.fields import child, link, parts, text
from hub_api.simulator.model import Media, Template, Waba
from hub_api.simulator.render import VARIABLE, shown

Json = dict[str, Any]
FindMedia = Callable[[str], Media | None]

BODY_LIMIT = 1_024
FEWEST_CARDS = 2
BAD_VALUE = re.compile(r"[\n\r\t]| {5,}")


@dataclass(slots=True)
class Slots:
    """What a send must fill in: variable names of header and body, the header's medium, buttons by position, cards."""

    body: tuple[str, ...] = ()
    body_length: int = 0
    header: tuple[str, ...] = ()
    header_format: str = ""
    buttons: dict[int, str] = field(default_factory=dict)  # position -> sub_type that needs a parameter
    optional_buttons: dict[int, str] = field(default_factory=dict)
    cards: list["Slots"] = field(default_factory=list)
    offer: bool = False
    offer_expires: bool = False


def slots_of(components: list[Json]) -> Slots:
    """The slots of a template's components."""
    slots = Slots()
    for component in components:
        match component["type"]:
            case "BODY":
                slots.body = _variables(component.get("text", ""))
                slots.body_length = len(VARIABLE.sub("", component.get("text", "")))
            case "HEADER":
                slots.header_format = component.get("format", "TEXT")
                slots.header = _variables(component.get("text", ""))
            case "BUTTONS":
                _button_slots(component["buttons"], slots)
            case "LIMITED_TIME_OFFER":
                slots.offer = True
                slots.offer_expires = bool(component.get("limited_time_offer", {}).get("has_expiration"))
            case "CAROUSEL":
                slots.cards = [slots_of(card["components"]) for card in component["cards"]]
    return slots


def check_template(waba: Waba, body: Json, find_media: FindMedia) -> Template:
    """The template a send names, when it may be sent and is filled in rightly. Raises MetaError."""
    name = text(body, "name", "template")
    language = text(child(body, "language", "template", code=100), "code", "template['language']")
    template = waba.templates.get((name, language))
    if template is None or template.status in ("PENDING", "REJECTED", "PENDING_DELETION", "DELETED", "IN_APPEAL"):
        raise MetaError(132001, f"template name ({name}) does not exist in {language}")
    if template.status == "PAUSED":
        raise MetaError(132015, f"Template {name} is paused because of its low quality. Improve it or wait.")
    if template.status in ("DISABLED", "LIMIT_EXCEEDED", "LOCKED", "ARCHIVED"):
        raise MetaError(132016, f"Template {name} is disabled: it was paused too often. Create another one.")
    if template.compiled is None:
        template.compiled = slots_of(template.components)
    components = body.get("components", [])
    if not isinstance(components, list) or not all(isinstance(c, dict) for c in components):
        raise MetaError(100, "Param template['components'] must be an array of JSON objects.")
    check_components(template.compiled, components, template, find_media)
    return template


def check_components(slots: Slots, components: list[Json], template: Template, find_media: FindMedia) -> None:
    """Compare what was sent with what the template (or one card of it) asks for. Raises MetaError."""
    named = template.parameter_format == "NAMED"
    given: dict[str, Json] = {}
    buttons: dict[int, Json] = {}
    for component in components:
        type_ = str(component.get("type", "")).lower()
        if type_ == "button":
            index = _index(component)
            if index in buttons:
                raise MetaError(132012, f"buttons: Button at index {index} is given twice")
            buttons[index] = component
        elif type_ in ("header", "body", "carousel", "limited_time_offer"):
            if type_ in given:
                raise MetaError(132012, f"Param template['components'] has {type_} twice.")
            given[type_] = component
        else:
            raise MetaError(100, f"Param template['components'] has an unknown type \"{type_}\".")
    _check_values(slots.body, given.get("body"), "body", named, slots.body_length)
    _check_header(slots, given.get("header"), named, find_media)
    _check_buttons(slots, buttons, template)
    _check_offer(slots, given.get("limited_time_offer"))
    if slots.cards or "carousel" in given:
        _check_cards(slots, given.get("carousel", {}), template, find_media)


def _check_values(wanted: tuple[str, ...], component: Json | None, part: str, named: bool, fixed: int) -> None:
    parameters = _parameters(component)
    if len(parameters) != len(wanted):
        raise MetaError(
            132000,
            f"{part}: number of localizable_params ({len(parameters)}) does not match the expected number of params "
            f"({len(wanted)})",
        )
    length = fixed
    for parameter in parameters:
        value = shown(parameter)
        if not value:
            raise MetaError(131008, f"{part}: Parameter of type text is missing text value")
        if BAD_VALUE.search(value):
            raise MetaError(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
        length += len(value)
    if part == "body" and length > BODY_LIMIT:
        raise MetaError(132005, f"{part}: the text has {length} characters after filling in, {BODY_LIMIT} are allowed")
    names = [parameter.get("parameter_name") for parameter in parameters]
    if named and set(names) != set(wanted):
        raise MetaError(132012 if all(names) else 100, f"{part}: Parameter name is missing or empty, or not one of "
                                                       f"{', '.join(wanted)}")  # fmt: skip
    if not named and any(names):
        raise MetaError(132012, f"{part}: the template has positional parameters, parameter_name is not allowed")


def _check_header(slots: Slots, component: Json | None, named: bool, find_media: FindMedia) -> None:
    if slots.header_format in ("", "TEXT"):
        _check_values(slots.header, component, "header", named, 0)
        return
    wanted = slots.header_format.lower()
    parameters = _parameters(component)
    received = str(parameters[0].get("type", "")) if len(parameters) == 1 else "nothing"
    if received != wanted:
        raise MetaError(132012, f"header: Format mismatch, expected {wanted.upper()}, received {received.upper()}")
    value = child(parameters[0], wanted, "header", code=132012)
    if wanted == "product":
        for key in ("catalog_id", "product_retailer_id"):
            text(value, key, "product")
    elif wanted == "location":
        if "latitude" not in value or "longitude" not in value:
            raise MetaError(132012, "header: location needs latitude and longitude")
    elif value.get("link") is not None:
        link(value["link"], f"header {wanted}['link']")
    elif find_media(str(value.get("id"))) is None:
        raise MetaError(131053, f"header: {wanted} id {value.get('id')} is not a valid media attachment ID")


def _check_buttons(slots: Slots, sent: dict[int, Json], template: Template) -> None:
    for index, kind in slots.buttons.items():
        if index not in sent:
            raise MetaError(131008, f"buttons: Button at index {index} of type {kind} requires a parameter")
    for index, component in sent.items():
        kind = str(component.get("sub_type", "")).lower()
        allowed = slots.buttons.get(index) or slots.optional_buttons.get(index)
        if kind != allowed:
            raise MetaError(132012, f"buttons: Button at index {index} is {allowed or 'absent'}, not {kind}")
        check_button(kind, _parameters(component), index, template)


def _check_cards(slots: Slots, component: Json, template: Template, find_media: FindMedia) -> None:
    cards = parts(component, "cards", "carousel", maximum=10, code=132012)
    if len(cards) < FEWEST_CARDS:
        raise MetaError(132012, f"carousel: {len(cards)} cards sent, a carousel has {FEWEST_CARDS} to 10")
    if len(cards) != len(slots.cards):
        raise MetaError(132012, f"carousel: {len(cards)} cards sent, the template has {len(slots.cards)}")
    if {card.get("card_index") for card in cards} != set(range(len(cards))):
        raise MetaError(132012, f"carousel: card_index must number the cards 0 to {len(cards) - 1}")
    for position, card in enumerate(sorted(cards, key=lambda c: int(c["card_index"]))):
        check_components(slots.cards[position], card.get("components", []), template, find_media)


def _check_offer(slots: Slots, component: Json | None) -> None:
    if component is None:
        if slots.offer_expires:
            raise MetaError(132012, "limited_time_offer: the template needs its expiration_time_ms")
        return
    if not slots.offer:
        raise MetaError(132012, "limited_time_offer: the template has none")
    value = _parameters(component)
    ends = value[0].get("limited_time_offer") if len(value) == 1 else None
    if (
        not isinstance(ends, dict)
        or not isinstance(ends.get("expiration_time_ms"), int)
        or ends["expiration_time_ms"] < 1
    ):
        raise MetaError(132012, "limited_time_offer: expiration_time_ms must be a time in Unix milliseconds")


def _parameters(component: Json | None) -> list[Json]:
    parameters = component.get("parameters", []) if component else []
    if not isinstance(parameters, list) or not all(isinstance(p, dict) for p in parameters):
        raise MetaError(100, "Param parameters must be an array of JSON objects.")
    return parameters


def _index(component: Json) -> int:
    try:
        return int(component["index"])
    except (KeyError, TypeError, ValueError):
        raise MetaError(100, "Param index of a button component must be its position, 0 to 9.") from None


def _variables(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(VARIABLE.findall(value)))


def _button_slots(buttons: list[Json], slots: Slots) -> None:
    for index, button in enumerate(buttons):
        match button["type"]:
            case "URL" if "{{" in button.get("url", ""):
                slots.buttons[index] = "url"
            case "COPY_CODE":
                slots.buttons[index] = "copy_code"
            case "OTP":
                slots.buttons[index] = "url"
            case "QUICK_REPLY":
                slots.optional_buttons[index] = "quick_reply"
            case "FLOW":
                slots.optional_buttons[index] = "flow"
            case "CATALOG":
                slots.optional_buttons[index] = "catalog"
            case "MPM" | "ORDER_DETAILS":
                slots.buttons[index] = button["type"].lower()
