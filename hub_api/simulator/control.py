"""The control API under `/_sim/`: what a test, a demo or a person does to the platform and asks of it. JSON, no token:
the simulator listens on loopback."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields, replace
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from hub_api.simulator import control_users, management, review
from hub_api.simulator.core import Core
from hub_api.simulator.delivery import ALL_STATUSES, Knobs, Update
from hub_api.simulator.errors import webhook_error
from hub_api.simulator.faults import Fault, GraphFault, MediaFault
from hub_api.simulator.model import Number, Template
from hub_api.simulator.payload import number_value
from hub_api.simulator.planted import Planted
from hub_api.simulator.web_common import answer

Json = dict[str, Any]
Action = Callable[[Core, Json], Awaitable[Any] | Any]


async def configure_webhooks(core: Core, body: Json) -> Json:
    """Address, secrets and knobs of delivery: any of `url`, `app_secret`, `verify_token` and the fields of `Knobs`.
    With `verify: true` the handshake is made and its outcome told."""
    if "url" in body:
        core.webhook_url = body.pop("url") or None
    core.delivery.app_secret = body.pop("app_secret", core.delivery.app_secret)
    core.verify_token = body.pop("verify_token", core.verify_token)
    verify = body.pop("verify", False)
    unknown = body.keys() - {f.name for f in fields(Knobs)}
    if unknown:
        raise ValueError(f"unknown webhook settings {', '.join(sorted(unknown))}")
    if "retry_s" in body:
        body["retry_s"] = tuple(float(step) for step in body["retry_s"])
    if "statuses" in body:
        body["statuses"] = tuple(body["statuses"])
        if wrong := set(body["statuses"]) - set(ALL_STATUSES):
            raise ValueError(f"no statuses {', '.join(sorted(wrong))}: choose of {', '.join(ALL_STATUSES)}")
    core.delivery.knobs = replace(core.delivery.knobs, **body)
    core.delivery.resume()
    shown = webhooks(core)
    return {**shown, "verified": await handshake(core)} if verify else shown


def webhooks(core: Core) -> Json:
    """Where webhooks go, how, how many went, wait or failed, and how quickly the receiver answers."""
    delivery = core.delivery
    return {
        "url": core.webhook_url,
        "knobs": asdict(delivery.knobs),
        **asdict(delivery.counters),
        "pending": delivery.pending,
        "answer_ms": {"p50": delivery.latency_ms(0.5), "p95": delivery.latency_ms(0.95)},
        "last_failure": delivery.last_failure,
    }


async def handshake(core: Core) -> bool:
    """Meta's verification of the address: GET with the challenge, which must come back as it is."""
    if not core.webhook_url:
        raise ValueError("no webhook address is set: give a url")
    challenge = str(core.rng.randrange(10**9))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": core.verify_token}
    async with aiohttp.ClientSession() as session, session.get(core.webhook_url, params=query) as response:
        return response.status == 200 and await response.text() == challenge


def state(core: Core) -> Json:
    """The simulator at a glance."""
    return {
        "now": core.clock.now(),
        "speed": core.clock.speed,
        "calls": dict(core.ledger.outcomes),
        "accepted_calls": core.ledger.accepted_calls,
        "accepted_messages": core.ledger.messages,
        "refusals": {str(code): count for code, count in core.ledger.refusals.items()},
        "events": dict(core.events),
        "planned": len(core.timeline),
        "users": len(core.world.users),
        "limits": sorted(core.enforced),
        "faults": core.faults.shown(),
        "webhooks": webhooks(core),
        "numbers": [_number_shown(number) for number in core.world.numbers.values()],
        "templates": [_template_shown(template) for template in core.world.templates.values()],
    }


def add_faults(core: Core, body: Json) -> Json:
    """Put one fault, or `faults`, in force; the fields are those of `Fault`."""
    for given in body.get("faults") or [body]:
        core.faults.add(Fault(**given))
    return {"faults": core.faults.shown()}


def set_graph_faults(core: Core, body: Json) -> Json:
    """Put `faults` in force for calls beside messages and files, in place of those before; fields of `GraphFault`."""
    core.graph_faults.rules = [GraphFault(**given) for given in body["faults"]]
    return {"faults": len(core.graph_faults.rules)}


def set_planted(core: Core, body: Json) -> Json:
    """Let `templates` be answered as told from now on, in place of what was planted before; the fields are those of `Planted`."""
    core.planted = {rule.template: rule for rule in (Planted(**given) for given in body["templates"])}
    return {"planted": [asdict(rule) for rule in core.planted.values()]}


def set_media_faults(core: Core, body: Json) -> Json:
    """Put `faults` in force for files, in place of those before; the fields are those of `MediaFault`."""
    core.media_faults.rules = [MediaFault(**given) for given in body["faults"]]
    return {"faults": len(core.media_faults.rules)}


def accepted(core: Core, message_ids: list[str] | None, *, everything: bool = False, times: bool = False) -> Json:
    """Accepted calls per message id. Which ones were accepted more than once is always told, all of them on request,
    of given ones also when (`times`)."""
    ledger = core.ledger
    result: Json = {
        "messages": ledger.messages,
        "calls": ledger.accepted_calls,
        "without_id": ledger.without_id,
        "more_than_once": ledger.repeated(),
    }
    if everything or message_ids is not None:
        result["accepted"] = ledger.counts(message_ids)
    if times and message_ids is not None:
        result["accepted_at"] = ledger.accepted_at(message_ids)
    return result


def tally(core: Core) -> Json:
    """The traffic of each number that had any, and what the platform refused or lost without a word, in all."""
    return {
        "accepted": core.ledger.accepted_calls,
        "refusals": {str(code): count for code, count in core.ledger.refusals.items()},
        "over_portfolio_limit": core.events["lost_over_portfolio_limit"],
        "numbers": {
            number_id: {
                "mps": core.world.numbers[number_id].mps if number_id in core.world.numbers else None,
                "accepted": found.accepted,
                "replies": found.replies,
                "inbound": found.inbound,
                "refused": {str(code): count for code, count in found.refused.items()},
                "peak_per_second": found.peak,
                "first_at": found.first_at,
                "last_at": found.last_at,
            }
            for number_id, found in core.ledger.tallies.items()
        },
    }


def calls(core: Core, query: Json) -> Json:
    """The last send calls, newest first: `limit`, and filters `number_id`, `address`, `outcome`."""
    limit = int(query.pop("limit", 100))
    found = []
    for call in reversed(core.ledger.calls):
        if all(getattr(call, key) == value for key, value in query.items()):
            found.append(asdict(call))
            if len(found) == limit:
                break
    return {"calls": found}


def set_clock(core: Core, body: Json) -> Json:
    """`speed`, `now`, or `advance_s` (simulated seconds to jump)."""
    core.clock.set(speed=body.get("speed"), now=body.get("now"))
    if "advance_s" in body:
        core.clock.advance(float(body["advance_s"]))
    return {"now": core.clock.now(), "speed": core.clock.speed}


def set_limits(core: Core, body: Json) -> Json:
    """Enforce exactly `limits`; with `asynchronous_codes` also which refusals come as failed statuses."""
    if "limits" in body:
        core.set_limits(body["limits"])
    if "asynchronous_codes" in body:
        core.asynchronous_codes = set(body["asynchronous_codes"])
    return {"limits": sorted(core.enforced), "asynchronous_codes": sorted(core.asynchronous_codes)}


def change_number(core: Core, body: Json) -> Json:
    """Change a business number or its account: `quality`, `status`, `mps`, `coexistence`, `name_status`, `tier`,
    `payment_method`, `marketing_messages_terms`, `marketing_on_cloud_api`, `restricted_until`; a new tier is told."""
    number = _number(core, body.pop("number_id", None))
    if "tier" in body:
        management.set_tier(core, number, body.pop("tier"))
    for name, value in body.items():
        owner = number if name in ("quality", "status", "mps", "coexistence", "name_status") else number.waba
        if not hasattr(owner, name):
            raise ValueError(f"a number has no {name!r}")
        setattr(owner, name, value)
    return _number_shown(number)


def add_number(core: Core, body: Json) -> Json:
    """Add a business number: `id`, `display`, and any field of `Number`; to the first account, or to that of `waba_id`."""
    waba = core.world.wabas[body.pop("waba_id", next(iter(core.world.wabas)))]
    return _number_shown(core.world.add_number(Number(waba=waba, **body)))


def change_template(core: Core, body: Json) -> Json:
    """Change template `name` (and `language`): `do` is pause, unpause, status, quality, category, pacing, release or
    drop, with `value` where it needs one, `reason` for a status, `notice_s` for a category."""
    template = core.world.wabas[_number(core, None).waba.id].templates.get(
        (body["name"], body.get("language", "pt_BR"))
    )
    if template is None:
        raise ValueError(f"no template {body['name']!r} in {body.get('language', 'pt_BR')}")
    value = body.get("value", "")
    match body.get("do"):
        case "pause":
            review.pause(core, template)
        case "unpause":
            review.unpause(core, template)
        case "status":
            review.set_status(core, template, value, reason=body.get("reason"), **body.get("extra", {}))
        case "quality":
            review.set_quality(core, template, value)
        case "category":
            review.announce_category(core, template, value, notice_s=float(body.get("notice_s", 86_400)))
        case "pacing":
            template.pacing = value
        case "release":
            review.settle_held(core, template, deliver=True)
        case "drop":
            review.settle_held(core, template, deliver=False)
        case other:
            raise ValueError(f"cannot {other!r} a template")
    return _template_shown(template)


def tell_management(core: Core, body: Json) -> Json:
    """A management webhook: `field`, `event`, and in `value` what shall differ from the usual one."""
    number = _number(core, body.get("number_id"))
    return management.produce(core, body["field"], body.get("event", ""), body.get("value"), number)


def tell_raw(core: Core, body: Json) -> Json:
    """A webhook of any value: `field`, `value`, optionally `waba_id`; with `body` (a string) these very bytes."""
    number = _number(core, body.get("number_id"))
    if "body" in body:
        url = core.address_for(number)
        if url is None:
            raise ValueError("no webhook address is set")
        core.delivery.put_raw(url, body["body"].encode("utf-8", "surrogatepass"))
    else:
        update = Update(
            body.get("waba_id", number.waba.id), body["field"], body["value"], timed=body.get("timed", False)
        )
        core.delivery.put(core.address_for(number), update)
    return {"told": 1}


def tell_error(core: Core, body: Json) -> Json:
    """A value-level error `code` about a number: its account, app or throughput is in trouble."""
    number = _number(core, body.get("number_id"))
    core.tell(
        number, "messages", number_value(number, errors=[webhook_error(int(body["code"]), body.get("details", ""))])
    )
    return {"told": 1}


def change_app(core: Core, body: Json) -> Json:
    """Change the app's token: `token_valid`, `token_type`, `token_expires_at` (Unix seconds, 0: never), `scopes`."""
    core.app = replace(core.app, **{**body, **({"scopes": set(body["scopes"])} if "scopes" in body else {})})
    return {**asdict(core.app), "scopes": sorted(core.app.scopes)}


def reset(core: Core, body: Json) -> Json:
    """Start over: records, counters and faults go; addresses, secrets and knobs stay."""
    core.reset()
    return state(core)


def control_routes(core: Core) -> list[web.RouteDef]:
    """The routes of the control API."""

    def reading(action: Callable[[Core, Json], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return await _answered(core, action, dict(request.query))

        return handle

    def writing(action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            raw = await request.read()
            try:
                body = orjson.loads(raw) if raw else {}
            except orjson.JSONDecodeError as error:
                return answer({"error": f"the body is not JSON: {error}"}, 400)
            return await _answered(core, action, body)

        return handle

    def lift_fault(core: Core, query: Json) -> Json:
        core.faults.remove(int(query["id"]) if "id" in query else None)
        return {"faults": core.faults.shown()}

    return [
        web.get("/_sim/state", reading(lambda core, query: state(core))),
        web.get("/_sim/webhooks", reading(lambda core, query: webhooks(core))),
        web.post("/_sim/webhooks", writing(configure_webhooks)),
        web.get("/_sim/calls", reading(calls)),
        web.get("/_sim/accepted", reading(lambda core, query: accepted(core, None, everything="all" in query))),
        web.post(
            "/_sim/accepted", writing(lambda core, body: accepted(core, body["ids"], times=body.get("times", False)))
        ),
        web.get("/_sim/tally", reading(lambda core, query: tally(core))),
        web.post("/_sim/faults", writing(add_faults)),
        web.delete("/_sim/faults", reading(lift_fault)),
        web.post("/_sim/media_faults", writing(set_media_faults)),
        web.post("/_sim/graph_faults", writing(set_graph_faults)),
        web.post("/_sim/planted", writing(set_planted)),
        web.post("/_sim/clock", writing(set_clock)),
        web.post("/_sim/limits", writing(set_limits)),
        web.post("/_sim/numbers", writing(change_number)),
        web.put("/_sim/numbers", writing(add_number)),
        web.post("/_sim/app", writing(change_app)),
        web.post("/_sim/templates", writing(change_template)),
        web.post("/_sim/management", writing(tell_management)),
        web.post("/_sim/raw", writing(tell_raw)),
        web.post("/_sim/error", writing(tell_error)),
        web.post("/_sim/reset", writing(reset)),
        web.post("/_sim/users", writing(control_users.add_users)),
        web.get("/_sim/users", reading(control_users.show_user)),
        web.post("/_sim/inbound", writing(control_users.inbound_messages)),
        web.post("/_sim/act", writing(control_users.act)),
        web.post("/_sim/progress", writing(control_users.progress)),
        web.get("/_sim/messages", reading(control_users.show_message)),
    ]


async def _answered(core: Core, action: Action, given: Json) -> web.Response:
    try:
        result = action(core, given)
        if isinstance(result, Awaitable):
            result = await result
    except KeyError as error:
        return answer({"error": f"{error.args[0]!r} is missing or unknown"}, 400)
    except (TypeError, ValueError, AttributeError, aiohttp.ClientError) as error:
        return answer({"error": str(error)}, 400)
    return answer(result)


def _number(core: Core, number_id: str | None) -> Number:
    if number_id is None:
        return next(iter(core.world.numbers.values()))
    if number_id not in core.world.numbers:
        raise ValueError(f"no number {number_id!r} here")
    return core.world.numbers[number_id]


def _number_shown(number: Number) -> Json:
    return {
        "id": number.id,
        "display": number.display,
        "waba_id": number.waba.id,
        "status": number.status,
        "quality": number.quality,
        "mps": number.mps,
        "tier": number.waba.portfolio.tier,
        "payment_method": number.waba.payment_method,
        "messaged_outside_window_24h": len(number.waba.portfolio.messaged),
        "service_messages": number.service_messages,
    }


def _template_shown(template: Template) -> Json:
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "quality": template.quality,
        "pacing": template.pacing,
        "held": len(template.held),
    }
