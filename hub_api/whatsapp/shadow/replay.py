"""Handling stored webhooks a second time, beside the live tables: nothing is sent, no bell rings, no event is relayed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.migrate import PARTITIONED
from hub_api.platform.pgtypes import Pool, Row
from hub_api.platform.postgres import transaction
from hub_api.platform.queue import no_rings
from hub_api.settings import Settings
from hub_api.whatsapp import deadletters
from hub_api.whatsapp.handle import CHUNK
from hub_api.whatsapp.handle_batch import MissingMonth, handle_batch
from hub_api.whatsapp.handle_batch import queries as handling
from hub_api.whatsapp.shadow.sql import queries
from hub_api.whatsapp.splitter import split_batch

PAGE = 500
# One lane: a shadow is no race, and all items then keep the order in which their webhooks came.
LANES = 1

Progress = Callable[[int, int], None]  # webhooks done, webhooks in all


@dataclass(frozen=True, slots=True)
class Range:
    """Webhooks received from `since` to before `until`."""

    since: datetime
    until: datetime


async def replay(live: Pool, shadow: Pool, settings: Settings, given: Range, progress: Progress) -> int:
    """Split and handle the webhooks of a range in the shadow, as the live ones were; returns how many there were.

    Messages of ours that Meta accepted in the range are copied first, as they were then, so that their statuses find them.
    """
    total = await live.fetchval(queries.count_webhooks, given.since, given.until)
    await _copy_sent(live, shadow, given)
    done, after = 0, (None, None)
    while rows := await live.fetch(queries.webhooks, given.since, given.until, *after, PAGE):
        after = (rows[-1]["received_at"], rows[-1]["id"])
        await _store(shadow, rows)
        await _handle_all(shadow, settings)
        done += len(rows)
        progress(done, total)
    return done


async def _copy_sent(live: Pool, shadow: Pool, given: Range) -> None:
    after = (None, None)
    while rows := await live.fetch(queries.sent, given.since, given.until, *after, PAGE):
        after = (rows[-1]["created_at"], rows[-1]["id"])
        async with shadow.acquire() as db, db.transaction():
            for month in {row["created_at"].date().replace(day=1) for row in rows}:
                await db.execute(handling.make_month, month)
            await db.execute(queries.insert_customers, list({row["customer_id"] for row in rows}))
            await db.execute(queries.insert_sent, *zip(*(tuple(row) for row in rows), strict=True))
            await db.execute(
                queries.insert_keys,
                [row["wamid"] for row in rows],
                [row["id"] for row in rows],
                [row["created_at"] for row in rows],
            )


async def _store(shadow: Pool, rows: list[Row]) -> None:
    async with shadow.acquire() as db, db.transaction():
        for month in {row["received_at"].date().replace(day=1) for row in rows}:
            for table in PARTITIONED:
                await db.fetchval("SELECT ensure_partitions($1, $2, $2)", table, month)
        records = [tuple(row) for row in rows]
        await db.copy_records_to_table("webhook_event", columns=list(rows[0].keys()), records=records)
        while (await split_batch(db, LANES))[0]:
            pass


async def _handle_all(shadow: Pool, settings: Settings) -> None:
    """Handle what was split; an item that cannot be handled is found by halving and put aside, as in the live inbox."""
    limit = CHUNK
    while True:
        items: list[Row] = []
        try:
            async with transaction(shadow, lambda events: (), no_rings) as tx:
                items = sorted(await tx.db.fetch(handling.take_items, 0, limit), key=lambda item: item["id"])
                if not items:
                    return
                await handle_batch(tx, settings, items)
        except MissingMonth as missing:
            await shadow.execute(handling.make_month, missing.month)
        except RETRYABLE:
            raise
        except Exception as error:
            if len(items) <= 1:
                await _put_aside(shadow, items, error)
            limit = max(1, len(items) // 2)
        else:
            limit = min(CHUNK, limit * 2)


async def _put_aside(shadow: Pool, items: list[Row], error: Exception) -> None:
    if not items:
        raise error
    reason, detail = deadletters.reason_of(error)
    async with transaction(shadow, lambda events: (), no_rings) as tx:
        taken = await tx.db.fetch(handling.take_item, items[0]["id"])
        await deadletters.bury(tx, [(item, "handle", reason, detail) for item in taken])
