"""WhatsApp's markup as the phone reads it: *bold*, _italic_, ~strike~, ```mono```. Pure.

A mark opens after anything but a letter or digit and before anything but a space, and closes the other way round, on
the same line (faq.whatsapp.com/539178204879377). Marks nest; nothing is read inside ```mono```.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Style = Literal["bold", "italic", "strike", "mono"]

_TAGS: dict[Style, str] = {"bold": "strong", "italic": "em", "strike": "s", "mono": "code"}
_STYLES: dict[str, Style] = {"*": "bold", "_": "italic", "~": "strike"}
_MONO = re.compile(r"```(.+?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one look; `styles` from the outermost to the innermost."""

    text: str
    styles: tuple[Style, ...] = ()


def spans(text: str) -> list[Span]:
    """The runs of a text, in order; together they are the text without the marks that took effect."""
    found: list[Span] = []
    position = 0
    for mono in _MONO.finditer(text):
        found += _lines(text[position : mono.start()])
        found.append(Span(mono[1], ("mono",)))
        position = mono.end()
    return [*found, *_lines(text[position:])]


def to_html(runs: list[Span]) -> str:
    """Safe HTML: everything a person wrote is escaped, line breaks are <br>."""
    return "".join(_tagged(run) for run in runs)


def to_plain(runs: list[Span]) -> str:
    """The words alone."""
    return "".join(run.text for run in runs)


def _tagged(run: Span) -> str:
    shown = html.escape(run.text).replace("\n", "<br>")
    for style in reversed(run.styles):
        shown = f"<{_TAGS[style]}>{shown}</{_TAGS[style]}>"
    return shown


def _lines(text: str) -> Iterator[Span]:
    for index, line in enumerate(text.split("\n")):
        if index:
            yield Span("\n")
        yield from _inline(line, ())


def _inline(line: str, styles: tuple[Style, ...]) -> Iterator[Span]:
    start = position = 0
    while position < len(line):
        style = _STYLES.get(line[position])
        end = _closing(line, position) if style and style not in styles else -1
        if style is None or end < 0:
            position += 1
            continue
        if start < position:
            yield Span(line[start:position], styles)
        yield from _inline(line[position + 1 : end], (*styles, style))
        start = position = end + 1
    if start < len(line):
        yield Span(line[start:], styles)


def _closing(line: str, position: int) -> int:
    """Where the mark at `position` closes; -1 when it opens nothing."""
    mark = line[position]
    if position and line[position - 1].isalnum():
        return -1
    if position + 1 >= len(line) or line[position + 1].isspace() or line[position + 1] == mark:
        return -1
    end = line.find(mark, position + 2)
    while end >= 0:
        if not line[end - 1].isspace() and (end + 1 == len(line) or not line[end + 1].isalnum()):
            return end
        end = line.find(mark, end + 1)
    return -1
