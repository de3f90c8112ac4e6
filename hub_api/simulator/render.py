"""What the user sees of a sent message: its text and the choices it offers."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from hub_api.simulator.model import Outbound, Template

VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to tap: a reply button, a row of a list or a template's quick reply."""

    kind: Literal["button_reply", "list_reply", "quick_reply"]
    id: str
    title: str
    description: str = ""


def text_of(message: Outbound) -> str:
    """The readable text of any message type, with a template's variables filled in; empty when it has none."""
    body = message.body
    match message.type:
        case "text":
            return str(body.get("body", ""))
        case "interactive":
            return str(body.get("body", {}).get("text", ""))
        case "template" if message.template is not None:
            return fill_template(message.template, body)
        case _:
            return str(body.get("caption", ""))


def choices_of(message: Outbound) -> list[Choice]:
    """The choices the message offers, in the order shown."""
    if message.type == "template" and message.template is not None:
        return _quick_replies(message.template, message.body)
    if message.type != "interactive":
        return []
    action = message.body.get("action", {})
    if message.body.get("type") == "button":
        return [Choice("button_reply", b["reply"]["id"], b["reply"]["title"]) for b in action["buttons"]]
    return [
        Choice("list_reply", row["id"], row["title"], row.get("description", ""))
        for section in action.get("sections", ())
        for row in section.get("rows", ())
    ]


def fill_template(template: Template, sent: dict[str, Any]) -> str:
    """The template's body with the parameters of the send call in place of its variables."""
    body = next((c for c in template.components if c["type"] == "BODY"), None)
    if body is None:
        return ""
    given: list[dict[str, Any]] = next(
        (c["parameters"] for c in sent.get("components", ()) if str(c.get("type")).lower() == "body"), []
    )
    values = {str(p.get("parameter_name") or i): shown(p) for i, p in enumerate(given, 1)}
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), str(body.get("text", "")))


def shown(parameter: dict[str, Any]) -> str:
    """One template parameter as the user reads it."""
    match parameter.get("type"):
        case "currency":
            return str(parameter["currency"].get("fallback_value", ""))
        case "date_time":
            return str(parameter["date_time"].get("fallback_value", ""))
        case _:
            return str(parameter.get("text", ""))


def _quick_replies(template: Template, sent: dict[str, Any]) -> list[Choice]:
    payloads = {
        int(c["index"]): str(c["parameters"][0].get("payload", ""))
        for c in sent.get("components", ())
        if str(c.get("type")).lower() == "button" and str(c.get("sub_type")).lower() == "quick_reply"
    }
    buttons: list[dict[str, Any]] = next((c["buttons"] for c in template.components if c["type"] == "BUTTONS"), [])
    return [
        Choice("quick_reply", payloads.get(index) or button["text"], button["text"])
        for index, button in enumerate(buttons)
        if button["type"] == "QUICK_REPLY"
    ]
