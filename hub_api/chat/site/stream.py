"""The visitors who are connected to this process, each told what happens in the conversations that he sees.

The reader of events is the agents' (chat/live/streams.py). Frames show rows as they are now, so one told twice does no harm;
whoever was away is told all since his last message (and a little before it: ids are made before they are committed).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog

from hub_api.chat.live.streams import Streams
from hub_api.chat.live.tail import Told
from hub_api.chat.site.keep import queries
from hub_api.chat.site.shown import message_frame, talk_frame
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

MOST_WAITING = 300  # frames that may wait for one visitor
MOST_TOLD_AGAIN = 500
REMEMBERED = timedelta(days=90)
# A message's id is older than its commit by so much at most; clocks of two processes differ by less.
MARGIN = timedelta(minutes=2)


class Connection:
    """An open widget: what waits to be sent to it, and who is behind it once he agreed."""

    def __init__(self, site: Row) -> None:
        self.site = site
        self.visitor: Row | None = None
        self.waiting: asyncio.Queue[str] = asyncio.Queue()
        self.lost = asyncio.Event()  # too slow, or what it missed cannot be told: it comes back
        self._told: dict[str, dict[str, Any]] = {}  # messages as they were told last: what stays the same is told once

    def put(self, **frame: Any) -> None:
        """Let a frame wait for sending; too many, and the socket ends."""
        if self.waiting.qsize() >= MOST_WAITING:
            self.lost.set()
        else:
            self.waiting.put_nowait(orjson.dumps(frame, default=str).decode())

    def put_message(self, row: Row) -> None:
        """Tell a message, unless it was told as it is."""
        assert self.visitor is not None  # noqa: S101 - messages are some visitor's
        shown = message_frame(dict(row), self.visitor["id"])
        if self._told.get(shown["id"]) != shown:
            self._told[shown["id"]] = shown
            self.put(type="message", data=shown)


class Visitors:
    """Of one process: connections by visitor."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._connected: dict[UUID, set[Connection]] = {}
        self._streams: Streams | None = None

    async def join(self, streams: Streams, connection: Connection, after: UUID | None) -> None:
        """Tell a connection whose visitor is known what he missed since `after`, then what happens from here on."""
        assert connection.visitor is not None  # noqa: S101 - the caller's part
        visitor_id = connection.visitor["id"]
        self._connected.setdefault(visitor_id, set()).add(connection)
        self._streams = streams
        await streams.tap(self.hear)  # from here on nothing is missed; what is read below may come twice
        since = datetime.now(UTC) - REMEMBERED if after is None else _made_at(after) - MARGIN
        rows = await self._services.db.fetch(queries.history, visitor_id, since, MOST_TOLD_AGAIN)
        if after is None or len(rows) == MOST_TOLD_AGAIN:
            connection.put(type="reset")
        for row in rows:
            connection.put_message(row)
        await self.tell_talk(connection)
        connection.put(type="ready")

    def leave(self, connection: Connection) -> None:
        """It is closed, or becomes somebody else's."""
        if connection.visitor is not None:
            mine = self._connected.get(connection.visitor["id"], set())
            mine.discard(connection)
            if not mine:
                self._connected.pop(connection.visitor["id"], None)
        if not self._connected and self._streams is not None:
            self._streams.untap()  # events are read only while somebody listens

    async def tell_talk(self, connection: Connection) -> None:
        """Where his conversation stands, the place in line too."""
        if connection.visitor is not None:
            row = await self._services.db.fetchrow(queries.talk, connection.visitor["id"])
            connection.put(type="talk", data=talk_frame(dict(row) if row else None))

    async def hear(self, told: Told) -> None:
        """What a batch of events means for who is connected. Whoever could not be told comes back and asks."""
        if not self._connected:
            return
        try:
            concerned = list(told.conversations | told.messages.keys())
            for row in await self._services.db.fetch(queries.watched, concerned, list(self._connected)):
                await self._tell(row["visitor_id"], row["conversation_id"], told)
        except Exception as error:  # the reader goes on for everybody else
            log.warning("visitors_not_told", error=type(error).__name__)
            for connection in [one for mine in self._connected.values() for one in mine]:
                connection.lost.set()

    async def _tell(self, visitor_id: UUID, conversation_id: UUID, told: Told) -> None:
        mine = list(self._connected.get(visitor_id, ()))
        ids = list(told.messages.get(conversation_id, ()))
        if ids and mine:
            oldest = _made_at(min(ids)) - timedelta(hours=1)
            for row in await self._services.db.fetch(queries.shown, conversation_id, ids, oldest, visitor_id):
                for connection in mine:
                    connection.put_message(row)
        if conversation_id in told.conversations:
            for connection in mine:
                await self.tell_talk(connection)


def _made_at(message_id: UUID) -> datetime:
    """When a UUIDv7 was made; one from a far time counts as old."""
    millis = message_id.int >> 80
    return datetime.fromtimestamp(min(millis, 4_102_444_800_000) / 1000, UTC)


@asynccontextmanager
async def open_visitors(services: Services) -> AsyncIterator[Visitors]:
    """For `services.shared`: one registry a process."""
    yield Visitors(services)
