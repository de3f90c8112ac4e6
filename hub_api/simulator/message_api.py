"""`POST /{version}/{phone_number_id}/messages` and `/marketing_messages`: the hot path, and the faults on it."""

import asyncio
from typing import Any

from aiohttp import web

from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError, unknown_object
from hub_api.simulator.faults import Fault
from hub_api.simulator.ledger import Call
from hub_api.simulator.model import Number
from hub_api.simulator.send import Request, accept, address_of, check_call, check_sender, mark_read
from hub_api.simulator.web_common import Handler, answer, check_token, json_object

Json = dict[str, Any]


def send_handler(core: Core, *, marketing_api: bool = False) -> Handler:
    """The handler of one of the two send endpoints."""

    async def handle(request: web.Request) -> web.StreamResponse:
        payload: Json = {}
        number_id = request.match_info["object_id"]
        try:
            check_token(core, request)
            number = core.world.numbers.get(number_id)
            if number is None:
                raise unknown_object(number_id)
            payload = await json_object(request)
            if payload.get("status") == "read":
                return answer(mark_read(core, payload))
            type_, template = check_call(core, number, payload, marketing_api=marketing_api)
            checked = Request(payload, type_, template, address_of(payload, number), marketing_api)
            fault = None
            if core.faults.rules:
                name = template.name if template is not None else ""
                fault = core.faults.pick(number_id, checked.address.value, name, core.rng)
            if fault is not None:
                return await _faulty(core, number, checked, fault, request)
            return answer(_accepted(core, number, checked, "accepted"))
        except MetaError as error:
            _record(core, number_id, payload, "refused", code=error.code)
            return answer(error.body(core.rng), error.status)

    return handle


def _accepted(core: Core, number: Number, checked: Request, outcome: str) -> Json:
    check_sender(core, number)
    response, wamid = accept(core, number, checked)
    _record(core, number.id, checked.payload, outcome, wamid=wamid)
    return response


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
