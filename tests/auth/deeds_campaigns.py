"""How the writing routes of campaigns are called so that they succeed (see `deeds.py`)."""

from collections.abc import Awaitable, Callable
from typing import Any

from hub_api.platform.ids import uuid7
from tests.auth.people import add_person, call
from tests.auth.scene import Deed, Scene

CAMPAIGNS = "/api/v1/campaigns"
_BODY = [{"type": "BODY", "text": "Sua conta está no aplicativo."}]


async def _upload(scene: Scene) -> Deed:
    text = f"customer_id\n{scene.ids['customer_id']}\n"
    return Deed(request={"json": {"name": "publico.csv", "csv": text}})


async def _plan(scene: Scene) -> dict[str, Any]:
    await scene.hub.fetch(
        "INSERT INTO templates (id, account_id, name, language, category, status, components) "
        "VALUES ($1, $2, 'aviso_de_campanha', 'pt_BR', 'UTILITY', 'APPROVED', $3) ON CONFLICT DO NOTHING",
        uuid7(), scene.ids["account_id"], _BODY,
    )  # fmt: skip
    await scene.hub.fetch(
        "UPDATE conversations SET state = 'closed' WHERE customer_id = $1 AND state = 'resolved'",
        scene.ids["customer_id"],
    )
    customer = "INSERT INTO customers (id, name, phone) VALUES ($1, 'Ana', '+5511987650000')"
    customer_id = uuid7()
    await scene.hub.fetch(customer, customer_id)
    upload = {"json": {"name": "p.csv", "csv": f"customer_id\n{customer_id}\n"}}
    _, made = await call(scene.hub, "POST", "/api/v1/campaign-audiences", scene.admin.headers, **upload)
    message = {"name": "a", "share": 1, "template_name": "aviso_de_campanha", "template_language": "pt_BR"}
    return {"name": "Aviso", "lane": "utility", "audience": {"upload_id": made["id"]}, "variants": [message]}


async def _new(scene: Scene) -> Deed:
    return Deed(request={"json": await _plan(scene)})


async def _made(scene: Scene) -> Any:
    _, made = await call(scene.hub, "POST", CAMPAIGNS, scene.admin.headers, json=await _plan(scene))
    return made["id"]


async def _draft(scene: Scene) -> Deed:
    return Deed(ids={"campaign_id": await _made(scene)})


async def _changed(scene: Scene) -> Deed:
    return Deed(ids={"campaign_id": await _made(scene)}, request={"json": {**await _plan(scene), "name": "Outro"}})


async def _step(scene: Scene, campaign_id: Any, *verbs: str) -> None:
    other = await add_person(scene.hub, "admin")
    for verb in verbs:
        who = scene.admin if verb == "submit" else other
        body = {"json": {"reason": ""}} if verb == "pause" else {}
        status, answer = await call(scene.hub, "POST", f"{CAMPAIGNS}/{campaign_id}/{verb}", who.headers, **body)
        assert status == 200, answer


def _after(*verbs: str, **request: Any) -> Callable[[Scene], Awaitable[Deed]]:
    async def deed(scene: Scene) -> Deed:
        campaign_id = await _made(scene)
        await _step(scene, campaign_id, *verbs)
        return Deed(ids={"campaign_id": campaign_id}, request=request)

    return deed


async def _approved(scene: Scene) -> Deed:
    """By somebody else than who made it and handed it in."""
    campaign_id = await _made(scene)
    await _step(scene, campaign_id, "submit")
    return Deed(ids={"campaign_id": campaign_id}, headers=(await add_person(scene.hub, "admin")).headers)


async def _budget(scene: Scene) -> Deed:
    """By somebody else than who made it."""
    campaign_id = await _made(scene)
    await _step(scene, campaign_id, "submit", "approve", "start")
    headers = (await add_person(scene.hub, "admin")).headers
    return Deed(ids={"campaign_id": campaign_id}, headers=headers, request={"json": {"budget_micros": 9_000_000}})


REASON = {"reason": "teste"}
DEEDS: dict[str, Callable[[Scene], Awaitable[Deed]]] = {
    "POST /api/v1/campaign-audiences": _upload,
    "POST /api/v1/campaigns": _new,
    "PUT /api/v1/campaigns/{campaign_id}": _changed,
    "POST /api/v1/campaigns/{campaign_id}/submit": _draft,
    "POST /api/v1/campaigns/{campaign_id}/approve": _approved,
    "POST /api/v1/campaigns/{campaign_id}/reject": _after("submit", json=REASON),
    "POST /api/v1/campaigns/{campaign_id}/start": _after("submit", "approve"),
    "POST /api/v1/campaigns/{campaign_id}/pause": _after("submit", "approve", "start", json=REASON),
    "POST /api/v1/campaigns/{campaign_id}/resume": _after("submit", "approve", "start", "pause"),
    "POST /api/v1/campaigns/{campaign_id}/cancel": _after(json=REASON),
    "PUT /api/v1/campaigns/{campaign_id}/budget": _budget,
}
