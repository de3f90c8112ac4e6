"""Webhook values as Meta shapes them, and the bytes Meta signs."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from hub_api.simulator import limits
from hub_api.simulator.model import Number, User

Json = dict[str, Any]

_encode = json.JSONEncoder(separators=(",", ":")).encode


def meta_bytes(body: Any) -> bytes:
    """JSON as Meta writes it: compact, non-ASCII as `\\u00e9` in lower case, `/` as `\\/`."""
    return _encode(body).replace("/", "\\/").encode("ascii")


def signature(body: bytes, app_secret: str) -> str:
    """The value of X-Hub-Signature-256 for these bytes."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def number_value(number: Number, **parts: Any) -> Json:
    """A value about one of our numbers: product, metadata and what is given."""
    metadata = {"display_phone_number": number.display, "phone_number_id": number.id}
    return {"messaging_product": "whatsapp", "metadata": metadata, **parts}


def answer_flow(answers: Mapping[str, Any], flow_token: str) -> Json:
    """The interactive object of a finished flow: `response_json` is a string."""
    response = json.dumps({"flow_token": flow_token, **answers})
    return {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": response}}


class People:
    """How users show themselves to a number; `hidden_phone` is the style of a phone that is not shared."""

    def __init__(self, hidden_phone: str) -> None:
        if hidden_phone not in ("omit", "empty", "mixed"):
            raise ValueError(f"hidden_phone {hidden_phone!r} must be omit, empty or mixed")
        self.hidden_phone = hidden_phone

    def phone_fields(self, key: str, user: User, number: Number, now: float, *, always: bool = False) -> Json:
        """`{key: wa_id}`, or for a phone that is not shared nothing or an empty string (early samples show "")."""
        if always or limits.phone_visible(user, number.id, now):
            return {key: user.wa_id}
        empty = self.hidden_phone == "empty" or (self.hidden_phone == "mixed" and user.phone[-1] in "13579")
        return {key: ""} if empty else {}

    def contact(self, user: User, number: Number, now: float, *, username: bool = True, always: bool = False) -> Json:
        """One item of `contacts[]`; `always` shows the phone because the message was addressed to it."""
        profile = {"name": user.name}
        if username and user.username:
            profile["username"] = user.username
        return {
            "profile": profile,
            **self.phone_fields("wa_id", user, number, now, always=always),
            "user_id": user.bsuids[number.waba.portfolio.id],
        }
