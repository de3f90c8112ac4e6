"""Who is in a segment by the last run of the tables, and who came and went."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from hub_api.analytics.segments import keep
from hub_api.auth.principal import Principal
from hub_api.chat import masking, views
from hub_api.platform.pages import read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.warehouse import ask

_MEMBERS = """
SELECT customer_id, entered_on, version FROM gold.segment_membership
WHERE segment_id = {segment:UUID} AND toString(customer_id) > {after:String}
ORDER BY toString(customer_id) LIMIT {limit:UInt32}
"""
_HISTORY = """
SELECT day, change, why, version, count() AS customers FROM gold.segment_membership_history
WHERE segment_id = {segment:UUID} AND day < {before:Date}
GROUP BY day, change, why, version ORDER BY day DESC, change, why, version LIMIT {limit:UInt32}
"""
_OF_CUSTOMER = """
SELECT segment_id, day, change, why, version FROM gold.segment_membership_history
WHERE customer_id = {customer:UUID} ORDER BY day DESC, segment_id, change LIMIT 500
"""
MOST_CHANGES = 2_000


class Page(NamedTuple):
    """Rows by column, and the last key when more follow."""

    items: list[dict[str, Any]]
    next_key: str | None


async def members(services: Services, segment_id: UUID, *, limit: int, cursor: str | None) -> Page:
    """Members by id, since when. Raises NotFound, Invalid for a cursor that is none of ours, Unavailable."""
    await keep.find(services.db, segment_id)
    (last,) = read_cursor(cursor, UUID)
    parameters = {"segment": segment_id, "after": str(last or ""), "limit": limit + 1}
    rows = (await ask(services, _MEMBERS, parameters)).rows
    items = [dict(zip(("customer_id", "entered_on", "version"), row, strict=True)) for row in rows[:limit]]
    return Page(items, str(items[-1]["customer_id"]) if len(rows) > limit else None)


async def with_names(
    services: Services, who: Principal, rows: Iterable[Row | Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of members with `name` and `phone` as the caller may see them: of customers whom he sees elsewhere too
    (`customers:read`, and one of his teams' or of none), since a segment goes beyond the customers of a team."""
    members = [dict(row) for row in rows]
    seen = await views.seen_customers(services, who, {row["customer_id"] for row in members})
    found = await services.db.fetch(keep.queries.people, list(seen)) if seen else []
    people = {row["id"]: {"name": row["name"], "phone": row["phone"]} for row in found}
    nobody = {"name": None, "phone": None}
    return [{**row, **masking.customer_for(who, people.get(row["customer_id"], nobody))} for row in members]


async def history(services: Services, segment_id: UUID, *, before: date | None) -> list[dict[str, Any]]:
    """How many came and went a day and why, newest day first. Raises NotFound, Unavailable."""
    await keep.find(services.db, segment_id)
    parameters = {"segment": segment_id, "before": before or date(2149, 1, 1), "limit": MOST_CHANGES}
    names = ("day", "change", "why", "version", "customers")
    return [dict(zip(names, row, strict=True)) for row in (await ask(services, _HISTORY, parameters)).rows]


async def of_customer(services: Services, customer_id: UUID) -> list[dict[str, Any]]:
    """Which segments a customer entered and left, newest first. Raises Unavailable."""
    rows = (await ask(services, _OF_CUSTOMER, {"customer": customer_id})).rows
    return [dict(zip(("segment_id", "day", "change", "why", "version"), row, strict=True)) for row in rows]
