"""How a result travels: out of the engine through a pipe, into the response as it comes."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import IO

from aiohttp import web

from hub_api.embedded.warehouse import protocol
from hub_api.embedded.warehouse.compression import choose, compressor
from hub_api.embedded.warehouse.errors import WarehouseError
from hub_api.embedded.warehouse.protocol import Call
from hub_api.embedded.warehouse.run_call import Outcome

_PIPE_BYTES = 1024**2
_HEAD_BYTES = 256 * 1024  # a result up to this size is complete before the answer begins: real status, real summary
_SPOOL_BYTES = 16 * 1024**2


@dataclass
class Running:
    """A statement that is running: what it was asked, what is known of it, its end, its result so far."""

    call: Call
    outcome: Outcome
    work: "asyncio.Future[None]"
    result: asyncio.StreamReader


@asynccontextmanager
async def open_pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """A pipe: its reading end for the loop, closed at the end, and its writing end, which the writer closes."""
    read_end, write_end = os.pipe()
    with suppress(OSError, AttributeError):  # more than the default where the system allows it
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    reader = asyncio.StreamReader(limit=_PIPE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
    )
    try:
        yield reader, write_end
    finally:
        transport.close()


async def respond(request: web.Request, running: Running, headers: dict[str, str], version: str) -> web.StreamResponse:
    """Send the statement's result. Raises WarehouseError: before the answer began, to be told as one; after it began,
    already told in the body, and the connection is broken off so that nobody takes it for complete."""
    outcome = running.outcome
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as head:
        complete = await _fill(head, running.result, None if running.call.wait_end else _HEAD_BYTES)
        if complete:
            await running.work
            headers["X-ClickHouse-Summary"] = protocol.summary(outcome.stats)
        if outcome.format:
            headers["X-ClickHouse-Format"] = outcome.format
        headers["Content-Type"] = protocol.content_type(outcome.format or running.call.default_format)
        return await _send(request, headers, head, None if complete else running, version)


async def _fill(head: IO[bytes], result: asyncio.StreamReader, limit: int | None) -> bool:
    """Read the result into `head`, up to about `limit` bytes; whether that was all of it. `head` is rewound."""
    complete = False
    while limit is None or head.tell() < limit:
        chunk = await result.read(_PIPE_BYTES)
        if not chunk:
            complete = True
            break
        head.write(chunk)
    head.seek(0)
    return complete


async def _send(
    request: web.Request, headers: dict[str, str], head: IO[bytes], rest: Running | None, version: str
) -> web.StreamResponse:
    encoding = _encoding(request)
    if encoding:
        headers["Content-Encoding"] = encoding
    exception_tag = os.urandom(8).hex()
    if rest:
        headers["X-ClickHouse-Exception-Tag"] = exception_tag
    response = web.StreamResponse(headers=headers)
    if rest is None and encoding is None:
        response.content_length = head.seek(0, os.SEEK_END)
        head.seek(0)
    press = compressor(encoding) if encoding else None
    await response.prepare(request)
    async for chunk in _chunks(head, rest.result if rest else None):
        piece = await asyncio.to_thread(press.compress, chunk) if press else chunk
        if piece:
            await response.write(piece)
    if rest and (error := await _late_error(rest.work)):
        block = protocol.exception_block(error.text(version), exception_tag)
        await response.write((press.compress(block) + press.flush()) if press else block)
        if request.transport:
            request.transport.close()
        raise error
    if press and (end := press.flush()):
        await response.write(end)
    await response.write_eof()
    return response


def _encoding(request: web.Request) -> str | None:
    """Compression is given to those who ask for it twice, as ClickHouse wants it: by setting and by header."""
    if request.query.get("enable_http_compression", "0") in ("", "0"):
        return None
    return choose(request.headers.get("Accept-Encoding", ""))


async def _chunks(head: IO[bytes], rest: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    while chunk := head.read(_PIPE_BYTES):
        yield chunk
    while rest is not None and (chunk := await rest.read(_PIPE_BYTES)):
        yield chunk


async def _late_error(work: "asyncio.Future[None]") -> WarehouseError | None:
    try:
        await work
    except WarehouseError as error:
        return error
    return None
