"""What every route shares: JSON in and out, the bearer token, errors in Meta's form."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError, unknown_object
from hub_api.simulator.model import Number, Waba

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
JSON_HEADERS = {"Content-Type": "application/json; charset=UTF-8", "facebook-api-version": "v26.0"}
MANAGEMENT_CALLS_PER_HOUR = 5_000
WABA_USAGE = web.RequestKey("waba_usage", str)


def answer(content: Any, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(body=orjson.dumps(content), status=status, headers=JSON_HEADERS)


def bearer(request: web.BaseRequest) -> str:
    """The token of a request: from the header, or `access_token` of the query; empty without."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get("access_token", "")


def check_token(core: Core, given: str) -> None:
    """Whether it is the platform's token. Raises MetaError 190."""
    if not hmac.compare_digest(given.encode(), core.token.encode()):
        words = "Cannot parse access token" if given else "An access token is required to request this resource"
        raise MetaError(190, f"Invalid OAuth access token - {words}.")


def guarded(core: Core, handler: Handler) -> Handler:
    """The handler behind the token, its refusals answered as Graph errors."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            check_token(core, bearer(request))
            if fault := core.graph_faults.pick(request.method, request.path):
                if fault.code is not None:
                    raise MetaError(fault.code, fault.details)
                return answer(fault.answer)
            response = await handler(request)
            if WABA_USAGE in request:
                response.headers["X-Business-Use-Case-Usage"] = request[WABA_USAGE]
            return response
        except MetaError as error:
            return answer(error.body(core.rng), error.status)

    return handle


async def json_object(request: web.BaseRequest) -> dict[str, Any]:
    """The JSON object of the body. Raises MetaError 100."""
    return read_object(await request.read())


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Raises MetaError 100."""
    try:
        payload = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise MetaError(100, "Invalid parameter: the body is not valid JSON.") from None
    if not isinstance(payload, dict):
        raise MetaError(100, "Invalid parameter: the body must be a JSON object.")
    return payload


def number_of(core: Core, request: web.Request) -> Number:
    """The number in the path. Raises MetaError 100/33."""
    object_id = request.match_info["object_id"]
    number = core.world.numbers.get(object_id)
    if number is None:
        raise unknown_object(object_id, request.method)
    return number


def waba_of(core: Core, request: web.Request) -> Waba:
    """The account in the path, its management calls of the hour counted. Raises MetaError 100/33 or 80007."""
    object_id = request.match_info["object_id"]
    waba = core.world.wabas.get(object_id)
    if waba is None:
        raise unknown_object(object_id, request.method)
    now = core.clock.now()
    calls = waba.management_calls
    if core.enforces("management") and len(calls) == MANAGEMENT_CALLS_PER_HOUR and now - calls[0] < 3_600:
        raise MetaError(80007, "The WhatsApp Business Account has reached its rate limit of management calls.")
    calls.append(now)
    recent = sum(1 for at in calls if now - at < 3_600)
    usage = {"call_count": recent * 100 // MANAGEMENT_CALLS_PER_HOUR, "total_cputime": 1, "total_time": 1,
             "type": "whatsapp_business_management", "estimated_time_to_regain_access": 0}  # fmt: skip
    request[WABA_USAGE] = orjson.dumps({waba.id: [usage]}).decode()
    return waba


def paged(items: list[dict[str, Any]], request: web.Request, **extra: Any) -> dict[str, Any]:
    """A page of a list: `limit` items after the cursor `after`, with the cursors of the neighbours."""
    limit = _positive(request.query.get("limit", "25"))
    start = _positive(request.query.get("after", "0") or "0")
    page = items[start : start + limit]
    result: dict[str, Any] = {"data": page, **extra}
    if page:
        result["paging"] = {"cursors": {"before": str(start), "after": str(start + len(page))}}
        if start + limit < len(items):
            result["paging"]["next"] = str(request.url.update_query(after=str(start + limit)))
    return result


def selected(fields: dict[str, Any], usual: tuple[str, ...], request: web.Request, node: str) -> dict[str, Any]:
    """The asked fields of a node (or its usual ones), always with id. Raises MetaError 100 on an unknown field."""
    asked = [name for name in request.query.get("fields", "").split(",") if name]
    for name in asked:
        if name not in fields:
            raise MetaError(100, f"Tried accessing nonexisting field ({name}) on node type ({node})")
    chosen = asked or usual
    return {name: fields[name] for name in chosen if fields[name] is not None} | {"id": fields["id"]}


def _positive(value: str) -> int:
    if not value.isdigit():
        raise MetaError(100, f"Param {value!r} of the page must be a cursor or a number from an earlier page.")
    return min(int(value), 1_000_000)
