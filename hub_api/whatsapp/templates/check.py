"""Whether Meta would take a template: every limit of the channel document §3.4, with the field that breaks it.

Pure. All faults are found at once, each at a path such as `components[1].buttons[0].text`; what Meta takes but people
regret (advertising without a way out) is a warning. Sources: Meta's templates/overview, templates/components,
templates/marketing-templates (carousel, limited-time offer), templates/authentication-templates.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub_api.whatsapp.templates import check_buttons, check_cards
from hub_api.whatsapp.templates.check_texts import check_text
from hub_api.whatsapp.templates.faults import Fault, Found
from hub_api.whatsapp.templates.shape import VARIABLE, Component, kind, objects, read_text

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
FORMATS = ("POSITIONAL", "NAMED")
HEADERS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION")
COMPONENTS = ("HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST")
NAME_LIMIT, BODY_LIMIT, HEADER_LIMIT, FOOTER_LIMIT = 512, 1_024, 60, 60
OFFER_BODY_LIMIT, OFFER_LIMIT = 600, 16
# Seconds that a message waits for its phone, by category (§3.1). Authentication also takes -1: Meta's usual 10 minutes.
TTL = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}

_NAME = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
_LEAVES = re.compile(
    r"parar|pare\b|sair|cancelar|descadastr|remover|n[ãa]o quero|stop|unsubscribe|opt.?out", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A template as somebody wants it; `components` in the form in which Meta takes them."""

    name: str
    language: str
    category: str
    components: Sequence[Component]
    parameter_format: str = "POSITIONAL"
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: with `faults` Meta would refuse the draft, `warnings` are for whoever wrote it."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def check(draft: Draft) -> Verdict:
    """All that is wrong with a draft, and all that is unwise."""
    found = Found()
    _check_head(draft, found)
    parts = _parts(draft, found)
    if draft.category == "AUTHENTICATION":
        check_buttons.check_code(parts, found)
    else:
        _check_header(draft, parts, found)
        _check_body(draft, parts, found)
        _check_footer(parts, found)
        if "BUTTONS" in parts:
            path, component = parts["BUTTONS"]
            check_buttons.check_buttons(component, path, found)
        if "CAROUSEL" in parts:
            check_cards.check_carousel(parts, draft.parameter_format, found)
        if "LIMITED_TIME_OFFER" in parts:
            _check_offer(draft, parts, found)
    return Verdict(found.faults, [*_warnings(draft, parts)])


def _check_head(draft: Draft, found: Found) -> None:
    if not _NAME.fullmatch(draft.name) or len(draft.name) > NAME_LIMIT:
        found.fault("name", f"must be lower case letters, digits and underscores, at most {NAME_LIMIT}")
    if not _LANGUAGE.fullmatch(draft.language):
        found.fault("language", "must be a language code such as pt_BR or en")
    if draft.category not in CATEGORIES:
        found.fault("category", f"must be one of {', '.join(CATEGORIES)}")
    if draft.parameter_format not in FORMATS:
        found.fault("parameter_format", f"must be one of {', '.join(FORMATS)}")
    if draft.ttl_s is not None and draft.category in TTL:
        low, high = TTL[draft.category]
        if not low <= draft.ttl_s <= high and not (draft.ttl_s == -1 and draft.category == "AUTHENTICATION"):
            found.fault("ttl_s", f"must be {low} to {high} seconds for {draft.category}")


def _parts(draft: Draft, found: Found) -> dict[str, tuple[str, Component]]:
    """The components by type, each with its path; unknown and repeated ones are faults."""
    parts: dict[str, tuple[str, Component]] = {}
    for index, component in enumerate(draft.components):
        path, type_ = f"components[{index}]", kind(component)
        if type_ not in COMPONENTS:
            found.fault(f"{path}.type", f"must be one of {', '.join(COMPONENTS)}")
        elif type_ in parts:
            found.fault(path, f"is a second {type_}: a template has one of each")
        else:
            parts[type_] = (path, component)
    if "BODY" not in parts:
        found.fault("components", "must have a component of type BODY")
    return parts


def _check_header(draft: Draft, parts: Mapping[str, tuple[str, Component]], found: Found) -> None:
    if "HEADER" not in parts:
        return
    path, header = parts["HEADER"]
    format_ = str(header.get("format", "")).upper()
    example = _mapping(header.get("example"))
    if format_ not in HEADERS:
        found.fault(f"{path}.format", f"must be one of {', '.join(HEADERS)}")
    elif format_ == "TEXT":
        check_text(header.get("text"), example, path, draft.parameter_format, found, key="header", limit=HEADER_LIMIT)
        text = str(header.get("text") or "")
        if len(read_text(text).variables) > 1:
            found.fault(f"{path}.text", "may have one variable")
        if "\n" in text or re.search(r"[*_~`]", VARIABLE.sub("", text)):
            found.fault(f"{path}.text", "may have no line breaks and no *bold*, _italic_, ~strike~ or ```mono```")
    elif format_ == "GIF" and draft.category != "MARKETING":
        found.fault(f"{path}.format", "GIF is for MARKETING")
    elif format_ != "LOCATION" and not _handles(example):
        found.fault(f"{path}.example.header_handle", f"must name one uploaded sample of the {format_.lower()}")


def _check_body(draft: Draft, parts: Mapping[str, tuple[str, Component]], found: Found) -> None:
    if "BODY" not in parts:
        return
    path, body = parts["BODY"]
    example = _mapping(body.get("example"))
    check_text(body.get("text"), example, path, draft.parameter_format, found, key="body", limit=BODY_LIMIT)
    text = str(body.get("text") or "")
    if "\t" in text or "     " in text or "\n\n\n" in text:
        found.fault(f"{path}.text", "may have no tab, no more than 4 spaces and no more than 2 line breaks in a row")


def _check_footer(parts: Mapping[str, tuple[str, Component]], found: Found) -> None:
    if "FOOTER" not in parts:
        return
    path, footer = parts["FOOTER"]
    text = footer.get("text")
    if not isinstance(text, str) or not text.strip():
        found.fault(f"{path}.text", "is missing or empty")
    elif len(text) > FOOTER_LIMIT:
        found.fault(f"{path}.text", f"has {len(text)} characters, at most {FOOTER_LIMIT} are allowed")
    elif VARIABLE.search(text):
        found.fault(f"{path}.text", "may have no variables")


def _check_offer(draft: Draft, parts: Mapping[str, tuple[str, Component]], found: Found) -> None:
    path, component = parts["LIMITED_TIME_OFFER"]
    text = _mapping(component.get("limited_time_offer")).get("text")
    if draft.category != "MARKETING":
        found.fault(path, "a limited-time offer is for MARKETING")
    if not isinstance(text, str) or not text or len(text) > OFFER_LIMIT:
        found.fault(f"{path}.limited_time_offer.text", f"must have 1 to {OFFER_LIMIT} characters")
    if "FOOTER" in parts:
        found.fault(parts["FOOTER"][0], "a limited-time offer has no footer")
    if "HEADER" in parts and str(parts["HEADER"][1].get("format")).upper() not in ("IMAGE", "VIDEO"):
        found.fault(f"{parts['HEADER'][0]}.format", "must be IMAGE or VIDEO with a limited-time offer")
    if "BODY" in parts and len(str(parts["BODY"][1].get("text") or "")) > OFFER_BODY_LIMIT:
        found.fault(f"{parts['BODY'][0]}.text", f"at most {OFFER_BODY_LIMIT} characters with a limited-time offer")
    buttons = objects(parts["BUTTONS"][1].get("buttons")) if "BUTTONS" in parts else []
    if not any(kind(button) == "URL" for button in buttons):
        found.fault("components", "a limited-time offer needs a URL button")


def _handles(example: Mapping[str, Any]) -> list[Any]:
    handles = example.get("header_handle")
    return [handle for handle in handles if handle] if isinstance(handles, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _warnings(draft: Draft, parts: Mapping[str, tuple[str, Component]]) -> Iterator[Fault]:
    body = parts["BODY"][1].get("text") if "BODY" in parts else None
    if isinstance(body, str) and draft.category != "AUTHENTICATION":
        variables, words = len(VARIABLE.findall(body)), len(VARIABLE.sub("", body).split())
        if variables and words < 2 * variables + 1:
            yield Fault(
                f"{parts['BODY'][0]}.text", f"{variables} variables in {words} words: Meta often refuses so few words"
            )
    if draft.category == "MARKETING":
        components = [component for _, component in parts.values()]
        replies = [
            str(b.get("text")) for c in components for b in objects(c.get("buttons")) if kind(b) == "QUICK_REPLY"
        ]
        if not any(_LEAVES.search(reply) for reply in replies):
            yield Fault("components", "advertising should have a quick reply to stop it, such as “Parar promoções”")
