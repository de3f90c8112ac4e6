"""Goals into the hub: each once by its kind and external id, told to the warehouse, and laid to the message that brought it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from hub_api.chat.business.upsert import Fault, Report
from hub_api.events import GoalRecorded, goal_id
from hub_api.platform import metrics, sqlfile
from hub_api.platform.pgtypes import Connection
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__)

EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(minutes=5)  # of clocks that run fast
MAX_BATCH = 1000
_USUAL = frozenset(
    ("payment", "purchase", "cancellation", "click", "reply", "button", "no_churn")
)  # labels of a metric are few


@dataclass(frozen=True, slots=True)
class Told:
    """A goal as it was reported, its customer named in one way: by id, phone (E.164), contract, or the code of his link."""

    kind: str
    external_id: str
    occurred_at: datetime
    value_micros: int = 0
    value_currency: str = "BRL"
    customer_id: UUID | None = None
    phone: str | None = None
    contract_id: str | None = None
    click: str | None = None


async def record(tx: Transaction, told: Sequence[tuple[int, Told]], *, zone: str, source: str, by: str) -> Report:
    """Record up to MAX_BATCH goals (position, goal) in the caller's transaction; those that are known are `unchanged`.

    A fault for a customer who is nobody here, for a time that cannot be true, and for a goal that was told before with another
    customer, value or time: what is recorded never changes.
    """
    report = Report(received=len(told))
    people = await _people(tx.db, [goal for _, goal in told])
    rows: dict[UUID, tuple[int, Told, UUID]] = {}
    for position, goal in told:
        known = people.get(_name_of(goal))
        if known is None:
            report.faults.append(Fault(position, goal.external_id, None, "names nobody who is a customer here"))
        elif not EARLIEST < goal.occurred_at < datetime.now(UTC) + MOST_AHEAD:
            report.faults.append(Fault(position, goal.external_id, "occurred_at", "must be a time that has come"))
        elif rows.setdefault(key := goal_id(goal.kind, goal.external_id), (position, goal, known))[1:] == (goal, known):
            report.unchanged += rows[key][0] != position
        else:
            report.faults.append(_other(position, goal))
    new = await _insert(tx, rows, source, by)
    if new:
        await tx.db.fetch(queries.attribute, sorted(new), zone)
    stored = await tx.db.fetch(queries.stored_goals, sorted(rows.keys() - new))
    for row in stored:
        position, goal, customer_id = rows[row["id"]]
        same = (customer_id, goal.value_micros, goal.value_currency, goal.occurred_at)
        if tuple(row)[1:] == same:
            report.unchanged += 1
        else:
            report.faults.append(_other(position, goal))
    report.written = len(new)
    return report


def _other(position: int, goal: Told) -> Fault:
    return Fault(position, goal.external_id, None, "was told before with another customer, value or time")


async def _insert(tx: Transaction, rows: Mapping[UUID, tuple[int, Told, UUID]], source: str, by: str) -> set[UUID]:
    order = sorted(rows)  # two loads of the same goals wait for each other in one order
    columns = [(rows[key][1], rows[key][2]) for key in order]
    written = await tx.db.fetch(
        queries.insert_goals,
        order,
        [goal.kind for goal, _ in columns],
        [goal.external_id for goal, _ in columns],
        [customer for _, customer in columns],
        [goal.value_micros for goal, _ in columns],
        [goal.value_currency for goal, _ in columns],
        [goal.occurred_at for goal, _ in columns],
        source,
        by,
    )
    tx.emit(
        *(
            GoalRecorded(
                aggregate_id=row["id"],
                aggregate_version=1,
                occurred_at=row["occurred_at"],
                kind=row["kind"],
                external_id=row["external_id"],
                customer_id=row["customer_id"],
                value_micros=row["value_micros"],
                value_currency=row["value_currency"],
            )
            for row in written
        )
    )
    for row in written:
        metrics.goals_recorded.labels(row["kind"] if row["kind"] in _USUAL else "other", source).inc()
    return {row["id"] for row in written}


def _name_of(goal: Told) -> tuple[str, Any]:
    """How the goal names its customer."""
    if goal.customer_id is not None:
        return "customer", goal.customer_id
    if goal.phone is not None:
        return "phone", goal.phone
    if goal.contract_id is not None:
        return "contract", goal.contract_id
    return "click", sha256((goal.click or "").encode()).digest()


async def _people(db: Connection, goals: Iterable[Told]) -> dict[tuple[str, Any], UUID]:
    """Whom the names of these goals mean."""
    wanted: dict[str, set[Any]] = {"customer": set(), "phone": set(), "contract": set(), "click": set()}
    for way, value in map(_name_of, goals):
        wanted[way].add(value)
    found: dict[tuple[str, Any], UUID] = {}
    for way, query in (
        ("customer", queries.by_customer), ("phone", queries.by_phone), ("contract", queries.by_contract), ("click", queries.by_click),
    ):  # fmt: skip
        for row in await db.fetch(query, sorted(wanted[way])) if wanted[way] else ():
            found[way, row[0]] = row[1]
    return found


async def attribute_again(tx: Transaction, ids: Sequence[UUID], zone: str) -> dict[str, int]:
    """Lay these goals anew to the messages there are now; how many by reason."""
    return {row["reason"]: row["goals"] for row in await tx.db.fetch(queries.attribute, list(ids), zone)}
