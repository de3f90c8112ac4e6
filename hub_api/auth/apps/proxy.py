"""An app behind the hub, over HTTP: what goes up, what comes back. Bodies stream both ways and are not looked at."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection
from yarl import URL

from hub_api.auth.apps import cookies
from hub_api.auth.apps.identity import is_claim
from hub_api.auth.apps.listed import Listed
from hub_api.errors import Unavailable
from hub_api.platform import request_info
from hub_api.platform.services import Services

# RFC 9110 §7.6.1: of one hop only. aiohttp and uvicorn set their own.
_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip
# What opens the hub stays in the hub. `Host` goes up as it came: apps compare it with `Origin` and make addresses of it.
# What `Expect` asks for, the hub has answered.
_NOT_UP = _HOP | {"cookie", "authorization", "x-csrf-token", "forwarded", "expect"}
# Of the whole address, not of an app: whether to keep other sites out, what browsers keep, whose script sees every request.
_OF_THE_HUB = {"strict-transport-security", "access-control-allow-origin", "clear-site-data", "service-worker-allowed"}
_NOT_DOWN = _HOP | _OF_THE_HUB | {"set-cookie", "server", "date"}
# For answers without a policy of their own. A worker's script has that of its own answer, so it is not the API's `none`.
APP_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
# Pages answer in seconds; the file of a run's log may take longer, so only silence ends an answer.
LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120)


@asynccontextmanager
async def open_upstream(_: Services) -> AsyncIterator[aiohttp.ClientSession]:
    """For `services.shared`: connections to apps. Compressed answers pass as they are, and no cookie is kept."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, timeout=LIMITS, trust_env=False
    ) as session:
        yield session


def address(app: Listed, connection: HTTPConnection) -> URL:
    """Where the app serves this request: the path that the browser asked for, and the query, as they were written."""
    return URL(app.url + app.root + written(connection), encoded=True)


def written(connection: HTTPConnection) -> str:
    """Path and query of a request, escaped as the client escaped them."""
    raw: bytes = connection.scope.get("raw_path") or connection.url.path.encode()
    query: bytes = connection.scope["query_string"]
    return raw.partition(b"?")[0].decode("ascii") + (f"?{query.decode('ascii')}" if query else "")


def upward(app: Listed, connection: HTTPConnection, identity: Mapping[str, str]) -> list[tuple[str, str]]:
    """The client's headers for the app, without what proves or claims who he is, and with what the hub knows of it."""
    of_this_hop = _NOT_UP | {
        one.strip().lower() for one in ",".join(connection.headers.getlist("connection")).split(",")
    }
    passed = [(n, v) for n, v in connection.headers.items() if n.lower() not in of_this_hop and not is_claim(n)]
    if own := cookies.upward("; ".join(connection.headers.getlist("cookie"))):
        passed.append(("Cookie", own))
    told = {
        **identity,
        "X-Forwarded-For": request_info.current.get().address or "",
        "X-Forwarded-Host": connection.headers.get("host", ""),
        "X-Forwarded-Proto": {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme),
        "X-Forwarded-Prefix": app.root + app.prefix.rstrip("/"),
    }
    return [*passed, *told.items()]


async def forward(
    session: aiohttp.ClientSession, app: Listed, request: Request, identity: Mapping[str, str]
) -> StreamingResponse:
    """The app's answer. Raises Unavailable when it does not run."""
    # Whatever the method, RFC 9112 §6.3: a length that is told without its body makes the app take the next request of
    # this connection, another person's, for that body.
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    try:
        answer = await session.request(
            request.method,
            address(app, request),
            headers=upward(app, request, identity),
            data=request.stream() if has_body else None,
            allow_redirects=False,
        )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable("this app does not answer: it may be starting, try again") from error
    response = StreamingResponse(
        answer.content.iter_chunked(64 * 1024), answer.status, background=BackgroundTask(answer.release)
    )
    response.raw_headers = _downward(app, answer)
    response.headers.setdefault("Content-Security-Policy", APP_POLICY)
    return response


def _downward(app: Listed, answer: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    passed = [(name.lower(), value) for name, value in answer.headers.items() if name.lower() not in _NOT_DOWN]
    passed = [(name, _public(app, value) if name == "location" else value) for name, value in passed]
    passed += [("set-cookie", one) for one in cookies.downward(answer.headers.getall("Set-Cookie", []), app.prefix)]
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in passed]


def _public(app: Listed, location: str) -> str:
    """A redirect to the app's own address as browsers know it."""
    inner, given = urlsplit(app.url), urlsplit(location)
    if given.netloc and given.netloc == inner.netloc:
        return given._replace(scheme="", netloc="").geturl()
    return location
