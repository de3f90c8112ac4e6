"""Which kind of statement a request holds, and where its text ends and its data begin."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from hub_api.embedded.warehouse.errors import SYNTAX_ERROR, TOO_LARGE, WarehouseError, refuse
from hub_api.platform.clickhouse_sql import Token, tokens

MAX_STATEMENT_BYTES = 16 * 1024**2
_FIRST_READ_BYTES = 64 * 1024
_ASSIGNS = re.compile(r"\s+\w+\s*=")  # a table may be called settings


class Readable(Protocol):
    """A file as far as we need one."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end."""


@dataclass(frozen=True)
class Insert:
    """An INSERT with data: `head` is the statement up to its SETTINGS, FORMAT and data, `rest` what was read of the data
    already."""

    head: str
    settings: str
    format: str
    rest: bytes


@dataclass(frozen=True)
class Plain:
    """Any other statement. `body` ends before its FORMAT clause, `tail` holds settings written after it."""

    body: str
    format: str | None = None
    tail: str = ""

    @property
    def text(self) -> str:
        """The statement without FORMAT."""
        return f"{self.body}\n{self.tail}" if self.tail else self.body

    @property
    def words(self) -> list[str]:
        """Its first four keywords in capitals."""
        found: list[str] = []
        for token in tokens(self.body):
            if token.text == "(" and not found:
                continue
            found.append(token.text.upper())
            if len(found) == 4:
                break
        return found


def read_statement(query: str, body: Readable, formats: Collection[str]) -> Insert | Plain:
    """The request's statement: the `query` parameter followed by the body, as ClickHouse joins them.

    Of the body no more is read than the statement needs, so an INSERT's data stay a stream. Raises WarehouseError
    (62, 223) when there is no statement or its text is over 16 MiB.
    """
    head = query.encode() + b"\n" if query.strip() else b""
    size = _FIRST_READ_BYTES
    while True:
        more = body.read(size)
        head += more
        if (insert := _insert(head, complete=not more)) is not None:
            return insert
        if not more:
            return _plain(head, formats)
        if len(head) > MAX_STATEMENT_BYTES:
            raise refuse(TOO_LARGE, "The statement is over 16 MiB: send data as the body of INSERT ... FORMAT")
        size = len(head)


def _insert(head: bytes, *, complete: bool) -> Insert | None:
    """The INSERT whose data begin within `head`; None when it is none, or more must be read to know."""
    text = head.decode("latin-1")  # a byte is a sign: offsets hold, and data after the statement need not be text
    depth, settings = 0, None
    stream = tokens(text)
    first = next(stream, None)
    if first is None or not first.is_word("INSERT"):
        return None
    for token in stream:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth or token.kind != "word" or (token.end == len(text) and not complete):
            continue
        if token.is_word("SELECT", "WITH", "INFILE"):
            return None
        if token.is_word("SETTINGS") and _ASSIGNS.match(text, token.end):
            settings = token.start
        if token.is_word("VALUES"):
            return Insert(*_parts(head[: token.start], settings), "Values", head[token.end :])
        if token.is_word("FORMAT"):
            name = next(stream, None)
            if name is None or (name.end >= len(text) - 2 and not complete):
                return None
            return Insert(*_parts(head[: token.start], settings), name.text, head[_data_start(text, name) :])
    return None


def _parts(statement: bytes, settings: int | None) -> tuple[str, str]:
    """The statement before its SETTINGS clause, which begins at byte `settings`, and that clause."""
    at = len(statement) if settings is None else settings
    return _utf8(statement[:at]), _utf8(statement[at:])


def _data_start(text: str, format_name: Token) -> int:
    """Data begin after the first line break behind the format's name, or after the spaces when there is none."""
    at = format_name.end
    while text[at : at + 1] in (" ", "\t", "\f") and at < len(text):
        at += 1
    for sign in ("\r", "\n"):
        if text.startswith(sign, at):
            at += 1
    return at


def _plain(head: bytes, formats: Collection[str]) -> Plain:
    text = _utf8(head)
    found = list(tokens(text))
    while found and found[-1].text == ";":
        found.pop()
    if not found:
        raise refuse(SYNTAX_ERROR, "Empty query")
    text = text[: found[-1].end]
    for word, name in reversed(list(pairwise(found))):
        if word.is_word("FORMAT") and name.text in formats:
            after = text[name.end :].strip()
            if after and not next(tokens(after)).is_word("SETTINGS"):
                break
            return Plain(text[: word.start].strip(), name.text, after)
    return Plain(text.strip())


def _utf8(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise WarehouseError(*SYNTAX_ERROR, f"The statement is no UTF-8 text at byte {error.start}") from None
