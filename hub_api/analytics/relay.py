"""The relay: carries `events` from PostgreSQL to `raw.events`, in commit-safe order, each exactly once.

It reads below `pg_snapshot_xmin`, writes the bounds of a batch down before it inserts the batch, and gives the insert a
deduplication token made of those bounds. Whatever dies in between, the next run sends the same rows under the same
token. One relay works at a time (an advisory lock of its session); further ones stand by.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import structlog
import uvloop

from hub_api.analytics.adoption import adopt_if_needed
from hub_api.errors import HubError
from hub_api.platform import rawevents, sqlfile, trace
from hub_api.platform.clickhouse import INSERT, connect_async
from hub_api.platform.logging import configure
from hub_api.platform.metrics import events_relayed, relay_horizon_seconds, relay_lag_seconds
from hub_api.platform.pgtypes import Connection, Row
from hub_api.platform.services import begin_traces
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

CURSOR = "raw.events"
LOCK = 7_215_004  # pg_advisory_lock; taken already: 7215001 (migrate.py), 7215002 (inbox.sql), 7215003 (handle.sql)
BATCH_ROWS = 20_000
BUSY_ROWS = 1_000  # from here on the next look comes at once: below it, waiting makes fewer and larger inserts
BUSY_PAUSE_S, IDLE_PAUSE_S = 0.05, 0.5
STANDBY_PAUSE_S = 1.0
RETRY_PAUSE_S = 1.0
HORIZON_EVERY_S = 5.0
WAREHOUSE_TIMEOUT_S = 60


class CursorMoved(HubError):
    """Somebody else moved the relay's cursor: this session had lost its lock. Nothing is lost; the next run goes on."""

    code, retryable = "relay_cursor_moved", True


class Relay:
    """A turn as the one relay: its PostgreSQL session, which holds the lock, its warehouse client and its position."""

    def __init__(self, db: Connection, warehouse: "AsyncClient", cursor: Row, batch_rows: int = BATCH_ROWS) -> None:
        self.db, self.warehouse, self.batch_rows = db, warehouse, batch_rows
        self.life = f"{cursor['system_identifier']}-{cursor['timeline']}"
        self.xid, self.seq, self.floor_seq = cursor["xid"], cursor["seq"], cursor["floor_seq"]
        self.relayed = 0
        self.caught_up_at = cursor["updated_at"].timestamp()

    async def finish(self, cursor: Row) -> None:
        """Send again the batch that an earlier turn left without an answer, if there is one."""
        if cursor["pending_xid"] is None:
            return
        bounds = {name: cursor[f"pending_{name}"] for name in ("xid", "seq", "count")}
        log.info("relay_batch_resumed", batch=cursor["batch"], **bounds)
        await self._send(cursor["batch"], **bounds, fixed_at=cursor["pending_at"])

    async def step(self) -> int:
        """Relay the next batch; returns its rows, 0 when nothing waits below the horizon."""
        batch = await self.db.fetchrow(
            queries.fix_batch, CURSOR, self.xid, self.seq, self.floor_seq, self.batch_rows, timeout=60
        )
        if batch is None:
            # Nothing below the horizon is not nothing at all: a long transaction may hold committed events back.
            held = await self.db.fetchrow(queries.newest_waiting, self.xid, self.seq, self.floor_seq)
            now = time.time()
            self.caught_up_at = self.caught_up_at if held else now
            relay_lag_seconds.set(now - self.caught_up_at)
            return 0
        # Imported history is recorded under its old date: an event cannot wait for longer than we have been behind.
        relay_lag_seconds.set(min(batch["age_s"], time.time() - self.caught_up_at))
        await self._send(
            batch["batch"],
            xid=batch["xid"],
            seq=batch["seq"],
            count=batch["count"],
            fixed_at=batch["fixed_at"],
        )
        return int(batch["count"])

    async def _send(self, batch: int, *, xid: int, seq: int, count: int, fixed_at: datetime) -> None:
        with trace.work("relay batch") as piece:
            piece.note(rows=count, batch=batch)
            await self._carry(batch, xid=xid, seq=seq, count=count, fixed_at=fixed_at)

    async def _carry(self, batch: int, *, xid: int, seq: int, count: int, fixed_at: datetime) -> None:
        try:
            await rawevents.carry(
                self.db, self.warehouse,
                rawevents.SELECT.format(batch="$6", relayed_at="$7")
                + "WHERE (xid, seq) > ($1::text::xid8, $2) AND (xid, seq) <= ($3::text::xid8, $4) AND seq > $5 ORDER BY xid, seq",
                str(self.xid), self.seq, str(xid), seq, self.floor_seq, batch, fixed_at,
                rows=count,
                token=f"{CURSOR}:{self.life}:{batch}:{self.xid}.{self.seq}-{xid}.{seq}:{count}",
            )  # fmt: skip
        except rawevents.WrongCount as error:
            raise rawevents.WrongCount(
                f"batch {batch} of the relay is not what it was when it was fixed: {error.message}; put the missing "
                f"partition of `events` back (transactions {self.xid} to {xid}), then the relay goes on by itself"
            ) from None
        if not await self.db.fetchval(queries.advance, CURSOR, batch):
            raise CursorMoved(f"the cursor of the relay has left batch {batch} while it was being sent")
        self.xid, self.seq = xid, seq
        self.relayed += count
        events_relayed.inc(count)

    async def serve(self, stop: asyncio.Event) -> None:
        """Relay until `stop`, more slowly the less there is to do; a batch in hand is finished first."""
        pause = BUSY_PAUSE_S
        horizon_due = 0.0
        while not stop.is_set():
            rows = await self.step()
            if time.monotonic() >= horizon_due:
                relay_horizon_seconds.set(await self.db.fetchval(queries.horizon_age))
                horizon_due = time.monotonic() + HORIZON_EVERY_S
            if rows == self.batch_rows:
                continue
            pause = BUSY_PAUSE_S if rows >= BUSY_ROWS else min(pause * 2, IDLE_PAUSE_S)
            await _wait(stop, pause)


@asynccontextmanager
async def turn(settings: Settings, stop: asyncio.Event, *, batch_rows: int = BATCH_ROWS) -> AsyncIterator[Relay | None]:
    """Be the one relay: stands by for the lock, adopts a restored cluster, finishes what was left; None when stopped before.

    Raises the drivers' errors when PostgreSQL or the warehouse is away.
    """
    db = await connect_postgres(settings)
    try:
        while not await db.fetchval(queries.try_lock, LOCK):
            if await _wait(stop, STANDBY_PAUSE_S):
                yield None
                return
        async with _leading(db, settings, batch_rows) as relay:
            yield relay
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await db.close(timeout=5)


@asynccontextmanager
async def _leading(db: Connection, settings: Settings, batch_rows: int) -> AsyncIterator[Relay]:
    warehouse = await connect_async(settings.clickhouse_url, INSERT, timeout_s=WAREHOUSE_TIMEOUT_S)
    try:
        await adopt_if_needed(db, warehouse, CURSOR)
        cursor = await db.fetchrow(queries.cursor, CURSOR)
        assert cursor is not None  # noqa: S101 - adoption has made it
        relay = Relay(db, warehouse, cursor, batch_rows)
        await relay.finish(cursor)
        yield relay
    finally:
        await warehouse.close()


async def connect_postgres(settings: Settings) -> Connection:
    """The relay's session. Not from a pool: the advisory lock must live exactly as long as the work under it."""
    return await asyncpg.connect(
        settings.database_url.get_secret_value(),
        server_settings={
            "application_name": "hub-relay",
            "timezone": "UTC",
            "datestyle": "ISO",
            "tcp_keepalives_idle": "10",  # a vanished relay gives its lock back within half a minute
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
        },
    )


async def _wait(stop: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Relay until `stop`. An engine that is away is waited for; every other failure is logged and tried again too,
    because giving up would lose nothing but time, and its lag shows in the metrics."""
    latest: Relay | None = None
    while not stop.is_set():
        try:
            async with turn(settings, stop) as relay:
                if relay is not None:
                    latest = relay
                    log.info("relay_ready", xid=relay.xid, seq=relay.seq)
                    await relay.serve(stop)
        except Exception as error:
            # Only our own words: an engine's message may quote the row it could not take.
            detail = error.message if isinstance(error, HubError) else None
            log.warning("relay_interrupted", error=type(error).__name__, detail=detail)
            if latest is not None:
                relay_lag_seconds.set(time.time() - latest.caught_up_at)
            await _wait(stop, RETRY_PAUSE_S)


def run(settings: Settings) -> None:
    """The command `hub relay`: relay until SIGTERM or SIGINT, which let the batch in hand finish."""
    configure(settings.log_level, process="relay")
    begin_traces(settings, "relay")
    uvloop.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop)
    log.info("relay_stopped")


async def relay_until_empty(settings: Settings, *, deadline_s: float = 120, batch_rows: int = BATCH_ROWS) -> int:
    """Return once every event committed before the call is in the warehouse; relays them itself unless a relay runs.

    Returns how many this call relayed. Raises TimeoutError after `deadline_s`, for example when a transaction that
    stays open anywhere on the server holds the horizon back.
    """
    async with asyncio.timeout(deadline_s):
        db = await connect_postgres(settings)
        try:
            while not await db.fetchval(queries.try_lock, LOCK):
                cursor = await db.fetchrow(queries.cursor, CURSOR)
                if cursor is not None and not await _waiting(db, cursor["xid"], cursor["seq"], cursor["floor_seq"]):
                    return 0
                await asyncio.sleep(BUSY_PAUSE_S)
            async with _leading(db, settings, batch_rows) as relay:
                last = await _waiting(db, relay.xid, relay.seq, relay.floor_seq)
                while last is not None and (relay.xid, relay.seq) < last:
                    if not await relay.step():
                        await asyncio.sleep(BUSY_PAUSE_S)
                return relay.relayed
        finally:
            await db.close()


async def _waiting(db: Connection, xid: int, seq: int, floor_seq: int) -> tuple[int, int] | None:
    row = await db.fetchrow(queries.newest_waiting, xid, seq, floor_seq)
    return (row["xid"], row["seq"]) if row else None
