"""From stored bodies to inbox items: what `split` found is written in the transaction that marks the body as split."""

from collections.abc import Iterable, Sequence
from typing import Any

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

# A dead letter of this kind holds a whole webhook body; any other one holds an item's payload.
WEBHOOK = "webhook"


def parked(item: Item, places: Row) -> str | None:
    """Why an item is none of ours: test deliveries, groups, numbers that are not added yet; None when it is."""
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
        await _bury(db, [_dead_problem(webhook, problem)])
        await db.execute(queries.mark_split, [webhook["id"]], [webhook["received_at"]], [0])
        return set()


async def _store(db: Connection, webhooks: Sequence[Row], places: Row, lanes: int) -> set[int]:
    items: list[tuple[Any, ...]] = []
    dead: list[tuple[Any, ...]] = []
    counts: list[int] = []
    for webhook in webhooks:
        found = split(webhook["body"])
        counts.append(len(found.items))
        dead += [_dead_problem(webhook, problem) for problem in found.problems]
        for item in found.items:
            if reason := parked(item, places):
                dead.append(_dead_item(webhook, item, reason))
            else:
                items.append(_item(webhook, item, lanes))
    if items:
        await db.copy_records_to_table("inbox_item", columns=_ITEM, records=items)
    await _bury(db, dead)
    ids, times = [webhook["id"] for webhook in webhooks], [webhook["received_at"] for webhook in webhooks]
    await db.execute(queries.mark_split, ids, times, counts)
    return {item[_ITEM.index("lane")] for item in items}


def _item(webhook: Row, item: Item, lanes: int) -> tuple[Any, ...]:
    lane = lane_of(item.contact_key or item.phone_number_id or item.waba_id or "", lanes)
    who = (item.phone_number_id, item.waba_id, item.contact_key)
    return (webhook["id"], webhook["received_at"], webhook["trace_id"], lane, item.kind, *who, item.payload)


def _dead_item(webhook: Row, item: Item, reason: str) -> tuple[Any, ...]:
    who = (item.phone_number_id, item.waba_id, item.contact_key)
    return (uuid7(), "parked", webhook["id"], webhook["received_at"], item.kind, *who, reason, None, item.payload)


def _dead_problem(webhook: Row, problem: Problem) -> tuple[Any, ...]:
    who = (problem.phone_number_id, problem.waba_id, None)
    about = (problem.reason, problem.detail, problem.body)
    return (uuid7(), "split", webhook["id"], webhook["received_at"], WEBHOOK, *who, *about)


async def _bury(db: Connection, dead: Iterable[tuple[Any, ...]]) -> None:
    rows = list(dead)
    if not rows:
        return
    await db.copy_records_to_table("dead_letter", columns=_DEAD, records=rows)
    reasons = [row[_DEAD.index("reason")] for row in rows]
    for reason in set(reasons):
        items_dead.labels(reason).inc(reasons.count(reason))
        log.warning("dead_letters", reason=reason, count=reasons.count(reason))
