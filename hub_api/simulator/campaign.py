"""The demo's campaign: a reminder of late invoices in two wordings, and a control without message; planned, approved by a second
person and begun by the rules that hold for everybody."""

from typing import Any
from uuid import UUID

from hub_api import roles
from hub_api.auth.permissions import ALL
from hub_api.auth.principal import Principal
from hub_api.campaign_channel import WhatsApp
from hub_api.campaigns.plans import check, keep, states
from hub_api.campaigns.plans.schemas import NewCampaign
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.whatsapp.templates.sync import sync_templates

NAME = "Lembrete de fatura em atraso"
SEGMENT = "Fatura em atraso"
_FIRST_NAME = {"source": "customer.first_name", "fallback": "cliente"}
_AMOUNT = {"source": "invoice.amount", "fallback": "valor em aberto"}
# A tracked link: each message has a code of its own, and the page learns from it who paid.
_PAY = {"source": "link", "url": "https://telecom.example/2via?hub={click}"}
_DUE_ON = {"source": "invoice.due_on", "fallback": "dias atrás"}


async def begin_campaign(settings: Settings) -> str | None:
    """Begin the campaign, unless there is one already. Returns what is in its way, in words; None when it runs."""
    marketer, supervisor = _person("demo: marketing"), _person("demo: supervisão")
    async with roles.services(settings, "demo") as services:
        if await services.db.fetchval("SELECT EXISTS (SELECT FROM campaigns)"):
            return None
        for row in await services.db.fetch("SELECT id FROM whatsapp_accounts"):
            await sync_templates(services, row["id"])
        segment_id = await services.db.fetchval("SELECT id FROM segments WHERE name = $1", SEGMENT)
        if segment_id is None:
            return f"there is no segment {SEGMENT!r}"
        async with services.transaction() as tx:
            campaign_id = await keep.create(tx, marketer, NewCampaign.model_validate(_plan(segment_id)))
        found = await check.check(services, WhatsApp(), await keep.find(services.db, marketer, campaign_id))
        if problems := check.blocking(found):
            return "; ".join(f"{one['code']}: {one['message']}" for one in problems)
        for verb, who in (("submit", marketer), ("approve", supervisor), ("start", supervisor)):
            await _step(services, who, campaign_id, verb)
    return None


async def _step(services: Services, who: Principal, campaign_id: UUID, verb: str) -> None:
    async with services.transaction() as tx:
        await states.step(tx, who, campaign_id, verb)


def _plan(segment_id: UUID) -> dict[str, Any]:
    reminder = {"body.primeiro_nome": _FIRST_NAME, "body.valor": _AMOUNT}
    return {
        "name": NAME,
        "description": "exemplo da demonstração: dois textos e um grupo sem mensagem",
        "lane": "utility",
        "audience": {"segment_id": str(segment_id)},
        "variants": [
            {"name": "controle", "share": 0.2},
            _variant("formal", "fatura_disponivel", reminder),
            _variant("proximo", "fatura_pagar", {**reminder, "body.vencimento": _DUE_ON, "body.link": _PAY}),
        ],
        "experiment": {"allocation": "winner", "metric": "reply", "test_share": 0.5},
        "pacing": {"runway": 50},
        "goal": "payment",
        "window_days": 7,
    }


def _variant(name: str, template: str, variables: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "template_name": template, "template_language": "pt_BR", "variables": variables, "share": 0.4
    }  # fmt: skip


def _person(name: str) -> Principal:
    return Principal("key", uuid7(), name, frozenset({ALL}), None, None)
