"""The end of files: by age, or by a person's right. Rows lose what is personal at once; content follows by a job."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from hub_api.platform import sqlfile
from hub_api.platform.services import Services
from hub_api.whatsapp.media.store import ABANDONED_S, open_store, spool_dir

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

CHUNK = 500


async def erase_media(services: Services, customer_id: UUID) -> int:
    """Erase every file of a customer, and ours that went to nobody else; returns how many rows it were.

    Their content is deleted from the store before this returns, unless another person's file has the same bytes.
    """
    async with services.transaction() as tx:
        ids = [row["id"] for row in await tx.db.fetch(queries.of_customer, customer_id)]
        erased: int = await tx.db.fetchval(queries.erase, ids, "person")
    await remove_freed(services)
    return erased


async def end_media(services: Services, conversation_ids: list[UUID]) -> int:
    """Erase the files of conversations whose time is over, as `erase_media` does those of a person."""
    async with services.transaction() as tx:
        ids = [row["id"] for row in await tx.db.fetch(queries.of_conversations, conversation_ids)]
        erased: int = await tx.db.fetchval(queries.erase, ids, "retention")
    await remove_freed(services)
    return erased


async def expire_old(services: Services) -> int:
    """Erase files older than HUB_MEDIA_RETENTION_DAYS, chunk by chunk; returns how many."""
    before = datetime.now(UTC) - timedelta(days=services.settings.media_retention_days)
    total = 0
    while ids := [row["id"] for row in await services.db.fetch(queries.older_than, before, CHUNK)]:
        total += await services.db.fetchval(queries.erase, ids, "retention")
    if total:
        log.info("retention", what="media", deleted=total)
    return total


async def remove_freed(services: Services) -> int:
    """Delete content that no file has any more, and spooled files of dead processes; returns how many contents."""
    store, removed = await services.shared(open_store), 0
    while rows := await services.db.fetch(queries.list_removals, CHUNK):
        for row in rows:
            sha256 = bytes(row["sha256"])
            async with services.transaction() as tx:
                await tx.db.execute(queries.lock_content, sha256)
                if not await tx.db.fetchval(queries.is_needed, sha256):
                    await store.delete(sha256)
                    await tx.db.execute(queries.forget_content, sha256)
                    removed += 1
                await tx.db.execute(queries.forget_removal, sha256)
    for file in spool_dir(services.settings).glob("*.part"):
        if time.time() - file.stat().st_mtime > ABANDONED_S:
            file.unlink(missing_ok=True)
    return removed
