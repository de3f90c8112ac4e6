"""A file as an HTTP answer: ranges, a type the browser may not guess over, and no way to run in our origin."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

from hub_api.errors import Conflict, HubError
from hub_api.platform.pgtypes import Row
from hub_api.whatsapp.media.store import Store

# Shown in the page; anything else is offered for saving. SVG and HTML are not even kept as such.
INLINE = {
    "image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/3gpp", "audio/ogg", "audio/mpeg",
    "audio/aac", "audio/amr", "audio/mp4",
}  # fmt: skip
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


class NotServable(Conflict):
    """The file may not be shown: it is not here yet, is infected, or is gone; `state` says which."""

    code = "media_not_available"


class BadRange(HubError):
    """The range lies outside the file."""

    status, code = 416, "range_not_satisfiable"


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (exclusive) of a file."""

    start: int
    end: int


def span_of(header: str | None, size: int) -> Span | None:
    """The one range that a Range header asks for (RFC 9110 §14.1.2); None: serve it all. Raises BadRange.

    Several ranges, and units other than bytes, are answered with the whole, which the RFC allows.
    """
    match = _RANGE.match((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < int(match[1]):
            return None
    if start >= size or start >= end:
        raise BadRange(f"the file has {size} bytes", size=size)
    return Span(start, end)


async def serve(store: Store, media: Row, range_header: str | None, *, download: bool) -> Response:
    """The content of `media` as it may be shown. Raises NotServable, BadRange, NotFound."""
    if media["state"] != "stored":
        raise NotServable(f"media {media['id']} is {media['state']}", state=media["state"], reason=media["reason"])
    size, mime_type = media["size_bytes"], media["mime_type"]
    inline = mime_type in INLINE and not download
    span = span_of(range_header, size)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=300",
        "Content-Disposition": disposition(media["filename"], inline=inline),
        "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "ETag": f'"{bytes(media["sha256"]).hex()}"',
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    shown = span or Span(0, size)
    headers["Content-Length"] = str(shown.end - shown.start)
    if span:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    # The first bytes are read before the answer begins: content that is gone is a 404 and no broken 200.
    content = store.read(bytes(media["sha256"]), shown.start, shown.end)
    first = await anext(content, b"")
    return StreamingResponse(
        _joined(first, content), 206 if span else 200, headers=headers, media_type=_safe_type(mime_type)
    )


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _safe_type(mime_type: str) -> str:
    return "text/plain; charset=utf-8" if mime_type == "text/plain" else mime_type


def disposition(filename: str | None, *, inline: bool) -> str:
    """Content-Disposition with the name in both forms (RFC 6266); `attachment` unless `inline`."""
    word = "inline" if inline else "attachment"
    if not filename:
        return word
    plain = filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return f"{word}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
