"""What could not be split, handled or placed: put aside with its reason, listed, and put back when the cause is repaired."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat.spread import lane_of
from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.metrics import items_dead
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.whatsapp.splitter import WEBHOOK

queries = sqlfile.load(__package__, "handle.sql")

_BATCH = 500
_DETAIL_LIMIT = 500


async def bury(tx: Transaction, dead: list[tuple[Row, str, str, str]]) -> None:
    """Put inbox items aside: (item, source, reason, detail) each. The items' rows are the caller's to delete."""
    if not dead:
        return
    copied = ("webhook_id", "received_at", "kind", "phone_number_id", "waba_id", "contact_key")
    columns = [[item[name] for item, *_ in dead] for name in copied]
    sources, reasons, details = ([row[i] for row in dead] for i in (1, 2, 3))
    payloads = [item["payload"] for item, *_ in dead]
    await tx.db.execute(queries.insert_dead, [uuid7() for _ in dead], sources, *columns, reasons, details, payloads)
    for reason in reasons:
        items_dead.labels(reason).inc()


def reason_of(error: BaseException) -> tuple[str, str]:
    """A short stable code and a sentence for what went wrong with an item."""
    if isinstance(error, HubError):
        return str(error.context.get("reason", error.code)), error.message[:_DETAIL_LIMIT]
    if isinstance(error, asyncpg.PostgresError):
        return f"database_{error.sqlstate}", f"{type(error).__name__}: {error.args[0]}"[:_DETAIL_LIMIT]
    return "handler_failed", f"{type(error).__name__}: {error}"[:_DETAIL_LIMIT]


async def list_dead(services: Services, limit: int = 100, cursor: str | None = None) -> Rows:
    """Open dead letters, newest first, without their payloads. Raises Invalid for a foreign cursor."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    return page(await services.db.fetch(queries.list_dead, *after, limit + 1), limit, "created_at", "id")


async def list_updates(
    services: Services, field: str | None = None, limit: int = 100, cursor: str | None = None
) -> Rows:
    """What the channel told beside messages and statuses (`field` as Meta names it), newest first, fields that we do not
    know among them. `applied_at` tells if it changed what we know. Raises Invalid for a foreign cursor.
    """
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    return page(await services.db.fetch(queries.list_updates, field, *after, limit + 1), limit, "created_at", "id")


async def replay(
    services: Services, ids: Sequence[UUID] | None = None, *, who: Principal | str = audit.OPERATOR
) -> int:
    """Put open dead letters (all, or those of `ids`) back where they came from, by order of `who`; returns how many.

    Harmless to repeat: a letter goes back once, and what was handled already has no second effect. One that fails
    again becomes a new dead letter.
    """
    count = 0
    # What fails again while this runs is for the next replay: else the two would chase each other without end.
    before = await services.db.fetchval(queries.clock)
    while True:
        async with services.transaction() as tx:
            rows = await tx.db.fetch(queries.take_dead, ids, _BATCH, before)
            for row in sorted(rows, key=lambda row: (row["received_at"], row["id"])):
                await _put_back(tx, row, services.settings.inbox_lanes)
            await audit.write(tx, who, "webhooks.replayed", "webhook", None, detail={"letters": len(rows)})
        count += len(rows)
        if len(rows) < _BATCH:
            return count


async def _put_back(tx: Transaction, row: Row, lanes: int) -> None:
    if row["kind"] == WEBHOOK:
        await tx.db.execute(queries.restore_webhook, uuid7(), row["payload"])
        tx.ring(REGISTRY["whatsapp.jobs.split_inbox"])
        return
    whose = [row[name] for name in ("phone_number_id", "waba_id", "contact_key")]
    lane = lane_of(row["contact_key"] or row["phone_number_id"] or row["waba_id"] or "", lanes)
    await tx.db.execute(
        queries.restore_item, row["webhook_id"], row["received_at"], lane, row["kind"], *whose, row["payload"]
    )
    tx.ring(REGISTRY["whatsapp.jobs.handle_lane"], lane)
