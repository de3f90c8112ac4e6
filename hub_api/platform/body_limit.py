"""No request body is read past its limit: told by Content-Length at once, otherwise counted as it comes."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_api.platform.web import problem

MEGABYTE = 1024 * 1024


class TooLarge(HTTPException):
    """The body passed its limit while it was read. FastAPI would call any other exception a body that cannot be parsed."""


class BodyLimit:
    """ASGI middleware: 413 for a body over `limit` bytes; `larger` gives path prefixes more (uploads, whose routes stream)."""

    def __init__(self, app: ASGIApp, limit: int = 8 * MEGABYTE, larger: Mapping[str, int] | None = None) -> None:
        self.app, self.limit, self.larger = app, limit, dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = max(
            (size for prefix, size in self.larger.items() if scope["path"].startswith(prefix)), default=self.limit
        )
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > limit:
            await problem(413, "too_large", _words(limit))(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise TooLarge(413, _words(limit))
            return message

        await self.app(scope, receive_counted, send)


def _words(limit: int) -> str:
    return f"a body of this path has at most {limit} bytes"
