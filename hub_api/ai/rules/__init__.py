"""The bot's rules as data: texts, options, words and routes of one language, checked when they are loaded."""

import re
import string
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hub_api.ai.rules.phrases import Phrases, compile_phrases
from hub_api.errors import HubError

# Limits of interactive messages (channel document §3.3).
BUTTON_TITLE, ROW_TITLE, ROW_DESCRIPTION, FOOTER, ROWS = 20, 24, 72, 60, 10
BUTTON_BODY, LIST_BODY = 1024, 4096

Does = Literal[
    "hand_over",
    "invoice_copy",
    "no_signal",
    "plans",
    "menu",
    "stop_promotions",
    "thanks",
    "solved",
    "consent",
    "yes",
    "no",
]
Title = Annotated[str, Field(min_length=1, max_length=BUTTON_TITLE)]

# Which {placeholders} a text may use; texts that are not listed use none.
PLACEHOLDERS: Mapping[str, frozenset[str]] = {
    "greeting": frozenset({"name", "protocol"}),
    **dict.fromkeys(
        ("handed_over", "handed_over_cancel", "handed_over_complaint", "handed_over_failed", "satisfaction"),
        frozenset({"protocol"}),
    ),
    **dict.fromkeys(("invoice", "invoice_overdue"), frozenset({"month", "amount", "due"})),
    "invoice_barcode": frozenset({"barcode"}),
    "invoice_pix": frozenset({"pix"}),
    "invoices_of": frozenset({"contract", "plan"}),
    "invoices_more": frozenset({"count"}),
    "outage": frozenset({"city", "since", "until"}),
    "outage_without_end": frozenset({"city", "since"}),
    "ticket": frozenset({"opened"}),
    "ticket_scheduled": frozenset({"visit"}),
    "plan": frozenset({"name", "price"}),
    "plans_more": frozenset({"count"}),
}
TEXTS = frozenset(
    {
        *PLACEHOLDERS,
        *(
            "menu",
            "nps",
            "nps_form",
            "nps_form_button",
            "not_understood",
            "offer_agent",
            "media",
            "voice",
            "unsupported",
            "invoices_none",
            "no_contract",
        ),
        *("choose_contract", "suspended", "troubleshooting", "troubleshooting_unknown", "plans", "plans_none"),
        *("opted_out", "opted_out_utility", "opted_out_all", "opted_in", "which_cancel", "stop_promotions"),
    }
)
# Options and routes that the bot's own code offers or goes to.
OFFERED = frozenset(
    {"menu", "agent", "solved", "still_broken", "invoice_copy", "buy_plan", "cancel_service", "OPTOUT_PROMO"}
)
TAKEN = frozenset({"menu", "agent", "solved", "still_broken", "stop_promotions"})


class BadRules(HubError):
    """The rules file breaks a rule; the message names the line and the key of each fault."""

    code = "bad_rules"


class Part(BaseModel):
    """Base: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Queue(Part):
    """Where conversations wait for a person."""

    key: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    name: str = Field(min_length=1, max_length=60)


class Option(Part):
    """Something to tap; its key is the id that comes back."""

    title: Title
    description: str | None = Field(None, min_length=1, max_length=ROW_DESCRIPTION)


class Menu(Part):
    """The list of what the bot can do, in the order of the numbers people type."""

    button: Title
    options: tuple[str, ...] = Field(min_length=1, max_length=ROWS)


class Picker(Part):
    """A list made from data."""

    button: Title


class Scale(Part):
    """Titles of the grades, from 1 up to 5."""

    button: Title
    rows: tuple[Annotated[str, Field(min_length=1, max_length=ROW_TITLE)], ...] = Field(min_length=5, max_length=5)


class Numbers(Part):
    """How people write the number of an option."""

    fillers: frozenset[str]
    words: Mapping[str, int]


class Route(Part):
    """What to do when one of `words` is understood or the option of the same name is tapped."""

    do: Does
    text: str | None = None
    words: tuple[str, ...] = ()
    emojis: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    max_words: int = Field(1000, ge=1, description="words of a longer message do not lead here: they are by the way")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.do == "hand_over") != (self.text is not None):
            raise ValueError("a route has a `text` if, and only if, it does `hand_over`")
        return self


class Rules(Part):
    """One language's rules."""

    language: str
    queue: Queue
    footer: str = Field(min_length=1, max_length=FOOTER)
    misses_before_offer: int = Field(ge=1, le=5)
    texts: Mapping[str, Annotated[str, Field(min_length=1, max_length=BUTTON_BODY)]]
    thanks_emoji: str = Field(min_length=1, max_length=8)
    options: Mapping[str, Option]
    menu: Menu
    contracts: Picker
    satisfaction: Scale
    zones: Mapping[str, str]
    numbers: Numbers
    plan_units: Mapping[Literal["speed_mbps", "data_gb"], str]
    months: tuple[str, ...] = Field(min_length=12, max_length=12)
    today: str
    on_day: str
    routes: Mapping[str, Route]

    @cached_property
    def phrases(self) -> Phrases:
        """The routes' words, ready for looking for them in a message."""
        return compile_phrases(
            (name, one.words, one.unless, one.emojis, one.max_words) for name, one in self.routes.items()
        )

    @field_validator("texts")
    @classmethod
    def _texts(cls, texts: Mapping[str, str]) -> Mapping[str, str]:
        if missing := TEXTS - texts.keys():
            raise ValueError(f"lacks: {', '.join(sorted(missing))}")
        for name, text in texts.items():
            allowed = PLACEHOLDERS.get(name, frozenset())
            try:
                used = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if unknown := used - allowed:
                raise ValueError(
                    f"{name} uses {{{'}, {'.join(sorted(unknown))}}}; it may use: {', '.join(sorted(allowed)) or 'none'}"
                )
        return texts

    @field_validator("zones")
    @classmethod
    def _zones(cls, zones: Mapping[str, str]) -> Mapping[str, str]:
        for zone in zones.values():
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError):
                raise ValueError(f"there is no time zone {zone!r}") from None
        return zones

    @model_validator(mode="after")
    def _names(self) -> Self:
        _need("options", OFFERED | set(self.menu.options), self.options)
        _need("routes", TAKEN | set(self.options), self.routes)
        _need("texts", {route.text for route in self.routes.values() if route.text}, self.texts)
        titles = [self.options[name].title for name in self.menu.options]
        if len(set(titles)) < len(titles) or len(set(self.satisfaction.rows)) < 5:
            raise ValueError("the titles of a list must be different from each other")
        _ = self.phrases  # a phrase that cannot be compiled is a fault of the file
        return self


def _need(where: str, names: set[str] | frozenset[str], known: Mapping[str, Any]) -> None:
    if missing := set(names) - known.keys():
        raise ValueError(f"{where} lacks: {', '.join(sorted(missing))}")


@cache
def load_rules(language: str = "pt_br") -> Rules:
    """The rules of a language that comes with the hub. Raises BadRules."""
    source = f"{language}.yaml"
    return parse_rules(resources.files(__package__).joinpath(source).read_text(encoding="utf-8"), source)


def parse_rules(text: str, source: str) -> Rules:
    """Rules from YAML. Raises BadRules with one sentence a fault: file, line, key, what is wrong."""
    try:
        raw, tree = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadRules(f"{source} is no YAML: {error}") from None
    try:
        return Rules.model_validate(raw)
    except ValidationError as error:
        faults = [
            f"{source} line {_line(tree, fault['loc'])}, {'.'.join(map(str, fault['loc'])) or 'file'}: "
            + re.sub(r"^Value error, ", "", fault["msg"])
            for fault in error.errors()
        ]
        raise BadRules("; ".join(faults)) from None


def _line(node: Any, path: tuple[int | str, ...]) -> int:
    """Line (from 1) of the deepest node of `path` that is there."""
    line = int(node.start_mark.line) + 1 if node is not None else 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line
