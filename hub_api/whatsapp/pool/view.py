"""The pool as operators see it: each number's state, queue, speed, errors with what to do, and the quota used."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from hub_api.errors import NotFound
from hub_api.platform import metrics, sqlfile
from hub_api.platform.pages import page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp.pool.advice import advice, meaning

queries = sqlfile.load(__package__, "view.sql")

LANES = {0: "human", 1: "automatic", 2: "utility", 3: "marketing"}
RATE_OVER = timedelta(minutes=5)
ERRORS_OVER = timedelta(hours=1)
STATES = ("connected", "limited", "paused", "restricted", "offline", "draining", "removed")


class Numbers(NamedTuple):
    """One page of numbers with their figures, and the cursor of the next one (None: this was the last)."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


async def pool(services: Services, *, limit: int = 100, cursor: str | None = None) -> Numbers:
    """One page of numbers by phone_number_id, each with all an operator asks for. Raises Invalid for a foreign cursor."""
    (after,) = read_cursor(cursor, str)
    rows = page(await services.db.fetch(queries.numbers, after, limit + 1, None), limit, "phone_number_id")
    return Numbers(await _filled(services, rows.rows), rows.next_cursor)


async def one(services: Services, number_id: UUID) -> dict[str, Any]:
    """One number as in `pool`. Raises NotFound."""
    rows = await services.db.fetch(queries.numbers, None, 1, number_id)
    if not rows:
        raise NotFound(f"there is no WhatsApp number {number_id}", number_id=str(number_id))
    return (await _filled(services, rows))[0]


async def open_breakers(services: Services) -> list[Row]:
    """Breakers of numbers, accounts and templates that are open or half open."""
    return await services.db.fetch(queries.breakers)


async def measure(services: Services) -> None:
    """Set the gauges of the pool: numbers by state, statuses without a message."""
    counts = {row["state"]: row["count"] for row in await services.db.fetch(queries.state_counts)}
    for state in STATES:
        metrics.numbers_by_state.labels(state).set(counts.get(state, 0))
    metrics.parked_statuses.set(await services.db.fetchval(queries.parked))


async def _filled(services: Services, rows: Sequence[Row]) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    ids = [row["id"] for row in rows]
    lanes: dict[UUID, dict[str, Any]] = defaultdict(dict)
    for row in await services.db.fetch(queries.queues, ids):
        age_s = round((now - row["oldest_at"]).total_seconds(), 1)
        lanes[row["number_id"]][LANES[row["priority"]]] = {"waiting": row["waiting"], "oldest_age_s": age_s}
    accepted = await services.db.fetch(queries.outcomes, ids, now - RATE_OVER)
    rates = {
        row["number_id"]: row["count"] / RATE_OVER.total_seconds() for row in accepted if row["outcome"] == "accepted"
    }
    errors: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(await services.db.fetch(queries.outcomes, ids, now - ERRORS_OVER), key=lambda row: -row["count"]):
        if row["code"] is not None:
            about = {"meaning": meaning(row["code"]), "advice": advice(row["code"])}
            errors[row["number_id"]].append({"code": row["code"], "count": row["count"], "by": row["outcome"], **about})
    return [
        {
            **dict(row),
            "speed": round(row["speed"], 3),
            "queue": lanes[row["id"]],
            "accepted_per_s": round(rates.get(row["id"], 0.0), 2),
            "errors": errors[row["id"]],
        }
        for row in rows
    ]
