"""How each write route is called so that it succeeds: what the test of audit rows needs beyond the route's own sample.

A route that succeeds with the sample of its OpenAPI description and the ids of the world needs no line here.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp
from aiohttp import FormData

from hub_api.auth import users
from hub_api.auth.api_keys import create_key
from hub_api.chat.site.tokens import make_token
from hub_api.platform.ids import uuid7
from hub_api.simulator import review
from hub_api.whatsapp.templates.sync import sync_templates
from tests.auth import deeds_campaigns, deeds_results
from tests.auth.people import (
    AUTH,
    PASSWORD,
    add_conversation,
    call,
    sign_in,
)
from tests.auth.routes import Route
from tests.auth.scene import NEW_PASSWORD, Deed, Scene, bill, challenged, set_up_factor
from tests.whatsapp.templates.drafting import plain


async def _login(scene: Scene) -> Deed:
    return Deed(request={"json": {"email": scene.admin.email, "password": PASSWORD}})


async def _forgot(scene: Scene) -> Deed:
    return Deed(request={"json": {"email": scene.admin.email}})


async def _set_password(scene: Scene) -> Deed:
    async with scene.hub.services.transaction() as tx:
        token = await users._put_link(tx, scene.admin.id, "password", users.FORGOTTEN)
    return Deed(request={"json": {"token": token, "password": NEW_PASSWORD}})


async def _second_factor(scene: Scene) -> Deed:
    app, challenge = await challenged(scene)
    return Deed(request={"json": {"challenge": challenge, "method": "totp", "code": app.now()}})


async def _message_code(scene: Scene) -> Deed:
    return Deed(request={"json": {"challenge": (await challenged(scene))[1]}})


async def _own_password(scene: Scene) -> Deed:
    return Deed(request={"json": {"current": PASSWORD, "new": NEW_PASSWORD}})


async def _other_session(scene: Scene) -> Deed:
    before = scene.admin.headers
    await sign_in(scene.hub, scene.admin)
    rows = await scene.hub.fetch("SELECT id FROM sessions WHERE user_id = $1 ORDER BY created_at", scene.admin.id)
    scene.admin.headers = before
    return Deed(ids={"session_id": rows[-1]["id"]})


async def _token(scene: Scene) -> Deed:
    key = await create_key(scene.hub.services.db, "program", ["audit:read"])
    return Deed(request={"data": {"grant_type": "client_credentials", "client_secret": key}})


async def _confirm(scene: Scene) -> Deed:
    _, pending = await call(scene.hub, "POST", f"{AUTH}/totp", scene.admin.headers)
    return Deed(request={"json": {"code": pyotp.TOTP(pending["secret"]).now()}})


async def _with_factor(scene: Scene) -> Deed:
    _, person = await set_up_factor(scene)
    return Deed(request={"json": {"password": PASSWORD}}, headers=person.headers)


async def _import(scene: Scene) -> Deed:
    form = FormData()
    form.add_field("file", "external_id;nome;tipo;preço\nF1;Fibra;fibra;99,90\n".encode(), filename="planos.csv")
    return Deed(request={"data": form})


async def _assign(scene: Scene) -> Deed:
    return Deed(request={"json": {"agent_id": str(scene.ids["user_id"])}})


async def _next(scene: Scene) -> Deed:
    await add_conversation(scene.hub, None, "proxima")
    return Deed(request={"json": {}})


async def _key(scene: Scene) -> Deed:
    await create_key(scene.hub.services.db, name := uuid7().hex, [])
    return Deed(ids={"key_id": await scene.hub.fetchval("SELECT id FROM api_keys WHERE name = $1", name)})


async def _upload(scene: Scene) -> Deed:
    form = FormData()
    form.add_field("file", b"%PDF-1.4 ola", filename="ola.pdf", content_type="application/pdf")
    return Deed(request={"data": form})


async def _unknown_message(scene: Scene) -> Deed:
    message_id = uuid7()
    await scene.hub.fetch(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state, "
        "number_id, claimed_at, attempt) SELECT $1, now(), conversation_id, customer_id, 'out', 'agent', 'text', 'oi', "
        "'unknown', $3, now(), 1 FROM messages WHERE id = $2",
        message_id, scene.ids["message_id"], scene.ids["number_id"],
    )  # fmt: skip
    return Deed(ids={"message_id": message_id}, request={"json": {"outcome": "failed"}})


async def _erase(scene: Scene) -> Deed:
    return Deed(request={"json": {"customer_id": str(scene.ids["customer_id"]), "reason": "request"}})


async def _queue_team(scene: Scene) -> Deed:
    return Deed(request={"json": {"team_id": str(scene.ids["team_id"])}})


async def _presence(scene: Scene) -> Deed:
    return Deed(request={"json": {"presence": "break", "reason": "almoço"}})


async def _new_queue(scene: Scene) -> Deed:
    return Deed(request={"json": {"key": f"fila-{uuid7().hex[-8:]}", "name": "Nova"}})


async def _spare_queue(scene: Scene) -> Deed:
    made = (await _new_queue(scene)).request["json"]
    assert (await call(scene.hub, "POST", "/api/v1/queues", scene.admin.headers, json=made))[0] == 201
    return Deed(ids={"key": made["key"]}, request={"json": {"name": "Outra", "strategy": "round_robin"}})


async def _put_off(scene: Scene) -> Deed:
    path = f"/api/v1/conversations/{scene.ids['conversation_id']}/assign"
    await call(scene.hub, "POST", path, scene.admin.headers, json={"agent_id": str(scene.ids["user_id"])})
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    return Deed(request={"json": {"until": until}})


async def _merge(scene: Scene) -> Deed:
    other = (await add_conversation(scene.hub, None, "de novo"))["conversation"]
    move = "UPDATE conversations SET customer_id = $1 WHERE id = $2"
    await scene.hub.fetch(move, scene.ids["customer_id"], other)
    return Deed(request={"json": {"other": str(other)}})


async def _labels(scene: Scene) -> Deed:
    return Deed(request={"json": {"priority": 4, "tags": ["vip"]}})


async def _later(scene: Scene) -> Deed:
    return Deed(request={"json": {"text": "Bom dia!", "send_at": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}})


async def _scheduled_reply(scene: Scene) -> Deed:
    path = f"/api/v1/conversations/{scene.ids['conversation_id']}/scheduled-replies"
    _, made = await call(scene.hub, "POST", path, scene.admin.headers, **(await _later(scene)).request)
    return Deed(ids={"reply_id": made["id"]})


async def _macro(scene: Scene) -> Deed:
    return Deed(request={"json": {"name": uuid7().hex, "steps": {"reply": "Oi!", "add_tags": ["oi"]}}})


async def _own_macro(scene: Scene) -> Deed:
    _, made = await call(scene.hub, "POST", "/api/v1/macros", scene.admin.headers, **(await _macro(scene)).request)
    return Deed(ids={"macro_id": made["id"]}, request=(await _macro(scene)).request)


async def _outcome(scene: Scene) -> Deed:
    return Deed(ids={"key": f"visita_{uuid7().hex[-8:]}"})


async def _canned(scene: Scene) -> Deed:
    return Deed(request={"json": {"shortcut": f"oi-{uuid7().hex[-8:]}", "title": "Oi", "text": "Olá {cliente}!"}})


async def _own_canned(scene: Scene) -> Deed:
    made = await _canned(scene)
    _, kept = await call(scene.hub, "POST", "/api/v1/canned-replies", scene.admin.headers, **made.request)
    return Deed(ids={"reply_id": kept["id"]}, request=(await _canned(scene)).request)


async def _note(scene: Scene) -> Deed:
    return Deed(request={"json": {"text": "ligar à tarde", "mentions": [str(scene.ids["user_id"])]}})


def _promise() -> dict[str, Any]:
    return {"name": "Rápido", "target": "first_response", "seconds": 120}


async def _promised(scene: Scene) -> Deed:
    _, made = await call(scene.hub, "POST", "/api/v1/sla/policies", scene.admin.headers, json=_promise())
    return Deed(ids={"policy_id": made["id"]}, request={"json": _promise() | {"seconds": 60}})


async def _role(scene: Scene) -> Deed:
    return Deed(request={"json": {"title": "Outro papel"}})


async def _empty_team(scene: Scene) -> Deed:
    await scene.hub.fetch("INSERT INTO teams (id, name) VALUES ($1, $2)", team := uuid7(), team.hex)
    return Deed(ids={"team_id": team})


async def _send_template(scene: Scene) -> Deed:
    components = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    await sync_templates(scene.hub.services, scene.ids["account_id"])
    message = {"type": "template", "name": "boas_vindas", "components": components}
    return Deed(request={"json": {"to": {"phone": "+5511987654321"}, "template": message}})


async def _register(scene: Scene) -> Deed:
    return Deed(request={"json": {"pin": "000000"}})


async def _dead_letter(scene: Scene) -> Deed:
    return Deed(request={"json": {}})


async def _template(scene: Scene) -> Deed:
    return Deed(request={"json": bill(scene)})


async def _edit(scene: Scene) -> Deed:
    edit = {"components": [plain("Sua fatura já está aqui.")], "parameter_format": "POSITIONAL"}
    return Deed(ids={"template_id": await scene.new_template()}, request={"json": edit})


async def _draft(scene: Scene) -> Deed:
    return Deed(ids={"template_id": await scene.new_template()})


async def _paused_template(scene: Scene) -> Deed:
    template = await scene.approved_template()
    name = await scene.hub.fetchval("SELECT name FROM templates WHERE id = $1", UUID(str(template)))
    review.pause(scene.sim.core, scene.at_meta(name))
    await sync_templates(scene.hub.services, scene.ids["account_id"])
    return Deed(ids={"template_id": template})


async def _correct(scene: Scene) -> Deed:
    return Deed(request={"json": {"name": "Ana Lima"}})


async def _published(scene: Scene) -> str:
    version = f"texto-{uuid7().hex[-8:]}"
    body = {"version": version, "scope": "marketing", "text": "Aceito receber ofertas pelo WhatsApp."}
    assert (await call(scene.hub, "POST", "/api/v1/privacy/consent-texts", scene.admin.headers, json=body))[0] == 201
    return version


async def _consent(scene: Scene) -> Deed:
    version = await _published(scene)
    return Deed(request={"json": {"scope": "marketing", "granted": True, "text_version": version}})


async def _retire(scene: Scene) -> Deed:
    return Deed(ids={"version": await _published(scene)})


def _held(scene: Scene) -> dict[str, str]:
    return {"customer_id": str(scene.ids["customer_id"]), "reason": "processo 1", "legal_basis": "LGPD art. 7, VI"}


async def _hold(scene: Scene) -> Deed:
    return Deed(request={"json": _held(scene)})


async def _release(scene: Scene) -> Deed:
    _, hold = await call(scene.hub, "POST", "/api/v1/privacy/holds", scene.admin.headers, json=_held(scene))
    return Deed(ids={"hold_id": hold["id"]})


def _report() -> dict[str, Any]:
    return {"name": "Diário", "every": "day", "hour": 8, "emails": ["diretoria@example.com"]}


async def _scheduled(scene: Scene) -> Deed:
    _, report = await call(scene.hub, "POST", "/api/v1/analytics/reports", scene.admin.headers, json=_report())
    return Deed(ids={"report_id": report["id"]}, request={"json": _report() | {"hour": 9}})


async def _sent(scene: Scene) -> Deed:
    return Deed(ids=(await _scheduled(scene)).ids)


def _alert() -> dict[str, Any]:
    return {"name": "CSAT", "kpi": "csat", "comparison": "below", "threshold": 4.5, "emails": ["ops@example.com"]}


async def _watched(scene: Scene) -> Deed:
    _, alert = await call(scene.hub, "POST", "/api/v1/analytics/alerts", scene.admin.headers, json=_alert())
    return Deed(ids={"alert_id": alert["id"]}, request={"json": _alert() | {"threshold": 4.4}})


def _entry() -> dict[str, Any]:
    return {
        "name": "Licenças", "kind": "cost", "amount_micros": 5_000_000, "every": "month", "valid_from": "2026-01-01",
    }  # fmt: skip


async def _entered(scene: Scene) -> Deed:
    path = "/api/v1/analytics/benefits-and-costs"
    _, entry = await call(scene.hub, "POST", path, scene.admin.headers, json=_entry())
    return Deed(ids={"entry_id": entry["id"]}, request={"json": _entry() | {"amount_micros": 6_000_000}})


async def _new_entry(scene: Scene) -> Deed:
    return Deed(request={"json": _entry()})


async def _rate(scene: Scene) -> Deed:
    ids = {"currency": "USD", "valid_from": "2026-01-01"}
    path = "/api/v1/analytics/exchange-rates/USD/2026-01-01"
    assert (await call(scene.hub, "PUT", path, scene.admin.headers, json={"brl_micros": 5_400_000}))[0] == 200
    return Deed(ids=ids, request={"json": {"brl_micros": 5_500_000}})


async def _number_at_rest(scene: Scene) -> Deed:
    await scene.hub.fetch("UPDATE messages SET state = 'cancelled' WHERE state = 'queued'")
    return Deed()


async def _team_name(scene: Scene) -> Deed:
    return Deed(request={"json": {"name": uuid7().hex}})


async def _spare_account(scene: Scene) -> Deed:
    body = {"waba_id": "102290129999999", "portfolio_id": "888888888888888", "name": "Outra", "token": "t"}
    return Deed(request={"json": body})


async def _segment(scene: Scene) -> Deed:
    body = {"name": f"Segmento {uuid7().hex[-8:]}", "definition": {"type": "inactivity", "days": 30}}
    return Deed(request={"json": body})


async def _own_segment(scene: Scene) -> Deed:
    made = await _segment(scene)
    _, kept = await call(scene.hub, "POST", "/api/v1/segments", scene.admin.headers, **made.request)
    return Deed(ids={"segment_id": kept["id"]}, request={"json": {"name": f"Outro {uuid7().hex[-8:]}"}})


def _rules() -> dict[str, Any]:
    return {"name": "Loja", "origins": ["https://www.example.com"]}


async def _site(scene: Scene) -> Deed:
    _, made = await call(scene.hub, "POST", "/api/v1/sites", scene.admin.headers, json=_rules())
    return Deed(ids={"site_id": made["id"]}, request={"json": _rules() | {"bot": False}})


async def _visitors_file(scene: Scene) -> Deed:
    _, made = await call(scene.hub, "POST", "/api/v1/sites", scene.admin.headers, json=_rules())
    site_id, visitor = UUID(made["id"]), uuid7()
    await scene.hub.fetch(
        "INSERT INTO site_visitors (id, site_id, customer_id) VALUES ($1, $2, $3)",
        visitor, site_id, scene.ids["customer_id"],
    )  # fmt: skip
    token = make_token(scene.hub.services.settings.secret_key.get_secret_value(), site_id, visitor)
    headers = {"Origin": "https://www.example.com", "Authorization": f"Bearer {token}"}
    return Deed(request={**(await _upload(scene)).request, "params": {"key": made["key"]}}, headers=headers)


DEEDS: dict[str, Callable[[Scene], Awaitable[Deed]]] = {
    **deeds_results.DEEDS,
    "POST /api/v1/auth/login": _login,
    "POST /api/v1/auth/password": _own_password,
    "POST /api/v1/auth/password/forgot": _forgot,
    "POST /api/v1/auth/password/set": _set_password,
    "POST /api/v1/auth/second-factor": _second_factor,
    "POST /api/v1/auth/second-factor/message": _message_code,
    "DELETE /api/v1/auth/sessions": _other_session,
    "DELETE /api/v1/auth/sessions/{session_id}": _other_session,
    "POST /api/v1/auth/token": _token,
    "POST /api/v1/auth/totp/confirm": _confirm,
    "POST /api/v1/auth/totp/recovery-codes": _with_factor,
    "POST /api/v1/auth/totp/remove": _with_factor,
    "POST /api/v1/business/{kind}/import": _import,
    "POST /api/v1/conversations/{conversation_id}/assign": _assign,
    "POST /api/v1/conversations/next": _next,
    "DELETE /api/v1/keys/{key_id}": _key,
    "POST /api/v1/media": _upload,
    "POST /api/v1/messages/{message_id}/resolve-unknown": _unknown_message,
    "PATCH /api/v1/customers/{customer_id}": _correct,
    "POST /api/v1/customers/{customer_id}/consents": _consent,
    "POST /api/v1/privacy/consent-texts/{version}/retire": _retire,
    "POST /api/v1/analytics/reports/{report_id}/runs": _sent,
    "PUT /api/v1/analytics/reports/{report_id}": _scheduled,
    "DELETE /api/v1/analytics/reports/{report_id}": _sent,
    "PUT /api/v1/analytics/alerts/{alert_id}": _watched,
    "DELETE /api/v1/analytics/alerts/{alert_id}": _watched,
    "POST /api/v1/analytics/benefits-and-costs": _new_entry,
    "PUT /api/v1/analytics/benefits-and-costs/{entry_id}": _entered,
    "DELETE /api/v1/analytics/benefits-and-costs/{entry_id}": _entered,
    "PUT /api/v1/analytics/exchange-rates/{currency}/{valid_from}": _rate,
    "DELETE /api/v1/analytics/exchange-rates/{currency}/{valid_from}": _rate,
    "POST /api/v1/privacy/holds": _hold,
    "POST /api/v1/privacy/holds/{hold_id}/release": _release,
    "POST /api/v1/privacy/erasures": _erase,
    "PUT /api/v1/agents/me/presence": _presence,
    "PUT /api/v1/agents/{user_id}/presence": _presence,
    "PUT /api/v1/conversations/{conversation_id}/snooze": _put_off,
    "POST /api/v1/conversations/{conversation_id}/notes": _note,
    "PATCH /api/v1/conversations/{conversation_id}/labels": _labels,
    "POST /api/v1/conversations/{conversation_id}/scheduled-replies": _later,
    "DELETE /api/v1/conversations/{conversation_id}/scheduled-replies/{reply_id}": _scheduled_reply,
    "POST /api/v1/macros": _macro,
    "PUT /api/v1/macros/{macro_id}": _own_macro,
    "DELETE /api/v1/macros/{macro_id}": _own_macro,
    "POST /api/v1/conversations/{conversation_id}/macros/{macro_id}": _own_macro,
    "PUT /api/v1/dispositions/{key}": _outcome,
    "POST /api/v1/canned-replies": _canned,
    "PUT /api/v1/canned-replies/{reply_id}": _own_canned,
    "DELETE /api/v1/canned-replies/{reply_id}": _own_canned,
    "POST /api/v1/queues": _new_queue,
    "PUT /api/v1/queues/{key}": _spare_queue,
    "DELETE /api/v1/queues/{key}": _spare_queue,
    "PUT /api/v1/queues/{key}/team": _queue_team,
    "PUT /api/v1/sla/policies/{policy_id}": _promised,
    "DELETE /api/v1/sla/policies/{policy_id}": _promised,
    "PATCH /api/v1/roles/{name}": _role,
    "POST /api/v1/segments": _segment,
    "PUT /api/v1/sites/{site_id}": _site,
    "POST /api/v1/sites/{site_id}/identity-secret": _site,
    "POST /widget/files": _visitors_file,
    "PUT /api/v1/segments/{segment_id}": _own_segment,
    "DELETE /api/v1/segments/{segment_id}": _own_segment,
    "DELETE /api/v1/teams/{team_id}": _empty_team,
    "PATCH /api/v1/teams/{team_id}": _team_name,
    "DELETE /api/v1/whatsapp/numbers/{number_id}": _number_at_rest,
    "POST /api/v1/webhooks/dead/replay": _dead_letter,
    "POST /api/v1/whatsapp/accounts": _spare_account,
    "POST /api/v1/whatsapp/messages": _send_template,
    "POST /api/v1/whatsapp/numbers/{number_id}/register": _register,
    "POST /api/v1/whatsapp/templates": _template,
    "PUT /api/v1/whatsapp/templates/{template_id}": _edit,
    "POST /api/v1/whatsapp/templates/{template_id}/submit": _draft,
    "DELETE /api/v1/whatsapp/templates/{template_id}": _draft,
    "POST /api/v1/whatsapp/templates/{template_id}/unpause": _paused_template,
    "POST /api/v1/conversations/{conversation_id}/merge": _merge,
    **deeds_campaigns.DEEDS,
}


async def do(scene: Scene, route: Route) -> tuple[int, str, str]:
    """Call a write route so that it succeeds: status, trace id and body of the answer."""
    deed = await DEEDS[route.name](scene) if route.name in DEEDS else Deed()
    request = deed.request or route.request()
    headers = deed.headers or (scene.admin.headers if route.permission != "public" else {})
    url = scene.hub.url + route.url(**{**scene.ids, **deed.ids})
    async with scene.hub.session.request(
        route.method, url, headers=headers, allow_redirects=False, **request
    ) as answer:
        return answer.status, answer.headers["X-Request-ID"], await answer.text()
