"""CSV as Brazilian systems export it: `;` or `,`, UTF-8 with or without BOM or Windows-1252, "129,90", "31/12/2026".

The file is read as a stream and committed in chunks, so that a large one neither fills memory nor holds the relay's
horizon. A run that was cut off is simply run again: rows that are there already are unchanged.
"""

import csv
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any

from hub_api.auth.principal import Principal
from hub_api.chat.business.tables import Kind
from hub_api.chat.business.upsert import MAX_BATCH, Fault, Report, note_load, upsert
from hub_api.chat.consent import normalise
from hub_api.errors import Invalid
from hub_api.platform.services import Services

DELIMITERS = ";,\t|"


async def import_csv(services: Services, who: Principal, kind: Kind, file: IO[bytes]) -> Report:
    """Load `file` (its first line names the columns) into `kind`; faults carry the line number in the file.

    Raises Invalid when the header lacks a required column or is no header at all; nothing is written then.
    """

    async def load(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> Report:
        async with services.transaction() as tx:
            loaded = await upsert(tx, kind, rows)
            await note_load(tx, who, kind.name, loaded)
        return loaded

    return await load_csv(kind, file, load)


async def load_csv(
    kind: Kind, file: IO[bytes], load: Callable[[Sequence[tuple[int, Mapping[str, Any]]]], Awaitable[Report]]
) -> Report:
    """Give `load` the rows of `file` (line number, values by input name), at most MAX_BATCH at a time; all its reports in one.

    Raises Invalid when the header lacks a required column or is no header at all; nothing is loaded then.
    """
    report = Report()
    lines = _decoded(file)
    reader, names = _header(kind, lines)
    rows = _rows(reader, names, report)
    while chunk := list(islice(rows, MAX_BATCH)):
        report.add(await load(chunk))
    report.faults.sort(key=lambda fault: fault.position)
    return report


def _decoded(file: IO[bytes]) -> Iterator[str]:
    """Lines of text; one that is no UTF-8 is read as Windows-1252, which is what spreadsheets in Brazil save."""
    for number, line in enumerate(file):
        raw = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        try:
            yield raw.decode("utf-8")
        except UnicodeDecodeError:
            yield raw.decode("cp1252", errors="replace")


def _header(kind: Kind, lines: Iterator[str]) -> tuple[Any, list[str | None]]:
    """A CSV reader behind the header line, and the input name of each column (None: a column we do not know)."""
    first = next(lines, "")
    delimiter = max(DELIMITERS, key=first.count)
    known = kind.headers()
    names = [known.get(normalise(title)) for title in next(csv.reader([first], delimiter=delimiter), [])]
    given = {kind.inputs()[name][0] for name in names if name}
    missing = [one for one in kind.fields if one.required and one.column not in given]
    if missing:
        raise Invalid(
            f"the file's first line must name the columns of {kind.name}; it lacks: "
            + ", ".join(one.column for one in missing),
            errors=[
                {"field": one.column, "message": f"no such column; also known as: {', '.join(one.aliases)}"}
                for one in missing
            ],
        )
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise Invalid(f"the file has two columns for: {', '.join(sorted(twice))}")
    return csv.reader(lines, delimiter=delimiter), names


def _rows(reader: Any, names: list[str | None], report: Report) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(line, values) of each line that has something; a line with too many or too few columns is a fault."""
    for line, cells in _numbered(reader, report):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            report.received += 1
            report.faults.append(Fault(line, None, None, f"has {len(cells)} columns where the header has {len(names)}"))
            continue
        yield line, {name: cell for name, cell in zip(names, cells, strict=True) if name}


def _numbered(reader: Any, report: Report) -> Iterable[tuple[int, list[str]]]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            report.received += 1
            report.faults.append(
                Fault(
                    reader.line_num + 1, None, None, f"cannot be read as CSV ({error}); is a quote left open before it?"
                )
            )
            continue
        yield reader.line_num + 1, cells  # the header line was read apart
