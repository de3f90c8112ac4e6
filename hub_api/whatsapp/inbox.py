"""The durable door: webhook bodies to PostgreSQL, many requests to one commit.

No timer: a writer that is idle takes at once what waits, and what comes while it commits is its next batch. So a lone
request waits for nothing, and under load the price of COPY and fsync is shared (2.5 to 4.9 times one INSERT each, p95 four
times lower). Nobody hears "stored" before the commit. While PostgreSQL is away every request is refused at once, and
the writers knock until it is back.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Self
from uuid import UUID

import asyncpg
import structlog

from hub_api.errors import Unavailable
from hub_api.platform.dberrors import AWAY
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection
from hub_api.platform.services import Services
from hub_api.whatsapp.jobs import split_inbox

log = structlog.get_logger(__name__)

WRITERS = 2
BATCH = 500

# Meta wants an answer within seconds and redelivers on its own: better refuse than let requests pile up.
COMMIT_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
KNOCK_EVERY_S = 0.25
DRAIN_TIMEOUT_S = 10.0

# A ring costs more than a commit; the first one after a pause is immediate, the splitter takes what came since.
RING_EVERY_S = 0.02


class NotStored(Unavailable):
    """The body is not in PostgreSQL, or nobody can say: the sender has to deliver it again. `reason` is for metrics."""

    code = "not_stored"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Waiting(NamedTuple):
    id: UUID
    body: bytes
    stored: asyncio.Future[None]


class Inbox:
    """Group commit of one process: `async with Inbox(services) as inbox`, then `await inbox.store(body)`."""

    def __init__(self, services: Services) -> None:
        self._url = services.settings.database_url.get_secret_value()
        self._limit = services.settings.inbox_queue_limit
        self._bells = services.bells
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()  # None: a writer may go home
        self._connected = 0
        self._closing = False
        self._committed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the writers. Raises the driver's error when PostgreSQL is away."""
        connections = [await self._connect() for _ in range(WRITERS)]
        self._connected = WRITERS
        self._tasks = [asyncio.create_task(self._write(connection)) for connection in connections]
        self._ringer = asyncio.create_task(self._ring())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take no more, commit what waits, then close; what cannot be committed in time is refused."""
        self._closing = True
        for _writer in self._tasks:
            self._queue.put_nowait(None)
        late = (await asyncio.wait(self._tasks, timeout=DRAIN_TIMEOUT_S))[1]
        for writer in late:
            writer.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self._refuse_waiting("closing", "the process is stopping")
        self._tasks = []
        self._committed.set()
        await self._ringer  # not cancelled: a Redis client in mid-command may swallow that

    async def store(self, body: bytes) -> UUID:
        """Store a body durably and return its id once it is committed. Raises NotStored, also when the outcome is unknown."""
        if self._closing:
            raise NotStored("closing", "the process is stopping: deliver again")
        if not self._connected:
            raise NotStored("database_away", "PostgreSQL is away: deliver again")
        if self._queue.qsize() >= self._limit:
            raise NotStored(
                "full", f"{self._limit} webhooks wait for their commit (HUB_INBOX_QUEUE_LIMIT): deliver again"
            )
        waiting = _Waiting(uuid7(), body, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        await waiting.stored
        return waiting.id

    async def _write(self, connection: Connection | None) -> None:
        """One writer with its own connection, until there is no more work and we are closing."""
        try:
            while batch := await self._take():
                connection = await self._commit(connection, batch)
                if connection is None:
                    connection = await self._knock()
        finally:
            if connection is not None:
                with suppress(*AWAY):
                    await connection.close(timeout=CONNECT_TIMEOUT_S)

    async def _take(self) -> list[_Waiting]:
        """All that waits, at most a batch; waits for the first. Empty when the writer may go home."""
        batch: list[_Waiting] = []
        waiting = await self._queue.get()
        while waiting is not None:
            batch.append(waiting)
            if len(batch) == BATCH or self._queue.empty():
                return batch
            waiting = self._queue.get_nowait()
        if batch:
            self._queue.put_nowait(None)  # for the next look
        return batch

    async def _commit(self, connection: Connection | None, batch: list[_Waiting]) -> Connection | None:
        """Commit a batch and answer its requests; on a fresh connection when ours broke. None when PostgreSQL is away."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + COMMIT_TIMEOUT_S
        for last_try in (False, True):
            try:
                if connection is None or connection.is_closed():
                    connection = await self._connect()
                # Not the driver's own timeout: that one waits for the server to confirm, which may be what hangs.
                watchdog = loop.call_at(deadline, connection.terminate)
                try:
                    await self._copy(connection, [waiting for waiting in batch if not waiting.stored.done()])
                finally:
                    watchdog.cancel()
                return connection
            except Exception as error:  # also what no one thought of: a writer that dies would leave requests hanging
                if connection is not None:
                    connection.terminate()
                connection = None
                # Rows whose first COPY did commit unseen come twice now, as if Meta had delivered again.
                if last_try or loop.time() >= deadline:
                    log.error(
                        "inbox_database_away", error=type(error).__name__, refused=self._queue.qsize() + len(batch)
                    )
                    break
        message = "PostgreSQL did not take the batch: deliver again"
        _refuse(batch, "database_away", message)
        self._refuse_waiting("database_away", message)
        return None

    async def _copy(self, connection: Connection, batch: Sequence[_Waiting]) -> None:
        """COPY rows in one transaction; when PostgreSQL refuses them, halves, so that a bad row fails alone."""
        try:
            await connection.copy_records_to_table(
                "webhook_event",
                columns=("id", "body"),
                records=[waiting[:2] for waiting in batch],
            )
        except AWAY:
            raise
        except asyncpg.PostgresError as error:
            if len(batch) == 1:
                log.error("webhook_rejected_by_database", error=type(error).__name__, bytes=len(batch[0].body))
                _refuse(batch, "rejected", "PostgreSQL does not take this body")
                return
            middle = len(batch) // 2
            await self._copy(connection, batch[:middle])
            await self._copy(connection, batch[middle:])
            return
        for waiting in batch:
            if not waiting.stored.done():
                waiting.stored.set_result(None)
        self._committed.set()

    async def _connect(self) -> Connection:
        return await asyncpg.connect(
            self._url, timeout=CONNECT_TIMEOUT_S, server_settings={"application_name": "hub-inbox", "timezone": "UTC"}
        )

    async def _knock(self) -> Connection | None:
        """Try to connect until it works; None when we are closing."""
        self._connected -= 1
        while not self._closing:
            try:
                connection = await self._connect()
            except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await asyncio.sleep(KNOCK_EVERY_S)
            else:
                self._connected += 1
                log.info("inbox_database_back")
                return connection
        return None

    async def _ring(self) -> None:
        """Ring the splitter after commits, beside the writers: many commits make one ring, and Redis delays no answer."""
        while self._tasks:
            await self._committed.wait()
            self._committed.clear()
            await self._bells.ring([(split_inbox, ())])
            await asyncio.sleep(RING_EVERY_S)

    def _refuse_waiting(self, reason: str, message: str) -> None:
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is None:
                self._queue.put_nowait(None)
                return
            _refuse([waiting], reason, message)


def _refuse(batch: Sequence[_Waiting], reason: str, message: str) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(NotStored(reason, message))
