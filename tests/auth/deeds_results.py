"""How the writing routes of links, goals and suppression lists are called so that they succeed (see `deeds.py`)."""

import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import FormData

from hub_api.campaigns.goals.signed import sign
from hub_api.campaigns.links import codes
from hub_api.platform.ids import uuid7
from tests.auth.people import call
from tests.auth.scene import Deed, Scene


async def _opt_out(scene: Scene) -> Deed:
    customer = scene.ids["customer_id"]
    async with scene.hub.services.transaction() as tx:
        made = await codes.issue_opt_outs(tx, scene.hub.services.settings, {customer: None})
    return Deed(ids={"code": made[customer]})


async def _link(scene: Scene) -> Deed:
    return Deed(request={"json": {"name": "Fibra", "url": "https://www.example.com/fibra"}})


async def _own_link(scene: Scene) -> Deed:
    _, made = await call(scene.hub, "POST", "/api/v1/links", scene.admin.headers, **(await _link(scene)).request)
    return Deed(ids={"link_id": made["id"]})


async def _listed(scene: Scene) -> Deed:
    return Deed(request={"json": {"phone": "+5511912345678", "reason": "complaint"}})


async def _own_entry(scene: Scene) -> Deed:
    _, made = await call(
        scene.hub, "POST", "/api/v1/suppressions", scene.admin.headers, **(await _listed(scene)).request
    )
    return Deed(ids={"entry_id": made["id"]}, request={"json": {"reason": "legal"}})


async def _gone_entry(scene: Scene) -> Deed:
    return Deed(ids=(await _own_entry(scene)).ids)


async def _list_file(scene: Scene) -> Deed:
    form = FormData()
    form.add_field("file", b"telefone;motivo\n11987654321;Procon\n", filename="lista.csv")
    return Deed(request={"data": form})


def _sold() -> dict[str, Any]:
    return {"kind": "purchase", "external_id": uuid7().hex, "occurred_at": datetime.now(UTC).isoformat()}


async def _goals(scene: Scene) -> Deed:
    return Deed(request={"json": {"goals": [_sold() | {"customer_id": str(scene.ids["customer_id"])}]}})


async def _conversion_key(scene: Scene) -> Deed:
    _, key = await call(scene.hub, "POST", "/api/v1/conversion-keys", scene.admin.headers, json={"name": "Loja"})
    return Deed(ids={"key_id": key["id"]}, request={"secret": key["secret"]})


async def _revoked_key(scene: Scene) -> Deed:
    return Deed(ids=(await _conversion_key(scene)).ids)


async def _signed_goals(scene: Scene) -> Deed:
    key, now = await _conversion_key(scene), int(time.time())
    body = json.dumps((await _goals(scene)).request["json"]).encode()
    signature = sign(key.request["secret"], now, body)
    headers = {"X-Hub-Key": key.ids["key_id"], "X-Hub-Timestamp": str(now), "X-Hub-Signature": signature}
    return Deed(request={"data": body}, headers={**headers, "Content-Type": "application/json"})


async def _goal_file(scene: Scene) -> Deed:
    form = FormData()
    form.add_field("file", b"id;tipo;data;telefone\nP1;compra;01/11/2026 10:00;11987654321\n", filename="vendas.csv")
    return Deed(request={"data": form})


DEEDS: dict[str, Callable[[Scene], Awaitable[Deed]]] = {
    "POST /api/v1/goals": _goals,
    "POST /api/v1/goals/import": _goal_file,
    "POST /webhooks/conversions": _signed_goals,
    "DELETE /api/v1/conversion-keys/{key_id}": _revoked_key,
    "POST /api/v1/links": _link,
    "DELETE /api/v1/links/{link_id}": _own_link,
    "POST /api/v1/suppressions": _listed,
    "POST /api/v1/suppressions/import": _list_file,
    "PATCH /api/v1/suppressions/{entry_id}": _own_entry,
    "DELETE /api/v1/suppressions/{entry_id}": _gone_entry,
    "POST /o/{code}": _opt_out,
}
