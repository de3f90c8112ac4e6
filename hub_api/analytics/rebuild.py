"""The events of a lost warehouse: from the lake what it has, from PostgreSQL the rest. The relay waits meanwhile."""

import asyncio

import structlog

from hub_api.analytics.relay import LOCK, connect_postgres, queries, relay_until_empty
from hub_api.errors import Unavailable
from hub_api.platform.clickhouse import apply_schema
from hub_api.platform.lake.restore import restore
from hub_api.platform.lake.tables import EVENTS
from hub_api.platform.pgtypes import Connection
from hub_api.settings import Settings

log = structlog.get_logger(__name__)

PAUSE_S, PATIENCE_S = 0.05, 30.0
RELAY_S = 3600.0


async def restore_events(settings: Settings) -> tuple[int, int]:
    """Make the tables, insert the lake's events that are not there, then relay what the warehouse still lacks.

    Returns the days taken from the lake and the events relayed by this call (a relay that waits may take them over). The
    relay must not send meanwhile: it would find an empty warehouse and send again what the lake is about to bring. So this
    takes its place; its session is ended, which a relay survives.
    """
    await asyncio.to_thread(apply_schema, settings)
    db = await connect_postgres(settings)
    try:
        await _take_the_relays_place(db)
        restored = await restore(settings, [EVENTS])
    finally:
        await db.close()
    return restored.get(EVENTS, 0), await relay_until_empty(settings, deadline_s=RELAY_S)


async def _take_the_relays_place(db: Connection) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not await db.fetchval(queries.try_lock, LOCK):
        if ended := await db.fetchval(queries.end_relay_sessions, LOCK):
            log.info("relay_sessions_ended", count=ended)
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable("the relay does not give its place up: stop it (`hub relay`), then try again")
        await asyncio.sleep(PAUSE_S)
