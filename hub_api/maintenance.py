"""Jobs on a clock: the sweep that makes lost rings good, doubts that time settles, partitions, retention, gauges."""

from datetime import UTC, datetime, timedelta

import structlog

from hub_api.ai.jobs import answer
from hub_api.chat import quiet, statuses
from hub_api.platform import metrics, sqlfile
from hub_api.platform.migrate import PARTITIONED, make_partitions
from hub_api.platform.queue import Ring, job
from hub_api.platform.services import Services
from hub_api.whatsapp.jobs import handle_lane, split_inbox
from hub_api.whatsapp.media.jobs import fetch_due
from hub_api.whatsapp.pool import view
from hub_api.whatsapp.send import outbox, reactions
from hub_api.whatsapp.send.jobs import drain_outbox
from hub_api.whatsapp.survey.jobs import ask

log = structlog.get_logger(__name__)

RETENTION_CHUNK = 5_000

queries = sqlfile.load("hub_api", "maintenance.sql")


@job("maintenance", timeout_s=30)
async def sweep(services: Services) -> None:
    """Ring for all work that waits without a handled mark: what a dead process, or a flushed Redis, left unrung."""
    (work,) = await services.db.fetch(queries.waiting_work)
    rings: list[Ring] = [(handle_lane, (lane,)) for lane in work["lanes"]]
    rings += [(drain_outbox, (shard,)) for shard in work["shards"]]
    if work["webhooks"]:
        rings.append((split_inbox, ()))
    if work["bot_turns"]:
        rings.append((answer, ()))
    if work["surveys"]:
        rings.append((ask, ()))
    if work["media"]:
        rings.append((fetch_due, ()))
    await services.bells.ring(rings)


@job("maintenance", timeout_s=30)
async def settle(services: Services) -> None:
    """Doubts that time settles: claims of dead senders become `unknown`, parked statuses find their message, pauses end."""
    await outbox.recover_stale_claims(services)
    await reactions.resume_paused(services)
    await statuses.rematch_parked(services)
    await outbox.forget_pairs(services)


@job("maintenance", timeout_s=60)
async def end_quiet(services: Services) -> None:
    """End conversations that time ends, batch by batch."""
    for step in (quiet.resolve_quiet, quiet.close_past_reopening):
        while await step(services) == quiet.BATCH:
            pass


@job("maintenance", timeout_s=30)
async def gauges(services: Services) -> None:
    """Set the gauges that one owner exports for the whole hub."""
    (row,) = await services.db.fetch(queries.gauges)
    metrics.active_conversations.set(row["active_conversations"])
    metrics.agents_online.set(row["agents_online"])
    metrics.inbox_backlog.set(row["inbox_items"])
    metrics.outbox_unknown.set(row["unknown"])
    await view.measure(services)
    await outbox.measure(services)
    metrics.redis_memory.set((await services.redis.info("memory"))["used_memory"])


@job("maintenance", timeout_s=60)
async def partitions(services: Services) -> None:
    """Make the months ahead, and raise an alarm when rows other than sentinels lie in a DEFAULT partition."""
    async with services.db.acquire() as db:
        made = await make_partitions(db)
        for table in PARTITIONED:
            stray = await db.fetchval(queries.stray_rows.replace("{table}", f"{table}_default"))
            metrics.default_partition_rows.labels(table).set(stray)
            if stray:
                log.error(
                    "rows_in_default_partition",
                    table=table,
                    rows=stray,
                    remedy=f"SELECT ensure_partitions('{table}', month, month) for their months makes and fills them",
                )
    if made:
        log.info("partitions_made", count=made)


@job("maintenance", timeout_s=300)
async def retention(services: Services) -> None:
    """Delete raw webhooks past HUB_INBOX_RETENTION_DAYS, replayed dead letters and old idempotency keys.

    Each chunk commits by itself: the relay waits for the oldest transaction, and what a run did not finish stays done.
    """
    before = datetime.now(UTC) - timedelta(days=services.settings.inbox_retention_days)
    for name in ("expire_webhooks", "expire_dead_letters", "expire_idempotency_keys", "expire_parked_statuses"):
        total, deleted = 0, RETENTION_CHUNK
        while deleted == RETENTION_CHUNK:
            tag = await services.db.execute(getattr(queries, name), before, RETENTION_CHUNK)
            deleted = int(tag.rpartition(" ")[2])
            total += deleted
        log.info("retention", what=name, deleted=total)
