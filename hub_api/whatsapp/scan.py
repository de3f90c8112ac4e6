"""Take JSON apart one level at a time without decoding it, so that one broken leaf cannot spoil its neighbours.

`members` and `elements` give the children of an object or array as raw bytes. The fast way is msgspec; when the text
has a fault anywhere below (a lone surrogate, invalid UTF-8, NaN, 100,000 brackets, a missing end), msgspec refuses the
whole, and a scan that looks at brackets and quotes only finds the children all the same: it uses no recursion, judges no
values, and gives a child that the text ends in as it is. Whoever decodes a child learns of its fault, and only its.
"""

import re
from collections.abc import Iterator

import msgspec

# What msgspec raises on bytes from outside: wrong syntax or type, invalid UTF-8, nesting.
FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]', re.DOTALL)
_SPACE = b" \t\r\n"


class WrongShape(Exception):
    """The bytes are no object, or no array, as was asked for."""


def members(raw: bytes | msgspec.Raw) -> dict[str, bytes]:
    """The members of a JSON object, values as raw bytes; of equal keys the last one counts. Raises WrongShape."""
    try:
        return {key: bytes(value) for key, value in _MEMBERS.decode(raw).items()}
    except FAULTS:
        return dict(_scan_members(_opened(raw, b"{")))


def elements(raw: bytes | msgspec.Raw) -> list[bytes]:
    """The elements of a JSON array as raw bytes. Raises WrongShape."""
    try:
        return [bytes(value) for value in _ELEMENTS.decode(raw)]
    except FAULTS:
        return [child for child in _children(_opened(raw, b"[")) if child]


def _opened(raw: bytes | msgspec.Raw, bracket: bytes) -> bytes:
    text = bytes(raw).lstrip(_SPACE)
    if not text.startswith(bracket):
        raise WrongShape(f"expected {'an object' if bracket == b'{' else 'an array'}")
    return text


def _scan_members(text: bytes) -> Iterator[tuple[str, bytes]]:
    for child in _children(text):
        key = _TOKEN.match(child)
        if key is None or not key[0].startswith(b'"'):
            continue  # no key: nothing that could be asked for by name
        value = child[key.end() :].lstrip(_SPACE)
        if value.startswith(b":"):
            yield key[0][1:-1].decode("utf-8", "replace"), value[1:].strip(_SPACE)


def _children(text: bytes) -> Iterator[bytes]:
    """What stands between the commas of the outermost bracket; the rest of the text when that bracket never closes."""
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        sign = text[token.start()]
        if sign in b"{[":
            depth += 1
            if depth == 1:
                start = token.end()
        elif sign in b"}]":
            depth -= 1
            if depth == 0:
                yield text[start : token.start()].strip(_SPACE)
                return
        elif sign in b"," and depth == 1:
            yield text[start : token.start()].strip(_SPACE)
            start = token.end()
    yield text[start:].strip(_SPACE)
