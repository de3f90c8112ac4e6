"""How the channel writes things: numbers as text or number, times likewise, `""` for what is absent."""

import re
from typing import Any, TypeVar

import msgspec
import orjson

from hub_api.errors import HubError
from hub_api.whatsapp.inbound import Fault
from hub_api.whatsapp.scan import FAULTS

T = TypeVar("T")

Number = int | float | str

IDENTIFIER_LIMIT = 200  # characters of a wamid, BSUID or phone: what our unique indexes take
_WHOLE_LIMIT = 2**53  # beyond it a JSON number is no exact integer any more

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Unparsable(HubError):
    """The item breaks the shape its kind must have; `reason` is a short stable code, the message says what and where."""

    status, code = 422, "unparsable"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


def decode(raw: bytes | msgspec.Raw, shape: type[T]) -> T:
    """`raw` as `shape`. Raises Unparsable with the path of the fault and never with a value, which may be personal."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise Unparsable("wrong_type", str(error)) from error
    except FAULTS as error:
        raise Unparsable("malformed", f"not decodable: {type(error).__name__}") from error


def decode_object(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """Any JSON object as Python values that fit jsonb again (integers past 64 bits become floats). Raises Unparsable."""
    try:
        value = orjson.loads(bytes(raw))
    except ValueError as error:
        raise Unparsable("malformed", "not decodable as JSON") from error
    if not isinstance(value, dict):
        raise Unparsable("wrong_type", f"Expected `object`, got `{type(value).__name__}`")
    return value


def has_nul(raw: bytes) -> bool:
    """Does a string in this JSON hold U+0000? PostgreSQL's text and jsonb refuse it."""
    return b"\\u0000" in raw and _NUL.search(raw) is not None


def given(text: str | None) -> str | None:
    """The text, or None when it is empty: the channel writes `""` for an identifier it may not tell."""
    return text or None


def identifier(text: str | None, name: str) -> str | None:
    """An identifier that fits our indexes, None when absent. Raises Unparsable when it is longer or has control characters."""
    if not text:
        return None
    if len(text) > IDENTIFIER_LIMIT or not text.isprintable():
        raise Unparsable("bad_identifier", f"`{name}` is no identifier: {len(text)} characters")
    return text


def required(text: str | None, name: str) -> str:
    """An identifier that must be there. Raises Unparsable."""
    value = identifier(text, name)
    if value is None:
        raise Unparsable("missing", f"`{name}` is missing or empty")
    return value


def whole(value: Number | None) -> int | None:
    """An integer out of a number or its text; None when it is none, or too large to be exact."""
    try:
        number = int(value) if isinstance(value, int | float) else int(float(value or "-"))
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= _WHOLE_LIMIT else None


def micros(value: Number | None) -> int | None:
    """An amount in millionths; None when it is no number."""
    try:
        amount = round(float(value) * 1_000_000) if value is not None else None
    except (ValueError, OverflowError):
        return None
    return amount if amount is None or abs(amount) <= _WHOLE_LIMIT else None


def label(value: Number | None) -> str | None:
    """Text out of text or number: template ids and limits come as either."""
    return None if value is None or value == "" else str(value)


class _ErrorData(msgspec.Struct):
    details: str | None = None


class WireFault(msgspec.Struct):
    """An error object as sent."""

    code: Number
    title: str | None = None
    message: str | None = None
    error_data: _ErrorData | None = None
    href: str | None = None


def faults(errors: list[WireFault] | None) -> tuple[Fault, ...]:
    """Error objects as typed ones; a code that is no number becomes 0."""
    return tuple(
        Fault(
            code=whole(error.code) or 0,
            title=error.title,
            message=error.message,
            details=error.error_data.details if error.error_data else None,
            href=error.href,
        )
        for error in errors or ()
    )
