"""Meta's door: verify, store, answer 200 after the commit. Nothing else happens here (channel document §2).

A raw ASGI application, since FastAPI's layer would cost this route two to three times its price. Whatever is refused is
counted by reason and leaves one log line; a signed body is never refused for its content, that is the splitter's part.
"""

import asyncio
import hmac
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

import structlog
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub_api.platform import trace
from hub_api.platform.metrics import webhook_commit_seconds, webhooks_accepted, webhooks_refused
from hub_api.platform.web import problem
from hub_api.settings import Settings
from hub_api.whatsapp.inbox import Inbox, NotStored

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 3 * 1024 * 1024  # what Meta sends at most

# Bodies that this process holds while they are read or wait for their commit.
MAX_HELD_BYTES = 128 * 1024 * 1024


class _Refused(Exception):
    """An answer other than 200. `unread`: part of the body may still be on its way, so the connection is closed."""

    def __init__(self, status: int, reason: str, detail: str, *, unread: bool = False) -> None:
        super().__init__(reason)
        self.status, self.reason, self.detail, self.unread = status, reason, detail, unread


class _Gone(Exception):
    """The sender hung up before the body was complete."""


def webhook(settings: Settings, get_inbox: Callable[[], Inbox]) -> ASGIApp:
    """The ASGI application; `get_inbox` is asked at each request, since the inbox opens with the process's lifespan."""
    return Webhook(settings, get_inbox)


class Webhook:
    """The endpoint with what it compares against, and the count of the body bytes it holds."""

    def __init__(self, settings: Settings, get_inbox: Callable[[], Inbox]) -> None:
        secrets = (settings.meta_app_secret, settings.meta_app_secret_previous)
        self._secrets = [secret.get_secret_value().encode() for secret in secrets if secret is not None]
        self._verify_token = settings.meta_verify_token.get_secret_value().encode()
        self._read_timeout_s = settings.webhook_read_timeout_s
        self._get_inbox = get_inbox
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["method"] == "POST":
            await self._deliver(scope, receive, send)
        elif scope["method"] == "GET":
            await self._handshake(scope)(scope, receive, send)
        else:
            answer = problem(405, "method_not_allowed", "webhooks come by POST, the handshake by GET")
            answer.headers["allow"] = "GET, POST"
            await answer(scope, receive, send)

    def _handshake(self, scope: Scope) -> Response:
        """Answer the challenge when the verify token is ours."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        token = query.get("hub.verify_token", "").encode()
        if query.get("hub.mode") == "subscribe" and hmac.compare_digest(token, self._verify_token):
            return PlainTextResponse(query.get("hub.challenge", ""), headers={"x-content-type-options": "nosniff"})
        _count(_Refused(403, "handshake", "hub.mode or hub.verify_token is wrong"), 0)
        return problem(403, "handshake_refused", "hub.mode must be subscribe and hub.verify_token the configured one")

    async def _deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            headers = dict(scope["headers"])
            signature = _check_headers(headers)
            async with asyncio.timeout(self._read_timeout_s):
                await self._read(receive, body)
            complete, began_ns = time.perf_counter(), trace.now_ns()
            self._verify(body, signature)
            stored = await self._get_inbox().store(bytes(body))
        except (_Refused, NotStored, TimeoutError) as error:
            await _answer(error, len(body), scope, receive, send)
        except _Gone:
            webhooks_refused.labels("disconnected").inc()
        else:
            webhooks_accepted.inc()
            webhook_commit_seconds.observe(time.perf_counter() - complete)
            trace.past("POST /webhooks/whatsapp", stored.hex, began_ns, kind="server", bytes=len(body))
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._held -= len(body)

    async def _read(self, receive: Receive, body: bytearray) -> None:
        """Append the request's body to `body` as it comes."""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            chunk, more = message.get("body", b""), message.get("more_body", False)
            body += chunk
            self._held += len(chunk)
            if len(body) > MAX_BODY_BYTES:
                raise _Refused(413, "too_large", _TOO_LARGE, unread=more)
            if self._held > MAX_HELD_BYTES:
                raise _Refused(503, "busy", "too many bodies are being read: deliver again", unread=more)

    def _verify(self, body: bytearray, signature: bytes) -> None:
        """Raise unless one of our secrets made `signature` over exactly these bytes (2 ms for the largest body)."""
        expected = [b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode() for secret in self._secrets]
        if not any(hmac.compare_digest(made, signature) for made in expected):
            raise _Refused(401, "bad_signature", "X-Hub-Signature-256 does not match the body")


_TOO_LARGE = f"a webhook has at most {MAX_BODY_BYTES} bytes"


def _check_headers(headers: dict[bytes, bytes]) -> bytes:
    """Refuse by its headers what need not be read; returns the signature."""
    signature = headers.get(b"x-hub-signature-256", b"")
    if not signature:
        raise _Refused(401, "no_signature", "X-Hub-Signature-256 is missing", unread=True)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _Refused(415, "content_encoding", "the body must come as it was signed: no Content-Encoding", unread=True)
    length = headers.get(b"content-length", b"0")
    if len(length) > 10 or int(length) > MAX_BODY_BYTES:
        raise _Refused(413, "too_large", _TOO_LARGE, unread=True)
    return signature


async def _answer(
    error: _Refused | NotStored | TimeoutError, size: int, scope: Scope, receive: Receive, send: Send
) -> None:
    match error:
        case NotStored():
            refused = _Refused(error.status, error.reason, error.message)
        case TimeoutError():
            refused = _Refused(408, "too_slow", "the body did not arrive in time", unread=True)
        case _:
            refused = error
    _count(refused, size)
    answer = problem(refused.status, refused.reason, refused.detail)
    if refused.unread:
        answer.headers["connection"] = "close"
    await answer(scope, receive, send)


def _count(refused: _Refused, size: int) -> None:
    webhooks_refused.labels(refused.reason).inc()
    log.warning("webhook_refused", reason=refused.reason, status=refused.status, bytes=size)
