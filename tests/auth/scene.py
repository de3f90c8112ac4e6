"""The world in which every writing route is tried: people, a number, conversations, and what a trial needs to know of them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pyotp
from aiohttp import FormData

from hub_api.platform.ids import uuid7
from hub_api.simulator import review
from hub_api.simulator.config import WABA_ID
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.templates.sync import sync_templates
from tests.auth.people import (
    AUTH,
    Person,
    add_conversation,
    add_person,
    add_team,
    call,
    earlier_code,
    login,
)
from tests.support.hub import Hub
from tests.support.sending import add_our_number
from tests.whatsapp.templates.drafting import BODY

NEW_PASSWORD = "sete baleias na varanda azul"


@dataclass
class Scene:
    """What a deed finds: who does it, and records of every kind by the names that paths give their ids."""

    hub: Hub
    sim: Simulator
    admin: Person
    ids: dict[str, Any]

    async def new_template(self) -> UUID:
        """A template written here that Meta does not know."""
        body = {**bill(self), "name": f"aviso_{uuid7().hex[-10:]}"}
        _, made = await call(self.hub, "POST", "/api/v1/whatsapp/templates", self.admin.headers, json=body)
        return made["id"]

    async def approved_template(self) -> UUID:
        """One that Meta approved."""
        template = await self.new_template()
        path = f"/api/v1/whatsapp/templates/{template}/submit"
        assert (await call(self.hub, "POST", path, self.admin.headers))[0] == 200
        name = await self.hub.fetchval("SELECT name FROM templates WHERE id = $1", UUID(str(template)))
        review.set_status(self.sim.core, self.at_meta(name), "APPROVED")
        await sync_templates(self.hub.services, self.ids["account_id"])
        return template

    def at_meta(self, name: str) -> Any:
        """A template as Meta has it."""
        return self.sim.core.world.wabas[WABA_ID].templates[(name, "pt_BR")]


@dataclass
class Deed:
    """What is sent in place of the sample: ids in the path, arguments of the request, and who does it (None: nobody)."""

    ids: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] | None = None


async def set_the_scene(hub: Hub, sim: Simulator) -> Scene:
    """New people, a conversation of the admin's, and the number as it was, whatever deeds came before."""
    admin = await add_person(hub, "admin")
    team, queue = await add_team(hub, uuid7().hex[-8:])
    other = await add_person(hub, "agent", team)
    made = await add_conversation(hub, queue, "bom dia", admin.id)
    number_id = await add_our_number(hub.services)
    await hub.fetch("UPDATE whatsapp_numbers SET state = 'connected', state_reason = NULL, paused_until = NULL")
    await hub.fetch("UPDATE conversations SET number_id = $1 WHERE id = $2", number_id, made["conversation"])
    role = f"papel_{uuid7().hex[-8:]}"
    await hub.fetch("INSERT INTO roles (name, title) VALUES ($1, 'Papel')", role)
    form = FormData()
    form.add_field("file", b"%PDF-1.4 oi", filename="oi.pdf", content_type="application/pdf")
    _, media = await call(hub, "POST", "/api/v1/media", admin.headers, data=form)
    client_id = f"app-{uuid7().hex[-8:]}"
    client = {"id": client_id, "name": "App", "redirect_uris": ["https://app.example/back"]}
    assert (await call(hub, "POST", "/api/v1/openid/clients", admin.headers, json=client))[0] == 201
    ids = {
        "client_id": client_id,
        "conversation_id": made["conversation"],
        "customer_id": made["customer"],
        "message_id": made["message"],
        "user_id": other.id,
        "session_id": await hub.fetchval("SELECT id FROM sessions WHERE user_id = $1", other.id),
        "team_id": team,
        "key": queue,
        "name": role,
        "number_id": number_id,
        "account_id": await hub.fetchval("SELECT id FROM whatsapp_accounts WHERE waba_id = $1", WABA_ID),
        "media_id": media["id"],
        "kind": "plans",
    }
    return Scene(hub, sim, admin, ids)


def bill(scene: Scene) -> dict[str, Any]:
    """A template that Meta takes."""
    return {
        "account_id": str(scene.ids["account_id"]),
        "name": f"fatura_{uuid7().hex[-10:]}",
        "language": "pt_BR",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [BODY],
    }


async def set_up_factor(scene: Scene) -> tuple[pyotp.TOTP, Person]:
    """Somebody with a second factor."""
    person = await add_person(scene.hub, phone="+5511987654321")
    _, pending = await call(scene.hub, "POST", f"{AUTH}/totp", person.headers)
    app = pyotp.TOTP(pending["secret"])
    code = await earlier_code(app)
    await call(scene.hub, "POST", f"{AUTH}/totp/confirm", person.headers, json={"code": code})
    return app, person


async def challenged(scene: Scene) -> tuple[pyotp.TOTP, str]:
    """A sign-in that waits for its second factor."""
    app, person = await set_up_factor(scene)
    _, body = await login(scene.hub, person.email)
    return app, body["challenge"]
