"""CSV for spreadsheets in which no cell is a formula: names and texts come from strangers, and Excel, LibreOffice and Google
Sheets run what begins with certain signs (OWASP, "CSV Injection").

Such a cell gets an apostrophe before it, which spreadsheets take as "this is text"; so does one that begins with an
apostrophe, and `read_csv` takes exactly one off again. Numbers stay numbers.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

# Also behind white space, which some programs skip, and in the full-width forms that some take for the same.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠|%'")
_BOM = "\ufeff"  # without it Excel reads UTF-8 as Windows-1252


def as_text(value: Any) -> str:
    """The cell of a value: text that no spreadsheet runs. Empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text[:1] in _FORMULA or text.lstrip()[:1] in _FORMULA else text


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ";") -> Iterator[str]:
    """Lines of a file, the names of the columns first, quoted throughout; `;` is what spreadsheets in Brazil expect."""
    yield _BOM + _line(columns, delimiter)
    for row in rows:
        yield _line(row, delimiter)


async def stream_csv(
    columns: Sequence[str], rows: AsyncIterator[Sequence[Any]], *, delimiter: str = ";"
) -> AsyncIterator[bytes]:
    """The same for rows that come from a cursor, as bytes for a streamed answer."""
    yield (_BOM + _line(columns, delimiter)).encode()
    async for row in rows:
        yield _line(row, delimiter).encode()


def read_csv(text: str, *, delimiter: str = ";") -> list[dict[str, str]]:
    """The rows of a file that `write_csv` wrote, each text as it was before."""
    lines = csv.reader(io.StringIO(text.removeprefix(_BOM), newline=""), delimiter=delimiter)
    names = [original(cell) for cell in next(lines, [])]
    return [dict(zip(names, map(original, cells), strict=True)) for cells in lines]


def original(cell: str) -> str:
    """The text of a cell that `as_text` made, or that somebody typed: an apostrophe that keeps a formula from running comes off."""
    bare = cell.removeprefix("'")
    return bare if cell != bare and as_text(bare) == cell else cell


def _line(cells: Iterable[Any], delimiter: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(
        [as_text(cell) for cell in cells]
    )
    return line.getvalue()
