"""The live streams of a process: one reader of events, and every open socket told what it listens to and may see.

PostgreSQL is the only source: nothing is lost with Redis, and any process can go on where another one stopped. A frame shows a
row as it is now, so it may be told twice and never wrongly.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from hub_api.chat import views
from hub_api.chat.live import frames
from hub_api.chat.live.listeners import Hearing, Listeners
from hub_api.chat.live.position import Position, TooOld, cursor_of, read_cursor
from hub_api.chat.live.subscriber import MOST_ROOMS, Listening, Subscriber
from hub_api.chat.live.tail import Tail, Told, queries, told
from hub_api.chat.viewed import note_view
from hub_api.errors import Forbidden, TooMany
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.metrics import sockets_open
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

PERMISSION = "conversations:read"  # of the inbox and of conversations; boards have their own
LOOK_EVERY_S = 0.02
RETRY_S = 0.5
ALIVE_EVERY_S = 15.0
CHECK_EVERY_S = 0.25

Scope = tuple[UUID | None, UUID | None]  # team of the queue, agent
Tap = Callable[[Told], Awaitable[None]]  # told of everything that is read, for listeners who are no agents


class Streams:
    """Of one process: `subscribe` from a socket's task, while `run` tells what happens."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tail = Tail(services.db)
        self._listeners = Listeners()
        self._told = Position(0)  # so far everybody was told who listens and holds nothing back
        self._scopes: dict[UUID, Scope] = {}  # of conversations under way: whom a change takes them from
        self._merged: dict[UUID, UUID] = {}  # conversations that are read with another
        self._wanted, self._began = asyncio.Event(), asyncio.Event()
        self._tap: Tap | None = None

    def add(self, subscriber: Subscriber) -> None:
        """A socket opened."""
        self._listeners.all.add(subscriber)
        sockets_open.inc()
        self._wanted.set()

    def remove(self, subscriber: Subscriber) -> None:
        """It closed."""
        self._listeners.remove(subscriber)
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
        return self._listeners.in_room(conversation_id)

    def unsubscribe(self, subscriber: Subscriber, room: UUID | None) -> bool:
        """Tell a socket no more of a conversation, or of the inbox; whether it listened to it."""
        return self._listeners.stop(subscriber, room)

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
        self._listeners.listen(subscriber, listening)
        try:
            for text in await self._missed(subscriber, listening, earlier):
                await subscriber.put_in_turn(text)
        except TooOld:
            subscriber.put(frames.frame(type="reset", **named))
        except BaseException:
            self._listeners.forget(subscriber, listening)
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
        room = listening.room
        conversations = what.conversations if room is None else what.conversations & {room}
        messages = {room: what.messages[room]} if room in what.messages else {}
        batch = await frames.load(self._services, conversations, messages)
        return frames.progress(earlier, listening.position, self._frames(subscriber, listening, what, batch, {}))

    async def run(self) -> None:
        """Read and tell, as long as somebody listens; until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                if not self._began.is_set():
                    await self._begin()
                come_from = self._tail.position
                rows, more = await self._tail.read()
                if rows:
                    what = told(rows, self._merged)
                    # At the same moment: who comes later was told of these by `subscribe`.
                    try:
                        await self._tell(what, self._hearing(what))
                    except RETRYABLE:  # what cannot be read now is told after the next look
                        self._tail.position = come_from
                        raise
                    if self._tap is not None:
                        await self._tap(told(rows, {}))  # whoever is no agent reads each conversation by itself
                if not self._listeners.all and self._tap is None:
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
        self._told = self._tail.position
        self._began.set()

    def _hearing(self, what: Told) -> Hearing:
        return self._listeners.of(what.conversations | what.messages.keys(), inbox=bool(what.conversations))

    async def _tell(self, what: Told, hearing: Hearing) -> None:
        """One change is read and written once, however many hear of it; who does not hear of it costs nothing."""
        after = self._tail.position
        messages = {room: ids for room, ids in what.messages.items() if self._listeners.has(room)}
        batch = await frames.load(self._services, what.conversations, messages)
        before, told_before = self._moved(batch), self._told
        written: dict[tuple[Position, tuple[frames.Frame, ...]], list[str]] = {}
        for subscriber, listening in hearing:
            if not subscriber.caller.may(PERMISSION):
                self._listeners.forget(subscriber, listening)
                continue
            _note_teams(subscriber)
            found = tuple(self._frames(subscriber, listening, what, batch, before))
            since = told_before if listening.held is None else listening.position
            if (texts := written.get((since, found))) is None:
                texts = written[since, found] = frames.progress(since, after, found)
            if listening.held is not None:
                subscriber.hold(listening, texts, after)
                continue
            for text in texts:
                subscriber.put(text)
        self._told = after

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

    def _frames(
        self,
        subscriber: Subscriber,
        listening: Listening,
        what: Told,
        batch: frames.Batch,
        before: dict[UUID, Scope],
    ) -> list[frames.Frame]:
        """Templates of frames with their values, for this listener."""
        caller, sees_all = subscriber.caller, subscriber.sees_all
        if (room := listening.room) is not None:
            row = batch.conversations.get(room)
            if row is not None and not subscriber.sees(row["team_id"], row["agent_id"]):
                self._listeners.stop(subscriber, room)
                return [(frames.LEFT, (room,))]
            return [(frames.MESSAGE, (room, text)) for text in batch.messages_of(room, caller, sees_all)]
        found: list[frames.Frame] = []
        for conversation_id in what.conversations:
            if (row := batch.conversations.get(conversation_id)) is None:
                continue
            if subscriber.sees(row["team_id"], row["agent_id"]):
                found.append((frames.INBOX, (batch.conversation(conversation_id, caller, sees_all),)))
            elif conversation_id in before and subscriber.sees(*before[conversation_id]):
                found.append((frames.GONE, (conversation_id,)))
        return found

    async def keep_alive(self) -> None:
        """Say now and then that the socket lives, and how far each of its streams is, until cancelled: to each socket at a
        moment of its own, for thousands at once would hold up the talk."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            now, cursor = loop.time(), cursor_of(self._told)
            for subscriber in list(self._listeners.all):
                _note_teams(subscriber)
                if now - subscriber.alive_at < ALIVE_EVERY_S:
                    continue
                subscriber.alive_at = now
                streams = [
                    {"stream": "inbox", "cursor": cursor}
                    if one.room is None
                    else {"stream": "conversation", "id": one.room, "cursor": cursor}
                    for one in subscriber.listenings()
                    if one.held is None
                ]
                subscriber.put(frames.frame(type="alive", streams=streams))


def _note_teams(subscriber: Subscriber) -> None:
    """Who sees other conversations than before reads them by REST: his inbox is another one."""
    if subscriber.teams != subscriber.caller.teams:
        subscriber.teams = subscriber.caller.teams
        if any(subscriber.listenings()):
            subscriber.put(frames.frame(type="reset", stream="inbox"))


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
