"""An audience that comes as CSV: whose phone or id each row names, and a report for each row that names nobody."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.campaigns.lists.members import queries
from hub_api.chat.phone import from_text
from hub_api.errors import Invalid, NotFound
from hub_api.platform.csv_export import original
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

PORTION = 5_000
MOST_ROWS = 1_000_000
MOST_COLUMNS = 20
KEYS = ("customer_id", "phone")


async def take_in(tx: Transaction, who: Principal, name: str, text: str) -> UUID:
    """Store a file with one row a recipient, and return its id: the column `phone` or `customer_id`, and others as sources of variables.

    Rows that name nobody, or somebody a second time, are kept with their problem. Raises Invalid for what is no such file.
    """
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    header = [column.strip().lower().lstrip("\ufeff") for column in next(reader, [])]
    key = next((one for one in KEYS if one in header), None)
    if key is None or len(set(header)) < len(header) or len(header) > MOST_COLUMNS:
        raise _invalid(
            f"the first line names the columns: `phone` or `customer_id`, and at most {MOST_COLUMNS - 1} others"
        )
    upload_id, rows, accepted = uuid7(), 0, 0
    seen: set[UUID] = set()
    await tx.db.execute(queries.insert_upload, upload_id, name, [one for one in header if one != key], 0, 0, who.actor)
    for portion in _portions(reader, header):
        report = await _recognise(tx, portion, key, seen)
        await tx.db.execute(queries.insert_upload_rows, upload_id, *map(list, zip(*report, strict=True)))
        rows, accepted = rows + len(report), accepted + sum(one[1] is not None for one in report)
    if rows == 0:
        raise _invalid("the file has no rows")
    await tx.db.execute(_COUNTED, upload_id, rows, accepted)
    detail = {"rows": rows, "accepted": accepted}
    await audit.write(tx, who, "campaign.audience_uploaded", "campaign_upload", upload_id, detail=detail)
    return upload_id


_COUNTED = "UPDATE campaign_uploads SET rows = $2, accepted = $3 WHERE id = $1"

Report = tuple[int, UUID | None, str | None, dict[str, str]]


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _portions(reader: Any, header: list[str]) -> Iterator[list[tuple[int, dict[str, str] | None]]]:
    """Rows with their line in the file; None for a row that has not as many values as the header."""
    portion: list[tuple[int, dict[str, str] | None]] = []
    try:
        for count, values in enumerate((row for row in reader if row), start=1):
            if count > MOST_ROWS:
                raise _invalid(f"a file has {MOST_ROWS} rows at most")
            fits = len(values) == len(header)
            portion.append((reader.line_num, dict(zip(header, map(str.strip, values), strict=True)) if fits else None))
            if len(portion) == PORTION:
                yield portion
                portion = []
    except csv.Error as error:
        raise _invalid(f"line {reader.line_num}: {error}") from None
    if portion:
        yield portion


async def _recognise(
    tx: Transaction, portion: list[tuple[int, dict[str, str] | None]], key: str, seen: set[UUID]
) -> list[Report]:
    asked = {line: _asked(row[key], key) for line, row in portion if row is not None}
    wanted = [one for one in asked.values() if one is not None]
    known: Mapping[Any, UUID]
    if key == "phone":
        rows = await tx.db.fetch(queries.customers_by_phone, [str(one) for one in wanted])
        known = {row["phone"]: row["customer_id"] for row in rows}
    else:
        found = await tx.db.fetch(queries.known_customers, wanted)
        known = {row["asked"]: row["customer_id"] for row in found}
    return [_reported(line, row, key, asked.get(line), known, seen) for line, row in portion]


def _asked(value: str, key: str) -> UUID | str | None:
    if key == "phone":
        return from_text(value)
    try:
        return UUID(value)
    except ValueError:
        return None


def _reported(
    line: int,
    row: dict[str, str] | None,
    key: str,
    asked: UUID | str | None,
    known: Mapping[Any, UUID],
    seen: set[UUID],
) -> Report:
    if row is None:
        return line, None, "wrong_columns", {}
    if asked is None:
        return line, None, "not_a_phone" if key == "phone" else "not_an_id", {}
    customer_id = known.get(asked)
    if customer_id is None:
        return line, None, "unknown_customer", {}
    if customer_id in seen:
        return line, None, "duplicate", {}
    seen.add(customer_id)
    return (
        line,
        customer_id,
        None,
        {name: original(value)[:500] for name, value in row.items() if name != key and value},
    )


def _invalid(message: str) -> Invalid:
    return Invalid(message, errors=[{"field": "file", "message": message}])


async def find(services: Services, upload_id: UUID) -> Row:
    """An upload with its counts. Raises NotFound."""
    row = await services.db.fetchrow(queries.find_upload, upload_id)
    if row is None:
        raise NotFound(f"there is no uploaded audience {upload_id}")
    return row


async def problems(services: Services, upload_id: UUID, *, limit: int, cursor: str | None) -> Rows:
    """Rows that nobody gets a message for, by line. Raises NotFound, Invalid for a cursor that is none of ours."""
    await find(services, upload_id)
    (line,) = read_cursor(cursor, int)
    return page(await services.db.fetch(queries.upload_problems, upload_id, line or 0, limit + 1), limit, "line")
