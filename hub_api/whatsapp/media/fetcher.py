"""What one process fetches and scans beside its jobs: a bounded number of files at a time, found by their mark.

A file's claim is `next_at` pushed on by what an attempt may take; a process that dies lets it come up again by itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog
from yarl import URL

from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.metrics import media_files
from hub_api.platform.outbound import GuardedResolver
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp.media.download import Refused, fetch
from hub_api.whatsapp.media.keep import rescan

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

FIRST_WAIT_S, LONGEST_WAIT_S = 15, 6 * 3_600
CLAIM_MARGIN_S = 180  # a scan and the store's answer, beyond the download's own limit


class Fetcher:
    """Up to `limit` files in hand. Make it with `open_fetcher`, once per process."""

    def __init__(self, services: Services, session: aiohttp.ClientSession, limit: int) -> None:
        self._services, self.session, self._limit = services, session, limit
        self._running: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look for work in the background; returns at once."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def idle(self) -> None:
        """Until nothing that is due is left and nothing is in hand."""
        self.wake()
        while self._looking and not (self._looking.done() and not self._running):
            await asyncio.wait({self._looking, *self._running})

    async def _look(self) -> None:
        lease_s = self._services.settings.media_timeout_s + CLAIM_MARGIN_S
        try:
            while True:
                while len(self._running) >= self._limit:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                room = self._limit - len(self._running)
                rows = await self._services.db.fetch(queries.claim_due, room, lease_s)
                for row in rows:
                    task = asyncio.create_task(self._handle(row))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
                if not rows:
                    return
        except Exception as error:  # the database is away: the sweep rings again
            log.warning("media_look_failed", error=type(error).__name__)

    async def _handle(self, row: Row) -> None:
        try:
            state = await (rescan if row["sha256"] else fetch)(self._services, self.session, row)
            media_files.labels(state).inc()
        except Refused as refusal:
            await self._settle(row, "failed", refusal.reason)
        except HubError as error:
            await self._retry(row, error.code)
        except Exception as error:
            log.exception("media_attempt_failed", media=str(row["id"]), error=type(error).__name__)
            await self._retry(row, "internal")

    async def _retry(self, row: Row, reason: str) -> None:
        """Again after a while that doubles; when Meta's id dies first, the file cannot be had any more."""
        wait_s = min(FIRST_WAIT_S * 2 ** min(row["attempts"] - 1, 20), LONGEST_WAIT_S)
        next_at = datetime.now(UTC) + timedelta(seconds=wait_s)
        if row["sha256"] is None and next_at >= row["expires_at"]:
            await self._settle(row, "expired", reason)
            return
        log.info("media_waits", media=str(row["id"]), reason=reason, attempts=row["attempts"], wait_s=wait_s)
        with suppress(OSError):  # the claim ends by itself
            await self._services.db.execute(queries.record_failure, row["id"], row["state"], reason, next_at)

    async def _settle(self, row: Row, state: str, reason: str) -> None:
        log.warning("media_not_kept", media=str(row["id"]), state=state, reason=reason)
        media_files.labels(state).inc()
        with suppress(OSError):
            await self._services.db.execute(queries.record_failure, row["id"], state, reason, None)

    async def close(self) -> None:
        """Let go of what is in hand: another process finds it when its claim is over."""
        tasks = [task for task in (self._looking, *self._running) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def open_fetcher(services: Services) -> AsyncIterator[Fetcher]:
    """The fetcher of this process: `await services.shared(open_fetcher)`."""
    limit = services.settings.media_concurrency
    # A host of the list may resolve to whatever its zone says: the connection goes to public addresses only.
    resolver = GuardedResolver([URL(services.settings.meta_base_url).host or ""])
    connector = aiohttp.TCPConnector(limit=2 * limit, ttl_dns_cache=60, resolver=resolver)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        fetcher = Fetcher(services, session, limit)
        try:
            yield fetcher
        finally:
            await fetcher.close()
