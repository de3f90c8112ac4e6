"""`POST /{version}/{phone_number_id}/messages` and `/marketing_messages`: the hot path, and the faults on it.

`take_call` is the whole of a call in one turn of the loop; the door (`door.py`) and the route below both end there.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError, unknown_object
from hub_api.simulator.faults import Fault
from hub_api.simulator.ledger import Call
from hub_api.simulator.model import Number
from hub_api.simulator.send import Request, accept, address_of, check_call, check_sender, mark_read
from hub_api.simulator.web_common import Handler, answer, bearer, check_token, read_object

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """A checked call that meets a fault: what becomes of it takes its time."""

    number: Number
    request: Request
    fault: Fault


def take_call(core: Core, number_id: str, token: str, raw: bytes, *, marketing_api: bool) -> tuple[int, Json] | Hit:
    """Check a call, accept or refuse it, enter it in the ledger: status and body of the answer."""
    payload: Json = {}
    try:
        check_token(core, token)
        number = core.world.numbers.get(number_id)
        if number is None:
            raise unknown_object(number_id)
        payload = read_object(raw)
        if payload.get("status") == "read":
            return 200, mark_read(core, payload)
        type_, template = check_call(core, number, payload, marketing_api=marketing_api)
        checked = Request(payload, type_, template, address_of(payload, number), marketing_api)
        if core.faults.rules:
            name = template.name if template is not None else ""
            fault = core.faults.pick(number_id, checked.address.value, name, core.rng)
            if fault is not None:
                return Hit(number, checked, fault)
        return 200, _accepted(core, number, checked, "accepted")
    except MetaError as error:
        return _refused(core, number_id, payload, error)


def send_handler(core: Core, *, marketing_api: bool = False) -> Handler:
    """The route of one of the two send endpoints, for calls that the door does not answer itself."""

    async def handle(request: web.Request) -> web.StreamResponse:
        number_id = request.match_info["object_id"]
        taken = take_call(core, number_id, bearer(request), await request.read(), marketing_api=marketing_api)
        if not isinstance(taken, Hit):
            return answer(taken[1], taken[0])
        try:
            return await _faulty(core, taken.number, taken.request, taken.fault, request)
        except MetaError as error:
            status, body = _refused(core, number_id, taken.request.payload, error)
            return answer(body, status)

    return handle


def _accepted(core: Core, number: Number, checked: Request, outcome: str) -> Json:
    check_sender(core, number)
    response, wamid = accept(core, number, checked)
    _record(core, number.id, checked.payload, outcome, wamid=wamid)
    return response


def _refused(core: Core, number_id: str, payload: Json, error: MetaError) -> tuple[int, Json]:
    _record(core, number_id, payload, "refused", code=error.code)
    return error.status, error.body(core.rng)


async def _faulty(
    core: Core, number: Number, checked: Request, fault: Fault, request: web.Request
) -> web.StreamResponse:
    payload = checked.payload
    match fault.kind:
        case "error":
            raise MetaError(fault.code, fault.details or "A fault was asked for.")
        case "http":
            _record(core, number.id, payload, "http", code=fault.status)
            return web.Response(status=fault.status, text=fault.body or "<html>Sorry, something went wrong.</html>")
        case "drop_before":
            _record(core, number.id, payload, "drop_before")
            return _cut(request)
        case "drop_after":
            _accepted(core, number, checked, "drop_after")
            return _cut(request)
        case "timeout":
            response = _accepted(core, number, checked, "timeout")
            await asyncio.sleep(fault.seconds)
            return answer(response)
        case "delay":
            await asyncio.sleep(fault.seconds)
            return answer(_accepted(core, number, checked, "accepted"))
        case "failed_status":
            checked.forced_failure = fault.code
            return answer(_accepted(core, number, checked, "accepted"))


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)  # goes nowhere: the connection is gone


def _record(core: Core, number_id: str, payload: Json, outcome: str, *, code: int = 0, wamid: str = "") -> None:
    address = payload.get("to") or payload.get("recipient") or ""
    opaque = payload.get("biz_opaque_callback_data") or ""
    core.ledger.record(
        Call(
            core.clock.now(),
            number_id,
            str(address),
            str(payload.get("type", "text")),
            str(opaque),
            code,
            wamid,
            outcome,
            payload,
        ),
        accepted=bool(wamid),
    )
