"""The way in: send calls are answered where their bytes arrive, everything else goes to the routes.

At 2,000 to 8,000 calls a second a web framework costs more than the platform behind it. So a connection is ours for as
long as only plain send calls come over it, each read by a few searches and answered in the same turn of the loop. The
first request that is anything else (another route, a fault in force, a body in chunks) makes the connection the web
application's, for good: there is one judge of HTTP, and it is not this module.
"""

import asyncio
import re
from collections.abc import Callable

import orjson

from hub_api.simulator.core import Core
from hub_api.simulator.message_api import Hit, take_call

SEND_CALL = re.compile(rb"POST /v\d+\.\d+/([0-9A-Za-z]+)/(marketing_)?messages HTTP/1\.1\r\n")
MAX_HEAD_BYTES = 8_192
MAX_BODY_BYTES = 1_048_576
UNUSUAL = frozenset({b"transfer-encoding", b"content-encoding", b"expect", b"connection", b"upgrade"})
REASONS = {200: b"OK", 400: b"Bad Request", 401: b"Unauthorized", 403: b"Forbidden", 404: b"Not Found", 500: b"Internal Server Error", 503: b"Service Unavailable"}  # fmt: skip
HEAD = (
    b"HTTP/1.1 %d %b\r\nContent-Type: application/json; charset=UTF-8\r\nfacebook-api-version: v26.0\r\n"
    b"Content-Length: %d\r\n\r\n"
)


class Door(asyncio.Protocol):
    """One connection; `application` makes the protocol that takes over what is no plain send call."""

    def __init__(self, core: Core, application: Callable[[], asyncio.Protocol], open_doors: set["Door"]) -> None:
        self._core = core
        self._application = application
        self._open_doors = open_doors
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = transport  # type: ignore[assignment]
        self._open_doors.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The client has gone."""
        self._open_doors.discard(self)

    def close(self) -> None:
        """Cut the connection: the simulator stops."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer each whole call; what is half there waits for its rest."""
        self._buffer += data
        while self._buffer:
            taken = self._take()
            if taken is None:
                self._hand_over()
                return
            if not taken:
                return
            del self._buffer[:taken]

    def _take(self) -> int | None:
        """Answer the first call of the buffer: its length, 0 when it is not all there yet, None when it is not for us."""
        buffer = self._buffer
        found = SEND_CALL.match(buffer)
        if found is None or self._core.faults.rules:
            return None
        end = buffer.find(b"\r\n\r\n", found.end() - 2)
        if end < 0:
            return 0 if len(buffer) < MAX_HEAD_BYTES else None
        length, token = -1, b""
        for line in bytes(buffer[found.end() : end]).split(b"\r\n"):
            name, _, value = line.partition(b":")
            name = name.lower()
            if name == b"content-length" and value.strip().isdigit():
                length = int(value)
            elif name == b"authorization":
                token = value.strip()
            elif name in UNUSUAL:
                return None
        if not 0 <= length <= MAX_BODY_BYTES:
            return None
        start = end + 4
        if len(buffer) < start + length:
            return 0
        taken = take_call(
            self._core,
            found[1].decode(),
            token.removeprefix(b"Bearer ").decode("latin-1"),
            bytes(buffer[start : start + length]),
            marketing_api=found[2] is not None,
        )
        assert not isinstance(taken, Hit), "no fault is in force"  # noqa: S101 - checked above, in the same turn
        status, content = taken
        body = orjson.dumps(content)
        assert self._transport is not None  # noqa: S101 - data comes after the connection
        self._transport.write(HEAD % (status, REASONS.get(status, b"Error"), len(body)) + body)
        return start + length

    def _hand_over(self) -> None:
        assert self._transport is not None  # noqa: S101 - as above
        self._open_doors.discard(self)
        heir = self._application()
        self._transport.set_protocol(heir)
        heir.connection_made(self._transport)
        heir.data_received(bytes(self._buffer))
        self._buffer.clear()
