"""Reading conversations, messages and customers, page by page."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from hub_api.chat import phone
from hub_api.errors import Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "views.sql")


class Rows(NamedTuple):
    """Rows of one page, and the cursor of the next one (None: this was the last)."""

    rows: list[Row]
    next_cursor: str | None


async def list_conversations(
    services: Services,
    *,
    state: str | None = None,
    customer_id: UUID | None = None,
    queue: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Rows:
    """Newest first; those in state `queued` (of all customers) in the order in which they should be taken.

    Raises Invalid for a cursor that is none of ours.
    """
    if state == "queued" and customer_id is None:
        priority, queued_at, last = _read(cursor, int, datetime.fromisoformat, UUID)
        rows = await services.db.fetch(queries.list_waiting, queue, priority, queued_at, last, limit + 1)
        return _page(rows, limit, "priority", "queued_at", "id")
    (last,) = _read(cursor, UUID)
    rows = await services.db.fetch(queries.list_conversations, state, customer_id, queue, last, limit + 1)
    return _page(rows, limit, "id")


async def find_conversation(services: Services, reference: str) -> Row:
    """A conversation by its id or protocol number. Raises NotFound."""
    try:
        conversation_id, protocol = UUID(reference), None
    except ValueError:
        conversation_id, protocol = None, reference
    row = await services.db.fetchrow(queries.find_conversation, conversation_id, protocol)
    if row is None:
        raise NotFound(f"there is no conversation with the id or protocol {reference!r}")
    return row


async def list_messages(
    services: Services, conversation_id: UUID, *, limit: int = 50, cursor: str | None = None
) -> Rows:
    """Messages of a conversation, newest first. Raises Invalid for a cursor that is none of ours."""
    before, last = _read(cursor, datetime.fromisoformat, UUID)
    rows = await services.db.fetch(queries.list_messages, conversation_id, before, last, limit + 1)
    return _page(rows, limit, "created_at", "id")


async def find_customers(
    services: Services,
    *,
    number: str | None = None,
    name: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Rows:
    """Customers by phone (any way of writing it, with its area code) or by part of the name, accents ignored.

    Raises Invalid without either, for a number that cannot be one person's, and for a foreign cursor.
    """
    if number is not None:
        canonical = phone.from_text(number)
        if canonical is None:
            raise Invalid("this is no full phone number: give the area code too, as in (11) 98765-4321")
        return Rows(await services.db.fetch(queries.find_by_phone, canonical), None)
    if name is None:
        raise Invalid("give `phone` or `name`")
    (last,) = _read(cursor, UUID)
    pattern = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _page(await services.db.fetch(queries.find_by_name, pattern, last, limit + 1), limit, "id")


async def find_customer(services: Services, customer_id: UUID) -> dict[str, Any]:
    """A customer with `identities`; the id of one that was merged leads to the one it became. Raises NotFound."""
    row = await services.db.fetchrow(queries.find_customer, customer_id)
    if row is None:
        raise NotFound(f"there is no customer {customer_id}")
    return {**row, "identities": [dict(one) for one in await services.db.fetch(queries.list_identities, row["id"])]}


def _page(rows: Sequence[Row], limit: int, *key: str) -> Rows:
    """A page from one row more than asked for; its cursor is the key of its last row."""
    shown = list(rows[:limit])
    if len(rows) <= limit:
        return Rows(shown, None)
    parts = [part.isoformat() if isinstance(part := shown[-1][name], datetime) else str(part) for name in key]
    return Rows(shown, base64.urlsafe_b64encode("|".join(parts).encode()).decode())


def _read(cursor: str | None, *types: Any) -> list[Any]:
    """The parts of a cursor by their types; all None without one. Raises Invalid."""
    if cursor is None:
        return [None] * len(types)
    try:
        parts = base64.urlsafe_b64decode(cursor).decode().split("|")
        return [parse(part) for parse, part in zip(types, parts, strict=True)]
    except (binascii.Error, ValueError):
        raise Invalid("the cursor is none of ours: take it from `next_cursor`") from None
