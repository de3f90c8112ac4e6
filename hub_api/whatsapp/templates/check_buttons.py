"""Buttons of a template: how many of each kind, in which order, with which texts; and the parts of a one-time code."""

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any

from hub_api.whatsapp.templates.faults import Found
from hub_api.whatsapp.templates.shape import VARIABLE, Component, kind, objects

BUTTONS_LIMIT, LABEL_LIMIT, URL_LIMIT, PHONE_LIMIT, CODE_LIMIT = 10, 25, 2_000, 20, 15
# How many of a kind one template may have; quick replies are bounded by the total alone.
MOST_OF_A_KIND = {
    "URL": 2,
    "PHONE_NUMBER": 1,
    "COPY_CODE": 1,
    "FLOW": 1,
    "OTP": 1,
    "CATALOG": 1,
    "MPM": 1,
    "SPM": 1,
    "VOICE_CALL": 1,
    "ORDER_DETAILS": 1,
    "REQUEST_CONTACT_INFO": 1,
}
KINDS = ("QUICK_REPLY", *MOST_OF_A_KIND)
_WITHOUT_LABEL = frozenset({"COPY_CODE", "OTP", "REQUEST_CONTACT_INFO"})  # Meta writes theirs
OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
CODE_EXPIRES_MINUTES = (1, 90)


def check_buttons(component: Component, path: str, found: Found, *, most: int = BUTTONS_LIMIT) -> None:
    """The BUTTONS component at `path`, of a template or of one card."""
    buttons = objects(component.get("buttons"))
    if not 1 <= len(buttons) <= most:
        found.fault(f"{path}.buttons", f"must have 1 to {most} buttons, not {len(buttons)}")
    for type_, count in Counter(map(kind, buttons)).items():
        allowed = MOST_OF_A_KIND.get(type_, count)
        if count > allowed:
            found.fault(f"{path}.buttons", f"has {count} buttons of type {type_}, at most {allowed} are allowed")
    # Quick replies stand together, before or after all others.
    runs = [is_reply for is_reply, _ in itertools.groupby(kind(button) == "QUICK_REPLY" for button in buttons)]
    if len(runs) > 2:
        found.fault(f"{path}.buttons", "must keep quick replies together, before or after the other buttons")
    labels = Counter(str(button["text"]) for button in buttons if button.get("text"))
    for index, button in enumerate(buttons):
        _check_button(button, f"{path}.buttons[{index}]", labels, found)


def check_code(parts: Mapping[str, tuple[str, Component]], found: Found) -> None:
    """The parts of an AUTHENTICATION template: Meta writes the texts, so there is little to say and no header or media."""
    for type_ in parts.keys() - {"BODY", "FOOTER", "BUTTONS"}:
        found.fault(parts[type_][0], f"an AUTHENTICATION template has no {type_}")
    if "BODY" in parts and parts["BODY"][1].get("text") is not None:
        found.fault(f"{parts['BODY'][0]}.text", "Meta writes the text of a code: leave it out")
    low, high = CODE_EXPIRES_MINUTES
    if "FOOTER" in parts:
        path, footer = parts["FOOTER"]
        minutes = footer.get("code_expiration_minutes")
        if not isinstance(minutes, int) or not low <= minutes <= high:
            found.fault(f"{path}.code_expiration_minutes", f"must be {low} to {high}")
    path, component = parts.get("BUTTONS", ("components", {}))
    buttons = objects(component.get("buttons"))
    if len(buttons) != 1 or kind(buttons[0]) != "OTP":
        found.fault(f"{path}.buttons", "an AUTHENTICATION template has exactly one button, of type OTP")
        return
    button, path = buttons[0], f"{path}.buttons[0]"
    otp = str(button.get("otp_type", "")).upper()
    if otp not in OTP_TYPES:
        found.fault(f"{path}.otp_type", f"must be one of {', '.join(OTP_TYPES)}")
    elif otp != "COPY_CODE" and not _has_app(button):
        found.fault(f"{path}.supported_apps", f"{otp} needs package_name and signature_hash of the app")
    if otp == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        found.fault(f"{path}.zero_tap_terms_accepted", "must be true: ZERO_TAP has terms of its own")
    if len(str(button.get("text") or "")) > LABEL_LIMIT:
        found.fault(f"{path}.text", f"has more than {LABEL_LIMIT} characters")


def _has_app(button: Component) -> bool:
    apps = objects(button.get("supported_apps"))
    return bool(apps) and all(app.get("package_name") and app.get("signature_hash") for app in apps)


def _check_button(button: Component, path: str, labels: Counter[str], found: Found) -> None:
    type_ = kind(button)
    if type_ not in KINDS:
        found.fault(f"{path}.type", f"must be one of {', '.join(KINDS)}")
        return
    if type_ == "OTP":
        found.fault(f"{path}.type", "OTP is for AUTHENTICATION")
        return
    if type_ not in _WITHOUT_LABEL:
        _check_label(button.get("text"), path, labels, found)
    match type_:
        case "URL":
            _check_url(button, path, found)
        case "PHONE_NUMBER":
            phone = str(button.get("phone_number") or "")
            if not phone.lstrip("+").isdigit() or len(phone) > PHONE_LIMIT:
                found.fault(f"{path}.phone_number", f"must be a phone number of at most {PHONE_LIMIT} characters")
        case "COPY_CODE":
            example = _example(button)
            if not example or len(example) > CODE_LIMIT:
                found.fault(f"{path}.example", f"must be a code of 1 to {CODE_LIMIT} characters")
        case "FLOW":
            if not any(button.get(name) for name in ("flow_id", "flow_name", "flow_json")):
                found.fault(f"{path}.flow_id", "must name the flow: flow_id, flow_name or flow_json")
        case _:
            pass


def _check_label(text: Any, path: str, labels: Counter[str], found: Found) -> None:
    if not isinstance(text, str) or not text.strip():
        found.fault(f"{path}.text", "is missing or empty")
    elif len(text) > LABEL_LIMIT:
        found.fault(f"{path}.text", f"has {len(text)} characters, at most {LABEL_LIMIT} are allowed")
    elif VARIABLE.search(text) or "\n" in text:
        found.fault(f"{path}.text", "may have no variables and no line breaks")
    elif labels[text] > 1:
        found.fault(f"{path}.text", "is the label of another button too")


def _check_url(button: Component, path: str, found: Found) -> None:
    url = str(button.get("url") or "")
    if not url.startswith(("https://", "http://")) or len(url) > URL_LIMIT:
        found.fault(f"{path}.url", f"must be a web address of at most {URL_LIMIT} characters")
    spots = VARIABLE.findall(url)
    if spots and (spots != ["1"] or not url.endswith("}}")):
        found.fault(f"{path}.url", "may have one variable, {{1}}, at its end")
    elif spots and not _example(button):
        found.fault(f"{path}.example", "must be an example of the whole address")


def _example(button: Component) -> str:
    example = button.get("example")
    if isinstance(example, list):
        example = example[0] if example else None
    return example if isinstance(example, str) else ""
