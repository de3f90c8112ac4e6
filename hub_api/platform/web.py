"""What every HTTP route shares: the services of the process, problem+json errors, request metrics."""

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_api.errors import HubError, Invalid
from hub_api.platform import trace
from hub_api.platform.ids import uuid7
from hub_api.platform.metrics import http_request_seconds, http_requests
from hub_api.platform.services import Services

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, description="repeating a request with its key does it once")
]

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,80}$")


async def get_services(request: Request) -> Services:
    """FastAPI dependency: the services this process opened. Asynchronous, for others are called in a thread."""
    return request.app.state.services  # type: ignore[no-any-return]


def version_of(if_match: str | None) -> int | None:
    """The version that an If-Match header asks for; None: any. Raises Invalid for what is no ETag of ours."""
    text = (if_match or "").strip().removeprefix("W/").strip('"')
    if if_match is None or text == "*":
        return None
    if not text.isdecimal():
        raise Invalid('If-Match must be the ETag of the record as it was read, as in If-Match: "3"')
    return int(text)


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **extra: Any
) -> JSONResponse:
    """An error answer in the form of RFC 9457; `code` is stable for programs, `detail` is for people."""
    body = {
        "type": f"urn:hub:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
    }
    retry = {"Retry-After": "2"} if status == 503 else {}
    return JSONResponse(
        {**body, **extra}, status, headers={**retry, **(headers or {})}, media_type="application/problem+json"
    )


async def on_hub_error(request: Request, error: Exception) -> JSONResponse:
    """A refusal of ours, with its own status and code."""
    assert isinstance(error, HubError)  # noqa: S101 - registered for HubError only
    if error.status >= 500:
        log.error("request_failed", path=_endpoint(request.scope), code=error.code, detail=error.message)
    return problem(error.status, error.code, error.message, error.headers, **error.context)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Starlette's own refusals: unknown path, wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for HTTPException only
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "refused")
    return problem(error.status_code, code, str(error.detail))


async def on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    """A payload that breaks its schema: 422 with the path of each fault, never the value (it may be personal data)."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it only
    errors = [{"field": path_of(fault, error.body), "message": fault["msg"]} for fault in error.errors()]
    return problem(422, "invalid", "the request breaks its schema: see errors", errors=errors)


def path_of(fault: Mapping[str, Any], body: Any) -> str:
    """Where a fault is, as the caller wrote it: without the tags of unions that pydantic puts between the keys."""
    loc = fault["loc"]
    if loc[:1] != ("body",):
        return ".".join(map(str, loc))
    path, here = ["body"], body
    for position, step in enumerate(loc[1:], 2):
        holds = step in here if isinstance(here, dict) else isinstance(here, list) and isinstance(step, int)
        if holds:
            here = here[step] if isinstance(here, dict) or step < len(here) else None
            path.append(str(step))
        elif fault["type"] == "missing" and position == len(loc):
            path.append(str(step))
    return ".".join(path)


async def on_interrupted(request: Request, error: Exception) -> JSONResponse:
    """PostgreSQL is away, or another transaction was in the way: the same request may succeed later."""
    log.warning("request_interrupted", path=_endpoint(request.scope), exc_info=error)
    return problem(
        503, "unavailable", "the database did not finish the request: ask again, with the same Idempotency-Key"
    )


async def on_unstorable(request: Request, error: Exception) -> JSONResponse:
    """A character that PostgreSQL cannot keep: the schemas of requests do not know them."""
    return problem(422, "invalid", "the request has a character that cannot be stored, such as NUL (U+0000)")


async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Anything else: the log has the cause, the caller has its request id."""
    log.exception("request_crashed", path=_endpoint(request.scope))
    return problem(500, "internal", "something failed on our side; the request id leads to the cause in the log")


def _endpoint(scope: Scope) -> str:
    route = scope.get("route")
    return getattr(route, "path", "unmatched")


class RequestContext:
    """Gives each HTTP request an id (taken from X-Request-ID when it looks like one), which is its trace's unless
    `traceparent` names one, and counts its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else uuid7().hex
        carried = headers.get(b"traceparent", b"").decode("latin-1")
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            trace.work(scope["method"], carried=carried, trace_id=request_id, kind="server") as piece,
        ):
            await self._answer(scope, receive, send, request_id, piece)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str, piece: trace.Piece) -> None:
        started = time.perf_counter()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
                http_requests.labels(scope["method"], _endpoint(scope), message["status"]).inc()
                http_request_seconds.observe(time.perf_counter() - started)
                piece.note(
                    f"{scope['method']} {_endpoint(scope)}",
                    failed=message["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR,
                    http__response__status_code=message["status"],
                )
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            log.debug("request", path=_endpoint(scope), seconds=round(time.perf_counter() - started, 4))


class AtPath:
    """Answers one path by an ASGI endpoint before anything else sees the request."""

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self.app, self.path, self.endpoint = app, path, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        ours = scope["type"] == "http" and scope["path"].rstrip("/") == self.path
        await (self.endpoint if ours else self.app)(scope, receive, send)
