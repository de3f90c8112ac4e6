"""Reading conversations, messages and customers, page by page."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub_api.auth.principal import Principal
from hub_api.chat import phone
from hub_api.chat.business import values
from hub_api.errors import Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.crypto import keyed_hash
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "views.sql")

# A row's time is PostgreSQL's, its id's that of the process which made it.
_CLOCKS_DIFFER = timedelta(hours=1)


async def list_conversations(
    services: Services,
    caller: Principal,
    *,
    state: str | None = None,
    customer_id: UUID | None = None,
    queue: str | None = None,
    agent_id: UUID | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Rows:
    """Those that the caller sees, newest first; those in state `queued` (of all customers) in the order in which they should be taken;
    those that an agent has now, the one with the last word first.

    Raises Invalid for a cursor that is none of ours.
    """
    if agent_id is not None:
        spoke_at, last = read_cursor(cursor, datetime.fromisoformat, UUID)
        rows = await services.db.fetch(
            queries.list_held, *caller.scope, agent_id, state, customer_id, queue, spoke_at, last, limit + 1
        )
        return page(rows, limit, "spoke_at", "id")
    if state == "queued" and customer_id is None:
        priority, line_at, last = read_cursor(cursor, int, datetime.fromisoformat, UUID)
        rows = await services.db.fetch(queries.list_waiting, *caller.scope, queue, priority, line_at, last, limit + 1)
        return page(rows, limit, "priority", "line_at", "id")
    (last,) = read_cursor(cursor, UUID)
    rows = await services.db.fetch(
        queries.list_conversations, *caller.scope, state, customer_id, queue, last, limit + 1
    )
    return page(rows, limit, "id")


async def find_conversation(services: Services, caller: Principal, reference: str) -> Row:
    """A conversation by its id or protocol number. Raises NotFound, also for one that the caller does not see."""
    try:
        conversation_id, protocol = UUID(reference), None
    except ValueError:
        conversation_id, protocol = None, reference
    row = await services.db.fetchrow(queries.find_conversation, *caller.scope, conversation_id, protocol)
    if row is None:
        raise NotFound(f"there is no conversation with the id or protocol {reference!r}")
    return row


async def list_messages(
    services: Services, conversation_id: UUID, *, limit: int = 50, cursor: str | None = None
) -> Rows:
    """Messages of a conversation, newest first. Raises Invalid for a cursor that is none of ours."""
    before, last = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await services.db.fetch(queries.list_messages, conversation_id, before, last, limit + 1, None, None)
    return page(rows, limit, "created_at", "id")


async def messages_by_id(services: Services, conversation_id: UUID, ids: Sequence[UUID]) -> list[Row]:
    """These messages of a conversation, as `list_messages` shows them, oldest first. An id tells its row's time, which spares
    a look into every month."""
    oldest = datetime.fromtimestamp((min(ids).int >> 80) / 1000, UTC) - _CLOCKS_DIFFER
    rows = await services.db.fetch(queries.list_messages, conversation_id, None, None, len(ids), list(ids), oldest)
    return rows[::-1]


async def find_customers(
    services: Services,
    caller: Principal,
    *,
    number: str | None = None,
    cpf: str | None = None,
    name: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Rows:
    """Customers that the caller sees, by phone (any way of writing it, with its area code), by CPF (of which there is a keyed hash) or
    by part of the name, accents ignored.

    Raises Invalid without any, for a number that cannot be one person's, and for a foreign cursor.
    """
    if number is not None:
        canonical = phone.from_text(number)
        if canonical is None:
            raise Invalid("this is no full phone number: give the area code too, as in (11) 98765-4321")
        return Rows(await services.db.fetch(queries.find_by_phone, *caller.scope, canonical), None)
    if cpf is not None:
        digest = keyed_hash(services.settings.secret_key.get_secret_value(), _cpf(cpf))
        return Rows(await services.db.fetch(queries.find_by_cpf, *caller.scope, digest), None)
    if name is None:
        raise Invalid("give `phone`, `cpf` or `name`")
    (last,) = read_cursor(cursor, UUID)
    pattern = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = await services.db.fetch(queries.find_by_name, *caller.scope, pattern, last, limit + 1)
    return page(rows, limit, "id")


async def find_customer(services: Services, caller: Principal, customer_id: UUID) -> dict[str, Any]:
    """A customer with `identities` and the newest answers to the survey (`satisfaction`, `nps`); the id of one that was merged leads to the one it became.

    Raises NotFound, also for one that the caller does not see.
    """
    row = await services.db.fetchrow(queries.find_customer, *caller.scope, customer_id)
    if row is None:
        raise NotFound(f"there is no customer {customer_id}")
    answers = {one["what"]: dict(one) for one in await services.db.fetch(queries.last_answers, row["id"])}
    identities = [dict(one) for one in await services.db.fetch(queries.list_identities, row["id"])]
    return {**row, "identities": identities, "satisfaction": answers.get("satisfaction"), "nps": answers.get("nps")}


def _cpf(written: str) -> str:
    try:
        return values.cpf(written)
    except ValueError:
        raise Invalid("this is no CPF: eleven digits, of which the last two follow from the others") from None


async def seen_customers(services: Services, caller: Principal, ids: Iterable[UUID]) -> set[UUID]:
    """Those of `ids` whose name the caller may know: for lists that go beyond the customers of his teams."""
    if not caller.may("customers:read"):
        return set()
    if caller.teams is None:
        return set(ids)
    return {row["id"] for row in await services.db.fetch(queries.seen_customers, *caller.scope, list(ids))}
