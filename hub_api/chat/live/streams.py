"""The live streams of a process: one reader of events, and every open socket told what it listens to and may see.

PostgreSQL is the only source: nothing is lost with Redis, and any process can go on where another one stopped. A frame shows a
row as it is now, so it may be told twice and never wrongly.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog

from hub_api.chat import views
from hub_api.chat.live import frames
from hub_api.chat.live.position import Position, TooOld, cursor_of, read_cursor
from hub_api.chat.live.subscriber import MOST_ROOMS, Listening, Subscriber
from hub_api.chat.live.tail import Tail, Told, queries, told
from hub_api.chat.viewed import note_view
from hub_api.errors import Forbidden, TooMany
from hub_api.platform.metrics import sockets_open
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

PERMISSION = "conversations:read"  # of the inbox and of conversations; boards have their own
LOOK_EVERY_S = 0.02
RETRY_S = 0.5
ALIVE_EVERY_S = 15.0

Scope = tuple[UUID | None, UUID | None]  # team of the queue, agent
Tap = Callable[[Told], Awaitable[None]]  # told of everything that is read, for listeners who are no agents


class Streams:
    """Of one process: `subscribe` from a socket's task, while `run` tells what happens."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tail = Tail(services.db)
        self._subscribers: set[Subscriber] = set()
        self._scopes: dict[UUID, Scope] = {}  # of conversations under way: whom a change takes them from
        self._merged: dict[UUID, UUID] = {}  # conversations that are read with another
        self._wanted, self._began = asyncio.Event(), asyncio.Event()
        self._tap: Tap | None = None

    def add(self, subscriber: Subscriber) -> None:
        """A socket opened."""
        self._subscribers.add(subscriber)
        sockets_open.inc()
        self._wanted.set()

    def remove(self, subscriber: Subscriber) -> None:
        """It closed."""
        self._subscribers.discard(subscriber)
        sockets_open.dec()

    async def tap(self, heard: Tap) -> None:
        """Tell `heard` of what happens until `untap`: whatever commits after this returns reaches it."""
        self._tap = heard
        self._wanted.set()
        await asyncio.wait_for(self._began.wait(), timeout=10)

    def untap(self) -> None:
        """Nobody listens there any more."""
        self._tap = None

    def in_room(self, conversation_id: UUID) -> list[Subscriber]:
        """Who has this conversation open."""
        return [one for one in self._subscribers if conversation_id in one.rooms]

    async def subscribe(self, subscriber: Subscriber, room: UUID | None, after: str | None) -> None:
        """Tell a socket of the inbox, or of a conversation, from `after` on. Raises Forbidden, NotFound, TooMany, Invalid.

        What lies too far back is not told again: the socket gets a `reset`, reads by REST and goes on from here.
        """
        if not subscriber.caller.may(PERMISSION):
            raise Forbidden(f"this stream needs the permission {PERMISSION}")
        await asyncio.wait_for(self._began.wait(), timeout=10)
        if room is not None:
            if room not in subscriber.rooms and len(subscriber.rooms) >= MOST_ROOMS:
                raise TooMany(f"more than {MOST_ROOMS} conversations are open: leave some", retry_after_s=1)
            await views.find_conversation(self._services, subscriber.caller, str(room))
            await note_view(self._services, subscriber.caller, "conversation", [room], "live")
        named = {"stream": "inbox"} if room is None else {"stream": "conversation", "id": room}
        try:
            earlier = read_cursor(after) if after is not None else None
        except TooOld:
            earlier = None
            subscriber.put(frames.frame(type="reset", **named))
        listening = Listening(room, self._tail.position)
        if room is None:
            subscriber.inbox = listening
        else:
            subscriber.rooms[room] = listening
        try:
            for text in await self._missed(subscriber, listening, earlier):
                await subscriber.put_in_turn(text)
        except TooOld:
            subscriber.put(frames.frame(type="reset", **named))
        except BaseException:
            subscriber.forget(listening)
            raise
        await subscriber.put_in_turn(frames.frame(type="subscribed", cursor=cursor_of(listening.position), **named))
        while listening.held:  # more may come while these wait for their turn
            text, listening.position = listening.held.pop(0)
            await subscriber.put_in_turn(text)
        listening.held = None

    async def _missed(self, subscriber: Subscriber, listening: Listening, earlier: Position | None) -> list[str]:
        """The frames of what lies between a cursor and the place where the listener came in. Raises TooOld."""
        if earlier is None:
            return []
        what = told(await self._tail.between(earlier, listening.position), self._merged)
        batch = await self._load(what, [subscriber])
        return frames.progress(earlier, listening.position, _frames(subscriber, listening, what, batch, {}))

    async def run(self) -> None:
        """Read and tell, as long as somebody listens; until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                if not self._began.is_set():
                    await self._begin()
                rows, more = await self._tail.read()
                # At the same moment: who comes later was told of these by `subscribe`.
                hearing = [(one, listening) for one in self._subscribers for listening in one.listenings()]
                if rows:
                    await self._tell(rows, hearing)
                    if self._tap is not None:
                        await self._tap(told(rows, {}))  # whoever is no agent reads each conversation by itself
                if not self._subscribers and self._tap is None:
                    self._wanted.clear()
                    self._began.clear()
                elif not more:
                    await asyncio.sleep(LOOK_EVERY_S)
            except Exception as error:  # whatever it was, every open socket waits for the next look
                log.warning("live_interrupted", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)

    async def _begin(self) -> None:
        await self._tail.begin()
        self._scopes = {
            row["id"]: (row["team_id"], row["agent_id"]) for row in await self._services.db.fetch(queries.scopes)
        }
        self._merged = {row["id"]: row["merged_into"] for row in await self._services.db.fetch(queries.merged)}
        self._began.set()

    async def _tell(self, rows: list[Row], hearing: list[tuple[Subscriber, Listening]]) -> None:
        what, after = told(rows, self._merged), self._tail.position
        batch = await self._load(what, {subscriber for subscriber, _ in hearing})
        before = self._moved(batch)
        for subscriber, listening in hearing:
            if not subscriber.caller.may(PERMISSION):
                subscriber.forget(listening)
                continue
            if subscriber.teams != subscriber.caller.teams:
                subscriber.teams = subscriber.caller.teams
                subscriber.put(frames.frame(type="reset", stream="inbox"))
            found = _frames(subscriber, listening, what, batch, before)
            texts = frames.progress(listening.position, after, found)
            if listening.held is not None:
                subscriber.hold(listening, texts, after)
                continue
            for text in texts:
                subscriber.put(text)
            listening.position = after

    async def _load(self, what: Told, subscribers: Collection[Subscriber]) -> frames.Batch:
        rooms = {room for one in subscribers for room in one.rooms}
        messages = {room: ids for room, ids in what.messages.items() if room in rooms}
        return await frames.load(self._services, what.conversations, messages)

    def _moved(self, batch: frames.Batch) -> dict[UUID, Scope]:
        """Who saw the changed conversations before; from now on it is who sees them now."""
        before = {}
        for conversation_id, row in batch.conversations.items():
            before[conversation_id] = self._scopes.get(conversation_id, (row["team_id"], row["agent_id"]))
            if row["merged_into"] is not None:
                self._merged[conversation_id] = row["merged_into"]
            if row["state"] in ("resolved", "closed"):
                self._scopes.pop(conversation_id, None)
            else:
                self._scopes[conversation_id] = (row["team_id"], row["agent_id"])
        return before

    async def keep_alive(self) -> None:
        """Say now and then that the socket lives, and how far each of its streams is, until cancelled."""
        while True:
            await asyncio.sleep(ALIVE_EVERY_S)
            for subscriber in list(self._subscribers):
                streams = [
                    {"stream": "inbox", "cursor": cursor_of(one.position)}
                    if one.room is None
                    else {"stream": "conversation", "id": one.room, "cursor": cursor_of(one.position)}
                    for one in subscriber.listenings()
                    if one.held is None
                ]
                subscriber.put(frames.frame(type="alive", streams=streams))


def _frames(
    subscriber: Subscriber, listening: Listening, what: Told, batch: frames.Batch, before: dict[UUID, Scope]
) -> list[tuple[str, tuple[Any, ...]]]:
    """Templates of frames with their values, for this listener."""
    caller, sees_all = subscriber.caller, subscriber.sees_all
    if listening.room is not None:
        row = batch.conversations.get(listening.room)
        if row is not None and not subscriber.sees(row["team_id"], row["agent_id"]):
            subscriber.rooms.pop(listening.room, None)
            return [(frames.LEFT, (listening.room,))]
        return [
            (frames.MESSAGE, (listening.room, text)) for text in batch.messages_of(listening.room, caller, sees_all)
        ]
    found: list[tuple[str, tuple[Any, ...]]] = []
    for conversation_id in what.conversations:
        if (row := batch.conversations.get(conversation_id)) is None:
            continue
        if subscriber.sees(row["team_id"], row["agent_id"]):
            found.append((frames.INBOX, (batch.conversation(conversation_id, caller, sees_all),)))
        elif conversation_id in before and subscriber.sees(*before[conversation_id]):
            found.append((frames.GONE, (conversation_id,)))
    return found


@asynccontextmanager
async def open_streams(services: Services) -> AsyncIterator[Streams]:
    """For `services.shared`: one reader a process."""
    streams = Streams(services)
    tasks = [asyncio.create_task(streams.run(), name="live"), asyncio.create_task(streams.keep_alive(), name="alive")]
    try:
        yield streams
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
