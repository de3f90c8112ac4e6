"""The guard of WebSockets: who opens one is known and allowed before it is accepted, and stays so while it is open.

A browser comes with its cookie from a page of ours (`Origin`), a program with `Authorization`. A credential in the address is
refused, for addresses stand in logs and histories. A session that ends, or may no more, loses its open sockets within a
second; a socket that says too much is closed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import structlog
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from hub_api.auth import api_keys, sessions
from hub_api.auth.decide import demand
from hub_api.auth.identify import open_door, socket_caller
from hub_api.auth.principal import Principal
from hub_api.errors import TooMany, Unauthorized
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.5
UNKNOWN_FOR_S = 30.0  # so long PostgreSQL may be away before sockets end whose callers nobody can ask about
PER_SECOND, AT_ONCE = 20, 60  # messages that one socket may send, and so many in a burst
MOST_OPEN = 30  # sockets of one caller in one process: a person has some tabs, a program one connection
NOT_ALLOWED, TOO_MUCH = 1008, 1008  # RFC 6455 §7.4.1: the policy is broken


class Guarded:
    """An open socket of a caller who may use it: `caller` is what he is now, `receive` and `send` end with his permission."""

    def __init__(self, websocket: WebSocket, caller: Principal, permissions: frozenset[str]) -> None:
        self.websocket, self.caller, self.permissions = websocket, caller, permissions
        self.ended = asyncio.Event()
        self._room, self._at = float(AT_ONCE), asyncio.get_running_loop().time()

    async def accept(self, subprotocol: str | None = None) -> None:
        """Open it: until here the client sees a refused handshake."""
        await self.websocket.accept(subprotocol)

    async def receive(self) -> str | bytes:
        """The next message. Raises WebSocketDisconnect when the client is gone, may no more, or says too much."""
        receiving, ending = asyncio.ensure_future(self.websocket.receive()), asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait((receiving, ending), return_when=asyncio.FIRST_COMPLETED)
            if self.ended.is_set():
                await self._close(NOT_ALLOWED, "not allowed any more")
            message = receiving.result()
        finally:
            for one in (receiving, ending):
                one.cancel()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        self._spend()
        if self._room < 0:
            log.warning("socket_says_too_much", actor=self.caller.actor)
            await self._close(TOO_MUCH, "too many messages")
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    async def send(self, message: str) -> None:
        """Send a text. Raises WebSocketDisconnect once the caller may no more: nothing reaches him then."""
        if self.ended.is_set():
            await self._close(NOT_ALLOWED, "not allowed any more")
        await self.websocket.send_text(message)

    def _spend(self) -> None:
        now = asyncio.get_running_loop().time()
        self._room = min(float(AT_ONCE), self._room + (now - self._at) * PER_SECOND) - 1
        self._at = now

    async def _close(self, code: int, reason: str) -> None:
        with suppress(RuntimeError):  # the client was the first to close
            await self.websocket.close(code, reason)
        raise WebSocketDisconnect(code, reason)


class Sockets:
    """The open sockets of this process, whose callers are looked at again and again with one query for all."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open: set[Guarded] = set()

    def add(self, socket: Guarded) -> None:
        """Watch over a socket. Raises TooMany when its caller has too many."""
        if sum(one.caller.actor == socket.caller.actor for one in self._open) >= MOST_OPEN:
            raise TooMany(f"more than {MOST_OPEN} open sockets: close some", retry_after_s=5)
        self._open.add(socket)

    def remove(self, socket: Guarded) -> None:
        """It is closed."""
        self._open.discard(socket)

    async def watch(self) -> None:
        """Look at all callers twice a second, until cancelled."""
        loop = asyncio.get_running_loop()
        known_at = loop.time()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
                known_at = loop.time()
            except Exception as error:  # whatever it was: a socket that nobody watches must not stay open
                log.warning("sockets_not_checked", sockets=len(self._open), error=type(error).__name__)
                if loop.time() - known_at > UNKNOWN_FOR_S:
                    for socket in list(self._open):
                        socket.ended.set()

    async def look(self) -> None:
        """End the sockets of who may no more; the others know what their callers are now."""
        watched = list(self._open)  # whoever comes while PostgreSQL is asked was not asked about
        now = await self._callers(watched)
        for socket in watched:
            caller = now.get(_who(socket.caller))
            if caller is None or not any(map(caller.may, socket.permissions)):
                socket.ended.set()
            elif caller.kind == "user":  # of a key only whether it lives: its token may carry less than the key
                socket.caller = caller

    async def _callers(self, watched: Sequence[Guarded]) -> dict[UUID, Principal]:
        """What the callers of these sockets are now, by session or key; those that have ended are missing."""
        asked = {_who(one.caller): one.caller for one in watched}
        ids = [session_id for session_id, caller in asked.items() if caller.session_id is not None]
        found = await sessions.find_all(self._services.db, ids) if ids else {}
        for key_id, caller in asked.items():
            if caller.session_id is None:
                with suppress(Unauthorized):
                    found[key_id] = await api_keys.find_by_id(self._services, key_id)
        return found


@asynccontextmanager
async def open_sockets(services: Services) -> AsyncIterator[Sockets]:
    """For `services.shared`: one registry and one watcher a process."""
    opened = Sockets(services)
    watching = asyncio.create_task(opened.watch(), name="watch sockets")
    try:
        yield opened
    finally:
        watching.cancel()


@asynccontextmanager
async def watched(
    services: Services, websocket: WebSocket, caller: Principal, *permissions: str
) -> AsyncIterator[Guarded]:
    """The guarded socket of a caller who has one of these permissions now: it ends when he has none. Raises TooMany."""
    guarded, all_open = Guarded(websocket, caller, frozenset(permissions)), await services.shared(open_sockets)
    all_open.add(guarded)
    try:
        yield guarded
    finally:
        all_open.remove(guarded)


def require_socket(permission: str, *others: str) -> Callable[[WebSocket], Any]:
    """FastAPI dependency of a WebSocket route: the guarded socket, not accepted yet, of a caller who has `permission`, which he
    keeps or the socket ends, or one of `others`, of which he keeps any.

    The handshake is refused with a problem (401, 403, 429) before anything is accepted.
    """

    async def guard(websocket: WebSocket) -> AsyncIterator[Guarded]:
        services: Services = websocket.app.state.services
        caller = await socket_caller(await services.shared(open_door), websocket)
        needed = (permission,) if caller.may(permission) else others
        if not any(map(caller.may, needed)):
            demand(caller, permission)
        async with watched(services, websocket, caller, *needed) as guarded:
            yield guarded

    guard.permission = permission  # type: ignore[attr-defined]  # what the walk over all routes reads
    return guard


def _who(caller: Principal) -> UUID:
    return caller.session_id or caller.id


Handler = Callable[[Guarded, str | bytes], Awaitable[None]]


async def converse(guarded: Guarded, answer: Handler) -> None:
    """Accept, and give each message to `answer` until the client is gone or may no more."""
    await guarded.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await answer(guarded, await guarded.receive())
