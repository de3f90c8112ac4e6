"""Pages of a list and the opaque cursors that lead from one to the next: keyset pagination, stable while rows come and go."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub_api.errors import Invalid
from hub_api.platform.pgtypes import Row


class Rows(NamedTuple):
    """Rows of one page, and the cursor of the next one (None: this was the last)."""

    rows: list[Row]
    next_cursor: str | None


def page(rows: Sequence[Row], limit: int, *key: str) -> Rows:
    """A page from one row more than asked for; its cursor is the key of its last row."""
    shown = list(rows[:limit])
    if len(rows) <= limit:
        return Rows(shown, None)
    parts = [part.isoformat() if isinstance(part := shown[-1][name], datetime) else str(part) for name in key]
    return Rows(shown, base64.urlsafe_b64encode("|".join(parts).encode()).decode())


def read_cursor(cursor: str | None, *types: Any) -> list[Any]:
    """The parts of a cursor by their types; all None without one. Raises Invalid for one that is none of ours."""
    if cursor is None:
        return [None] * len(types)
    try:
        parts = base64.urlsafe_b64decode(cursor).decode().split("|")
        return [parse(part) for parse, part in zip(types, parts, strict=True)]
    except (binascii.Error, ValueError):
        raise Invalid("the cursor is none of ours: take it from `next_cursor`") from None
