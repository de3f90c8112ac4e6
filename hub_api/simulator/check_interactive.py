"""Validation of interactive messages: counts, lengths, unique ids (code 131009), required parts (131008)."""

from collections.abc import Callable
from typing import Any

from hub_api.simulator.check_orders import check_order_details, check_order_status
from hub_api.simulator.errors import MetaError
from hub_api.simulator.fields import child, link, optional_text, parts, reject_unknown, required, text
from hub_api.simulator.model import Media

Json = dict[str, Any]
FindMedia = Callable[[str], Media | None]

BODY_LIMIT = {"list": 4_096}
NO_BODY = {"order_status"}
HEADERS = {
    "button": {"text", "image", "video", "document"},
    "cta_url": {"text", "image", "video", "document"},
    "list": {"text"},
    "flow": {"text", "image", "video", "document"},
    "order_details": {"text", "image", "video", "document"},
}


def check_interactive(body: Json, find_media: FindMedia) -> None:
    """Refuse an interactive message that Meta would refuse. Raises MetaError."""
    reject_unknown(body, {"type", "header", "body", "footer", "action"}, "interactive")
    kind = text(body, "type", "interactive")
    check_action = ACTIONS.get(kind)
    if check_action is None:
        raise MetaError(100, f"Param interactive['type'] must be one of {{{', '.join(ACTIONS)}}} - got \"{kind}\".")
    if kind not in NO_BODY or "body" in body:
        text(child(body, "body", "interactive"), "text", "body", maximum=BODY_LIMIT.get(kind, 1_024), code=131009)
    if body.get("footer") is not None:
        text(child(body, "footer", "interactive"), "text", "footer", maximum=60, code=131009)
    if body.get("header") is not None:
        _header(kind, child(body, "header", "interactive"), find_media)
    check_action(child(body, "action", "interactive"))


def _header(kind: str, header: Json, find_media: FindMedia) -> None:
    type_ = text(header, "type", "header")
    if type_ not in HEADERS.get(kind, set()):
        raise MetaError(131009, f"A header of type {type_} is not supported for interactive type {kind}.")
    if type_ == "text":
        text(header, "text", "header", maximum=60, code=131009)
        return
    media = child(header, type_, "header")
    if media.get("link") is not None:
        link(media["link"], f"header['{type_}']['link']")
    elif find_media(str(media.get("id"))) is None:
        raise MetaError(100, f"Param header['{type_}']['id'] is not a valid media attachment ID")


def _buttons(action: Json) -> None:
    buttons = parts(action, "buttons", "action", maximum=3)
    replies = []
    for button in buttons:
        if button.get("type") != "reply":
            raise MetaError(131009, "Invalid button type: every button of a reply message must be of type reply.")
        reply = child(button, "reply", "button")
        text(reply, "id", "button reply", maximum=256, code=131009)
        text(reply, "title", "button reply", maximum=20, code=131009)
        replies.append(reply)
    _unique(replies, "id", "button")
    _unique(replies, "title", "button")


def _list(action: Json) -> None:
    text(action, "button", "action", maximum=20, code=131009)
    sections = parts(action, "sections", "action", maximum=10)
    rows = [row for section in sections for row in parts(section, "rows", "section", maximum=10)]
    if len(rows) > 10:
        raise MetaError(131009, f"Total row count exceed max allowed count: 10. The list has {len(rows)} rows.")
    for section in sections:
        if len(sections) > 1 or "title" in section:
            text(section, "title", "section", maximum=24, code=131009)
    for row in rows:
        text(row, "id", "row", maximum=200, code=131009)
        text(row, "title", "row", maximum=24, code=131009)
        optional_text(row, "description", "row", maximum=72, code=131009)
    _unique(rows, "id", "row")
    _unique(rows, "title", "row")


def _cta_url(action: Json) -> None:
    _named(action, "cta_url")
    parameters = child(action, "parameters", "action")
    text(parameters, "display_text", "parameters", maximum=20, code=131009)
    link(required(parameters, "url", "parameters"), "parameters['url']")


def _flow(action: Json) -> None:
    _named(action, "flow")
    parameters = child(action, "parameters", "action")
    text(parameters, "flow_message_version", "parameters")
    text(parameters, "flow_cta", "parameters", maximum=30, code=131009)
    if (parameters.get("flow_id") is None) == (parameters.get("flow_name") is None):
        raise MetaError(131009, "parameters must have exactly one of flow_id and flow_name.")
    flow_action = parameters.get("flow_action", "navigate")
    if flow_action not in ("navigate", "data_exchange"):
        raise MetaError(131009, f"flow_action must be navigate or data_exchange, not {flow_action}.")
    if flow_action == "data_exchange" and parameters.get("flow_action_payload") is not None:
        raise MetaError(131009, "flow_action_payload is not allowed with the data_exchange action.")


def _order_details(action: Json) -> None:
    _named(action, "review_and_pay")
    check_order_details(action)


def _order_status(action: Json) -> None:
    _named(action, "review_order")
    check_order_status(action)


def _named(action: Json, name: str) -> None:
    if action.get("name") != name:
        raise MetaError(131009, f"action['name'] must be {name}.")


def _unique(items: list[Json], key: str, what: str) -> None:
    values = [item[key] for item in items]
    if len(set(values)) < len(values):
        raise MetaError(131009, f"Duplicated {what} {key}s: they must be unique in a message.")


ACTIONS: dict[str, Callable[[Json], None]] = {
    "button": _buttons,
    "list": _list,
    "cta_url": _cta_url,
    "flow": _flow,
    "location_request_message": lambda action: _named(action, "send_location"),
    "request_contact_info": lambda action: _named(action, "request_contact_info"),
    "call_permission_request": lambda action: _named(action, "call_permission_request"),
    "order_details": _order_details,
    "order_status": _order_status,
}
