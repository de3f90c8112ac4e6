"""Asking clamd whether a file is infected, by its INSTREAM command (clamd(8): length-prefixed chunks, ended by length 0)."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

from hub_api.errors import HubError, Unavailable

CONNECT_S = 5.0
ANSWER_S = 120.0  # large archives take their time
CHUNK = 256 * 1024


class BadClamd(HubError):
    """HUB_CLAMD_URL names no clamd."""

    code = "bad_clamd_url"


class ScannerAway(Unavailable):
    """clamd cannot be reached, or did not judge the file: it stays unserved and is scanned later."""

    code = "scanner_away"


async def scan(url: str, content: AsyncIterator[bytes]) -> str | None:
    """The name of what was found in `content`, None when it is clean.

    `url`: tcp://host:port or unix:///path. Raises ScannerAway, also when clamd refuses the size, and BadClamd.
    """
    try:
        async with asyncio.timeout(ANSWER_S):
            return _judgement(await _ask(url, content))
    except (OSError, TimeoutError, EOFError) as error:
        raise ScannerAway(f"clamd at HUB_CLAMD_URL does not answer: {type(error).__name__}") from error


async def _ask(url: str, content: AsyncIterator[bytes]) -> str:
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await _connect(url)
    try:
        # When clamd has heard enough (its size limit) it answers and hangs up: the answer is read, not the broken pipe.
        with suppress(ConnectionError):
            writer.write(b"zINSTREAM\0")
            async for chunk in content:
                for at in range(0, len(chunk), CHUNK):
                    piece = chunk[at : at + CHUNK]
                    writer.write(struct.pack("!I", len(piece)) + piece)
                    await writer.drain()
            writer.write(struct.pack("!I", 0))
            await writer.drain()
        return (await reader.readuntil(b"\0"))[:-1].decode(errors="replace")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    if parts.scheme == "unix" and parts.path:
        return await asyncio.open_unix_connection(parts.path)
    if parts.scheme == "tcp" and parts.hostname and parts.port:
        return await asyncio.open_connection(parts.hostname, parts.port)
    raise BadClamd("HUB_CLAMD_URL must read tcp://host:port or unix:///path/to/clamd.ctl")


def _judgement(answer: str) -> str | None:
    if answer == "stream: OK":
        return None
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")[:200]
    raise ScannerAway(f"clamd did not judge the file: {answer[:200]}")
