"""A complete, checked file becomes content: scanned, put into the store, recorded; and scanned again when clamd was away."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import aiohttp
import anyio
import structlog

from hub_api.errors import Unavailable
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp.media.clamd import ScannerAway, scan
from hub_api.whatsapp.media.store import CHUNK, open_store

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

SCAN_AGAIN_S = 30


@dataclass(frozen=True, slots=True)
class Kept:
    """A complete file and what it is."""

    file: Path
    sha256: bytes
    size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the antivirus makes of content: the state it gets, why, and when to look again."""

    state: str
    reason: str | None = None
    scanned_at: datetime | None = None
    next_at: datetime | None = None


async def judge(services: Services, content: AsyncIterator[bytes]) -> Verdict:
    """Ask clamd, if there is one. Away, content waits unserved, unless HUB_MEDIA_SERVE_UNSCANNED serves it meanwhile."""
    settings = services.settings
    if settings.clamd_url is None:
        return Verdict("stored")
    now = datetime.now(UTC)
    try:
        found = await scan(settings.clamd_url, content)
    except ScannerAway as away:
        log.warning("scanner_away", detail=away.message)
        state = "stored" if settings.media_serve_unscanned else "scanning"
        return Verdict(state, "scanner_away", next_at=now + timedelta(seconds=SCAN_AGAIN_S))
    return Verdict("infected", found) if found else Verdict("stored", scanned_at=now)


async def keep(services: Services, media_id: UUID, kept: Kept) -> str:
    """Scan and store the file of a media row; returns the row's new state (`erased` when it was erased meanwhile).

    The content is put first and recorded second, under a lock that whoever removes content takes too: a removal between
    the two shows, and the attempt is made again.
    """
    verdict = await judge(services, chunks_of(kept.file))
    store = await services.shared(open_store)
    await store.put(kept.sha256, kept.file)
    async with services.transaction() as tx:
        await tx.db.execute(queries.lock_content, kept.sha256)
        if verdict.state != "infected" and await tx.db.fetchval(queries.is_infected, kept.sha256):
            verdict = Verdict("infected", "known_content")
        recorded = await tx.db.fetchval(
            queries.record_content, media_id, verdict.state, verdict.reason, kept.sha256, kept.size, kept.mime_type,
            verdict.scanned_at, verdict.next_at,
        )  # fmt: skip
        if recorded is None:  # erased while it was fetched: the content may be nobody's
            await tx.db.execute(queries.free_content, kept.sha256)
            return "erased"
        if verdict.state == "infected":
            await store.quarantine(kept.sha256)
            await tx.db.execute(queries.record_infection, kept.sha256, verdict.reason)
        elif not await store.exists(kept.sha256):
            raise Unavailable("the content was removed while it was stored again")
        await tx.db.execute(queries.forget_removal, kept.sha256)
    if verdict.state == "infected":
        log.warning("media_infected", media=str(media_id), found=verdict.reason)
    return verdict.state


async def rescan(services: Services, session: aiohttp.ClientSession, row: Row) -> str:
    """Scan content that was kept while clamd was away; returns its state. Raises ScannerAway: later again."""
    sha256, store = bytes(row["sha256"]), await services.shared(open_store)
    verdict = await judge(services, store.read(sha256, 0, row["size_bytes"]))
    if verdict.next_at is not None:
        raise ScannerAway("clamd is still away")
    async with services.transaction() as tx:
        await tx.db.execute(queries.lock_content, sha256)
        if verdict.state == "infected":
            await tx.db.execute(queries.record_infection, sha256, verdict.reason)
            await store.quarantine(sha256)
        else:
            await tx.db.execute(queries.record_scan, sha256)
    return verdict.state


async def chunks_of(file: Path) -> AsyncIterator[bytes]:
    """A file's bytes, read beside the event loop."""
    async with await anyio.open_file(file, "rb") as source:
        while chunk := await source.read(CHUNK):
            yield chunk
