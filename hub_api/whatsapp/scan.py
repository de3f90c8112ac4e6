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

# Over strings and whatever else, to the next sign that matters: in the container itself, and deeper inside. Possessive,
# and always matched where the last one ended, so that the time is linear in the text; a quote that is never closed is
# passed over like any other sign.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_AT_TOP = re.compile(rb'(?:%s|[^"{}\[\],]++|")*+(?:([{\[]++)|([}\]]++)|,)' % _STRING, re.DOTALL)
_INSIDE = re.compile(rb'(?:%s|[^"{}\[\]]++|")*+(?:([{\[]++)|([}\]]++))' % _STRING, re.DOTALL)
_KEY = re.compile(rb"(%s)[ \t\r\n]*:" % _STRING, re.DOTALL)
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
        if key := _KEY.match(child):
            yield key[1][1:-1].decode("utf-8", "replace"), child[key.end() :].lstrip(_SPACE)


def _children(text: bytes) -> Iterator[bytes]:
    """What stands between the commas of the outermost bracket; the rest of the text when that bracket never closes."""
    depth, start, at = 1, 1, 1
    while sign := (_AT_TOP if depth == 1 else _INSIDE).match(text, at):
        at = sign.end()
        if sign[1]:
            depth += len(sign[1])
        elif sign[2]:
            if len(sign[2]) >= depth:
                yield text[start : sign.start(2) + depth - 1].strip(_SPACE)
                return
            depth -= len(sign[2])
        elif depth == 1:
            yield text[start : at - 1].strip(_SPACE)
            start = at
    yield text[start:].strip(_SPACE)
