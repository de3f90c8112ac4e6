"""ClickHouse SQL as tokens: enough to split statements, to find a FORMAT clause or an INSERT's data, and to redact.

The lexical rules are ClickHouse's: strings and quoted names with backslash or doubled quotes, `$tag$` strings,
comments `--`, `//`, `# `, `#!` and nested `/* */`. It is no parser and no guard: what a statement may do is decided
by the engine's own parser (see `hub_api/embedded/warehouse/access.py`).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_QUOTES = {"'": "string", '"': "quoted", "`": "quoted"}
_PLAIN = (
    ("word", re.compile(r"[A-Za-z_][A-Za-z0-9_]*")),
    ("number", re.compile(r"\d[A-Za-z0-9_.]*")),
    ("comment", re.compile(r"(?:--|//|#[ !])[^\n]*")),
)
_SPACE = re.compile(r"[\s\0]+")
_HEREDOC = re.compile(r"\$\w*\$")
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_CLOSING = {quote: re.compile(rf"(?:[^{quote}\\]|\\.|{quote}{quote})*{quote}", re.DOTALL) for quote in _QUOTES}


class Token(NamedTuple):
    """A piece of SQL: `kind` is word, quoted, string, number, symbol or comment; offsets are into the text."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, whatever its case (a quoted name is none)."""
        return self.kind == "word" and self.text.upper() in words


def lex(sql: str, start: int = 0) -> Iterator[Token]:
    """Tokens of `sql` from `start`, comments included, spaces left out; what never closes runs to the end."""
    at = start
    while at < len(sql):
        if space := _SPACE.match(sql, at):
            at = space.end()
            continue
        kind, end = _token_at(sql, at)
        yield Token(kind, sql[at:end], at, end)
        at = end


def tokens(sql: str, start: int = 0) -> Iterator[Token]:
    """Tokens of `sql` without its comments."""
    return (token for token in lex(sql, start) if token.kind != "comment")


def _token_at(sql: str, at: int) -> tuple[str, int]:
    for kind, pattern in _PLAIN:
        if found := pattern.match(sql, at):
            return kind, found.end()
    if sql[at] in _QUOTES:
        closing = _CLOSING[sql[at]].match(sql, at + 1)
        return _QUOTES[sql[at]], closing.end() if closing else len(sql)
    if sql.startswith("/*", at):
        return "comment", _block_end(sql, at)
    if opening := _HEREDOC.match(sql, at):
        end = sql.find(opening.group(), opening.end())
        return "string", len(sql) if end < 0 else end + len(opening.group())
    return "symbol", at + 1


def _block_end(sql: str, at: int) -> int:
    depth = 0
    for edge in _BLOCK_EDGE.finditer(sql, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)


def unquote(token: Token) -> str:
    """The name that a word or a quoted name stands for."""
    if token.kind != "quoted":
        return token.text
    inner = token.text[1:-1].replace(token.text[0] * 2, token.text[0])
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)


def split_statements(sql: str) -> list[str]:
    """The statements of a file, separated by `;` outside strings and comments; parts without a token are left out."""
    statements, start, seen = [], 0, False
    for token in tokens(sql):
        if token.text == ";":
            if seen:
                statements.append(sql[start : token.start].strip())
            start, seen = token.end, False
        else:
            seen = True
    if seen:
        statements.append(sql[start:].strip())
    return statements


def redact(sql: str, limit: int = 2000) -> str:
    """The statement's shape for a log: strings and long numbers become `?`, comments go, at most `limit` characters."""
    shown, length, end = [], 0, 0
    for token in tokens(sql):
        hidden = token.kind == "string" or (token.kind == "number" and len(token.text) > 6)
        text = ("" if token.start == end else " ") + ("?" if hidden else token.text)
        end, length = token.end, length + len(text)
        shown.append(text)
        if length >= limit:
            break
    return "".join(shown)[:limit].strip()
