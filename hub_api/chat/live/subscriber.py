"""One open socket: what it listens to, and what waits to be sent to it, within bounds."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from starlette.websockets import WebSocketDisconnect

from hub_api.auth.principal import Principal
from hub_api.auth.sockets import Guarded
from hub_api.chat import masking
from hub_api.chat.live.position import Position
from hub_api.platform.metrics import sockets_too_slow

MOST_WAITING = 1000  # frames
MOST_WAITING_CHARACTERS = 4_000_000
MOST_ROOMS = 50  # conversations that one socket may have open
TOO_SLOW = 4008


@dataclass(eq=False, slots=True)
class Listening:
    """A stream that a socket listens to, the inbox (`room` is None) or a conversation, and where it came in.

    While what it missed is read, frames are held back: they come after it, and `position` is how far it was told. From then
    on (`held` is None) it is told together with all others.
    """

    room: UUID | None
    position: Position
    held: list[tuple[str, Position]] | None = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Newest:
    """The place in line of a frame that a newer one of its kind replaces."""

    kind: str


class Subscriber:
    """The listener's side of a socket. Nothing here waits for the client: a slow one is cut off and comes back with its cursor."""

    def __init__(self, guarded: Guarded) -> None:
        self.guarded = guarded
        self.inbox: Listening | None = None
        self.rooms: dict[UUID, Listening] = {}
        self.teams = guarded.caller.teams
        self.alive_at = asyncio.get_running_loop().time()  # when it was told last that the socket lives
        self._waiting: asyncio.Queue[str | Newest] = asyncio.Queue()
        self._newest: dict[str, str] = {}  # by its mark, which waits in line in its place
        self._characters = 0
        self._sent = asyncio.Event()
        self.too_slow = asyncio.Event()

    @property
    def caller(self) -> Principal:
        """Who listens, as he is now."""
        return self.guarded.caller

    @property
    def sees_all(self) -> bool:
        """Whether frames show personal data as it is."""
        return masking.sees_all(self.caller)

    def sees(self, team: UUID | None, agent: UUID | None) -> bool:
        """Whether the caller sees a conversation of this team and agent: the rule of `sees` in SQL."""
        teams = self.caller.teams
        return teams is None or team is None or team in teams or (agent is not None and agent == self.caller.user_id)

    def listenings(self) -> Iterator[Listening]:
        """All that it listens to."""
        if self.inbox is not None:
            yield self.inbox
        yield from self.rooms.values()

    def put(self, frame: str) -> None:
        """Let a frame wait for sending; too many, and the socket is closed."""
        if self._is_full(frame):
            self._cut_off()
            return
        self._characters += len(frame)
        self._waiting.put_nowait(frame)

    def put_newest(self, kind: str, frame: str) -> None:
        """Let a frame wait that shows a whole state: one of the same kind that was not sent yet is replaced by it."""
        before = self._newest.get(kind)
        if before is None:
            if self._is_full(frame):
                self._cut_off()
                return
            self._waiting.put_nowait(Newest(kind))
        self._newest[kind] = frame
        self._characters += len(frame) - len(before or "")

    async def put_in_turn(self, frame: str) -> None:
        """The same for what a client asked to be told again, however much it is: wait for room."""
        while self._is_full(frame) and self._characters:
            self._sent.clear()
            await self._sent.wait()
        self.put(frame)

    def hold(self, listening: Listening, frames: list[str], position: Position) -> None:
        """Keep frames until what came before them was told; no more than may wait."""
        if listening.held is not None and len(listening.held) < MOST_WAITING:
            listening.held += [(frame, position) for frame in frames]
        else:
            self._cut_off()

    def _is_full(self, frame: str) -> bool:
        return self._waiting.qsize() >= MOST_WAITING or self._characters + len(frame) > MOST_WAITING_CHARACTERS

    def _cut_off(self) -> None:
        if not self.too_slow.is_set():
            sockets_too_slow.inc()
            self.too_slow.set()

    async def send(self) -> None:
        """Send what waits, until the client is gone, may no more, or is too slow."""
        slow = asyncio.ensure_future(self.too_slow.wait())
        sending = asyncio.ensure_future(self._send())
        try:
            await asyncio.wait((slow, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            slow.cancel()
            sending.cancel()
            await asyncio.gather(slow, sending, return_exceptions=True)
        if self.too_slow.is_set():
            with suppress(RuntimeError, WebSocketDisconnect):
                await self.guarded.websocket.close(TOO_SLOW, "too slow: come back with your cursor")

    async def _send(self) -> None:
        with suppress(WebSocketDisconnect):
            while True:
                taken = await self._waiting.get()
                frame = self._newest.pop(taken.kind) if isinstance(taken, Newest) else taken
                await self.guarded.send(frame)
                self._characters -= len(frame)
                self._sent.set()
