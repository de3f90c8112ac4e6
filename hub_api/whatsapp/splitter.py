"""From stored bodies to inbox items: what `split` found is written in the transaction that marks the body as split."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog

from hub_api.chat.spread import lane_of
from hub_api.platform import sqlfile
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.ids import uuid7
from hub_api.platform.metrics import items_dead
from hub_api.platform.pgtypes import Connection, Row
from hub_api.whatsapp.inbound import Item
from hub_api.whatsapp.split import Problem, split

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "inbox.sql")

BATCH = 500
BATCH_BYTES = 8_000_000

_ITEM = (
    "webhook_id",
    "received_at",
    "trace_id",
    "lane",
    "kind",
    "phone_number_id",
    "waba_id",
    "contact_key",
    "payload",
)
_DEAD = (
    "id",
    "source",
    "webhook_id",
    "received_at",
    "kind",
    "phone_number_id",
    "waba_id",
    "contact_key",
    "reason",
    "detail",
    "payload",
)

# The account that Meta's dashboard names in the deliveries of its Test button; no real one has this id.
DASHBOARD = "0"
DASHBOARD_TEST = "dashboard_test"

# A dead letter of this kind holds a whole webhook body; any other one holds an item's payload.
WEBHOOK = "webhook"


def parked(item: Item, places: Row) -> str | None:
    """Why an item is none of ours: test deliveries, groups, numbers that are not added yet; None when it is."""
    if item.waba_id == DASHBOARD:
        return DASHBOARD_TEST
    if item.kind == "group":
        return "group"
    if item.phone_number_id is not None:
        return None if item.phone_number_id in places["numbers"] else "foreign_number"
    return None if item.waba_id in places["accounts"] else "foreign_account"


async def split_batch(db: Connection, lanes: int) -> tuple[int, set[int]]:
    """Split the oldest unsplit webhooks in the caller's transaction: how many there were, and the lanes that got items."""
    await db.execute(queries.lock_splitter)
    webhooks = await db.fetch(queries.unsplit_webhooks, BATCH, BATCH_BYTES)
    if not webhooks:
        return 0, set()
    places = (await db.fetch(queries.known_places))[0]
    try:
        async with db.transaction():
            touched = await _store(db, webhooks, places, lanes)
    except RETRYABLE:
        raise
    except Exception as error:  # whatever one webhook holds, it must not stand in the way of all others
        log.error("split_batch_failed", error=type(error).__name__, webhooks=len(webhooks))
        touched = set()
        for webhook in webhooks:
            touched |= await _store_alone(db, webhook, places, lanes)
    return len(webhooks), touched


async def _store_alone(db: Connection, webhook: Row, places: Row, lanes: int) -> set[int]:
    """One webhook by itself; what PostgreSQL refuses of it becomes a dead letter, so that it cannot block the others."""
    try:
        async with db.transaction():
            return await _store(db, [webhook], places, lanes)
    except RETRYABLE:
        raise
    except Exception as error:
        log.error("webhook_not_splittable", webhook_id=str(webhook["id"]), error=type(error).__name__)
        problem = Problem("not_storable", type(error).__name__, webhook["body"])
        await _bury(db, [_dead_problem((webhook["id"], webhook["received_at"]), problem)])
        await db.execute(queries.mark_split, [webhook["id"]], [webhook["received_at"]], [0])
        return set()


async def _store(db: Connection, webhooks: Sequence[Row], places: Row, lanes: int) -> set[int]:
    items: list[tuple[Any, ...]] = []
    dead: list[tuple[Any, ...]] = []
    counts: list[int] = []
    touched: set[int] = set()
    for webhook in webhooks:
        found = split(webhook["body"])
        counts.append(len(found.items))
        came = (webhook["id"], webhook["received_at"])
        dead += [_dead_problem(came, problem) for problem in found.problems]
        for item in found.items:
            what = (item.kind, item.phone_number_id, item.waba_id, item.contact_key)
            if reason := parked(item, places):
                detail = _tested(item) if reason == DASHBOARD_TEST else None
                dead.append((uuid7(), "parked", *came, *what, reason, detail, item.payload))
            else:
                lane = lane_of(item.contact_key or item.phone_number_id or item.waba_id or "", lanes)
                touched.add(lane)
                items.append((*came, webhook["id"].hex, lane, *what, item.payload))
    if items:
        await db.copy_records_to_table("inbox_item", columns=_ITEM, records=items)
    await _bury(db, await _first_tests(db, dead))
    ids, times = [webhook["id"] for webhook in webhooks], [webhook["received_at"] for webhook in webhooks]
    await db.execute(queries.mark_split, ids, times, counts)
    return touched


def _tested(item: Item) -> str:
    """What the dashboard's test was of: the name of the field, or the kind of what came under `messages`."""
    field = msgspec.json.decode(item.payload).get("field")
    return f"Meta's dashboard tests {field if isinstance(field, str) else item.kind}"


async def _first_tests(db: Connection, dead: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Without further tests of what is kept as tested already: whoever presses the button sees it once, and the rest is
    counted. The caller holds the splitter's lock, so nobody else adds one meanwhile."""
    reason, detail = _DEAD.index("reason"), _DEAD.index("detail")
    tests = {row[detail] for row in dead if row[reason] == DASHBOARD_TEST}
    known = (
        {row["detail"] for row in await db.fetch(queries.tests_kept, DASHBOARD_TEST, list(tests))} if tests else set()
    )
    kept = []
    for row in dead:
        if row[reason] == DASHBOARD_TEST:
            if row[detail] in known:
                items_dead.labels(DASHBOARD_TEST).inc()
                continue
            known.add(row[detail])
        kept.append(row)
    return kept


def _dead_problem(came: tuple[UUID, datetime], problem: Problem) -> tuple[Any, ...]:
    what = (WEBHOOK, problem.phone_number_id, problem.waba_id, None)
    return (uuid7(), "split", *came, *what, problem.reason, problem.detail, problem.body)


async def _bury(db: Connection, dead: Sequence[tuple[Any, ...]]) -> None:
    if not dead:
        return
    await db.copy_records_to_table("dead_letter", columns=_DEAD, records=dead)
    for reason, count in Counter(row[_DEAD.index("reason")] for row in dead).items():
        items_dead.labels(reason).inc(count)
        log.warning("dead_letters", reason=reason, count=count)
