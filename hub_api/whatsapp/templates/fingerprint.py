"""What a person would call the same template content, as a hash: tells our versions from what Meta lists. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub_api.whatsapp.templates.shape import Component

_IN_UPPER_CASE = ("type", "format", "otp_type")


def fingerprint(components: Sequence[Component]) -> bytes:
    """SHA-256 of the components without what Meta writes differently each time it lists them.

    The sample of a header is submitted as a handle and listed as an address that expires; types are listed in upper
    case; what is null was not given.
    """
    return hashlib.sha256(orjson.dumps(_essence(list(components)), option=orjson.OPT_SORT_KEYS)).digest()


def _essence(value: Any) -> Any:
    if isinstance(value, list):
        return [_essence(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = {name: _essence(inner) for name, inner in value.items() if name != "header_handle" and inner is not None}
    for name in _IN_UPPER_CASE:
        if isinstance(kept.get(name), str):
            kept[name] = kept[name].upper()
    if kept.get("example") == {}:
        del kept["example"]
    return kept
