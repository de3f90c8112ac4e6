"""An app behind the hub, over HTTP: what goes up, what comes back. Bodies stream both ways and are not looked at."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import aiohttp
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection
from yarl import URL

from hub_api.errors import NotFound, Unavailable
from hub_api.platform.services import Services

# RFC 9110 §7.6.1: of one hop only. aiohttp and uvicorn set their own.
_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip
# What opens the hub stays in the hub; what an app says of the client's address is nothing of the client's.
_NOT_UP = _HOP | {"host", "cookie", "authorization", "x-csrf-token", "forwarded", "x-forwarded-for", "x-forwarded-host"}
_NOT_DOWN = _HOP | {"set-cookie", "server", "date", "strict-transport-security", "access-control-allow-origin"}
# For answers without a policy of their own. A worker's script has that of its own answer, so it is not the API's `none`.
APP_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
# Its UI answers in seconds; the file of a run's log may take longer, so only silence ends an answer.
LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120)


@asynccontextmanager
async def open_upstream(_: Services) -> AsyncIterator[aiohttp.ClientSession]:
    """For `services.shared`: connections to apps. Compressed answers pass as they are, and no cookie is kept."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, timeout=LIMITS, trust_env=False
    ) as session:
        yield session


def address(base: str | None, connection: HTTPConnection) -> URL:
    """Where the app serves this request: same path and query, as they were written. Raises NotFound without an app."""
    if base is None:
        raise NotFound("this app does not run with the hub")
    raw: bytes = connection.scope.get("raw_path") or connection.url.path.encode()
    query: bytes = connection.scope["query_string"]
    text = raw.partition(b"?")[0].decode("ascii") + (f"?{query.decode('ascii')}" if query else "")
    return URL(base.rstrip("/") + text, encoded=True)


def upward(connection: HTTPConnection) -> list[tuple[str, str]]:
    """The client's headers for the app, without what proves who he is."""
    return [(name, value) for name, value in connection.headers.items() if name.lower() not in _NOT_UP]


async def forward(session: aiohttp.ClientSession, request: Request, url: URL) -> StreamingResponse:
    """The app's answer. Raises Unavailable when it does not run."""
    reads = request.method not in ("GET", "HEAD")
    try:
        answer = await session.request(
            request.method,
            url,
            headers=upward(request),
            data=request.stream() if reads else None,
            allow_redirects=False,
        )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable("this app does not answer: it may be starting, try again") from error
    response = StreamingResponse(
        answer.content.iter_chunked(64 * 1024), answer.status, background=BackgroundTask(answer.release)
    )
    response.raw_headers = [*_downward(answer.headers.items())]
    response.headers.setdefault("Content-Security-Policy", APP_POLICY)
    return response


def _downward(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[bytes, bytes]]:
    for name, value in headers:
        if name.lower() not in _NOT_DOWN:
            yield name.lower().encode("latin-1"), value.encode("latin-1")
