"""SQL in named files: `queries = sqlfile.load(__package__)`, then `await db.fetch(queries.claim_message, ...)`.

Format of `queries.sql`: a query starts at a line `-- name: identifier`, on which parameters and rows are described,
and ends where the next one starts. Comments inside a query stay in it. A test prepares each query on the real schema.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

_HEADER = re.compile(r"^-- name:\s*(?P<name>\w+)(?P<description>.*)$", re.MULTILINE)


class Queries:
    """The named queries of one file as attributes; an unknown name is an AttributeError at once."""

    def __init__(self, source: str, queries: dict[str, str]) -> None:
        self._source = source
        self._queries = queries

    def __getattr__(self, name: str) -> str:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"{self._source} has no query named {name!r}") from None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._queries.items())


def parse(text: str, source: str) -> Queries:
    """The queries of a file's text. Raises ValueError on a name used twice or on SQL before the first name."""
    headers = list(_HEADER.finditer(text))
    queries: dict[str, str] = {}
    for header, following in zip(headers, [*headers[1:], None], strict=True):
        body = text[header.end() : following.start() if following else len(text)]
        if header["name"] in queries:
            raise ValueError(f"{source}: the query {header['name']!r} is named twice")
        queries[header["name"]] = body.strip().rstrip(";")
    preamble = text[: headers[0].start()] if headers else text
    if any(line.strip() and not line.lstrip().startswith("--") for line in preamble.splitlines()):
        raise ValueError(f"{source}: SQL stands before the first '-- name:' line")
    return Queries(source, queries)


@cache
def load(package: str, file: str = "queries.sql") -> Queries:
    """The queries of `file` in `package` (its dotted name)."""
    return parse(resources.files(package).joinpath(file).read_text(encoding="utf-8"), f"{package}/{file}")
