"""Heartbeats: an agent's program says every few seconds that it is there. Who says nothing for 30 s is gone.

A process writes the beats of all its agents in one statement a second: thousands of agents are one query, and no beat
waits for the locks of the router (migration 0044).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

import structlog

from hub_api.platform import sqlfile
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

BEAT_EVERY_S = 10  # what programs are told
WRITE_EVERY_S = 1.0
# With the second of writing and the 2 s of the clock that looks (cron.py) it is noticed within 30 s.
LOST_AFTER_S = 25.0


class Heartbeats:
    """The beats of this process that are not written yet."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen: dict[UUID, datetime] = {}

    def beat(self, user_id: UUID) -> None:
        """He is there now."""
        self._seen[user_id] = datetime.now(UTC)

    async def write(self) -> None:
        """Write what came since the last time. What cannot be written is kept for the next time."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        ids = sorted(seen)  # one order for all processes: two never wait for each other in a circle
        try:
            await self._services.db.execute(queries.note_beats, ids, [seen[one] for one in ids])
        except Exception as error:
            log.warning("heartbeats_not_written", agents=len(ids), error=type(error).__name__)
            self._seen = {**seen, **self._seen}

    async def keep_writing(self) -> None:
        """Write once a second, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()


@asynccontextmanager
async def open_heartbeats(services: Services) -> AsyncIterator[Heartbeats]:
    """For `services.shared`: one collector and one writer a process."""
    opened = Heartbeats(services)
    writing = asyncio.create_task(opened.keep_writing(), name="write heartbeats")
    try:
        yield opened
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        await opened.write()
