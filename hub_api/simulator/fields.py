"""Small checks of JSON fields that refuse in Meta's words."""

from typing import Any

from hub_api.simulator.errors import MetaError

Json = dict[str, Any]


def required(body: Json, key: str, path: str) -> Any:
    """The value of a key. Raises MetaError 100 when it is missing."""
    if key not in body:
        raise MetaError(100, f"The parameter {path}['{key}'] is required.")
    return body[key]


def text(body: Json, key: str, path: str, *, maximum: int = 0, code: int = 100) -> str:
    """A non-empty text of at most `maximum` characters. Raises MetaError 100, or `code` when it is too long."""
    value = required(body, key, path)
    if not isinstance(value, str):
        raise MetaError(100, f"Param {path}['{key}'] must be a string.")
    if not value:
        raise MetaError(100, f"Param {path}['{key}'] must be at least 1 characters long.")
    if maximum and len(value) > maximum:
        raise MetaError(code, f"Param {path}['{key}'] must be at most {maximum} characters long.")
    return value


def optional_text(body: Json, key: str, path: str, *, maximum: int = 0, code: int = 100) -> str:
    """Like `text`, but the key may be missing; then the empty string."""
    return text(body, key, path, maximum=maximum, code=code) if body.get(key) is not None else ""


def parts(body: Json, key: str, path: str, *, maximum: int, code: int = 131009) -> list[Json]:
    """A list of 1 to `maximum` objects. Raises MetaError."""
    value = required(body, key, path)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MetaError(100, f"Param {path}['{key}'] must be an array of JSON objects.")
    if not 1 <= len(value) <= maximum:
        raise MetaError(code, f"{path}['{key}'] must have between 1 and {maximum} items, not {len(value)}.")
    return value


def child(body: Json, key: str, path: str, *, code: int = 131008) -> Json:
    """A required object. Raises MetaError."""
    value = body.get(key)
    if not isinstance(value, dict):
        raise MetaError(code, f"{path}['{key}'] is required and must be a JSON object.")
    return value


def link(value: Any, path: str) -> str:
    """An http(s) address. Raises MetaError 100."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise MetaError(100, f"Param {path} is not a valid URI.")
    return value


def reject_unknown(body: Json, known: set[str], path: str) -> None:
    """Raises MetaError 100 naming the first key that the API does not know."""
    unknown = body.keys() - known
    if unknown:
        raise MetaError(100, f'Unexpected key "{min(unknown)}" on param "{path}".')
