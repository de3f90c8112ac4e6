"""The survey by what the channel offers: a template once the window has closed, a form for the recommendation; the hub, its API and
the simulator over HTTP."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from hub_api.simulator.demo import connect_number
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from hub_api.whatsapp.templates.sync import sync_templates
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.simulator import ANA, TOKEN, test_config

API = "/api/v1/conversations"
TEMPLATE, FLOW = "pesquisa_satisfacao", "1234567890"
STRANGER = "5521912345678"


@dataclass
class Scene:
    """A customer at the simulator, and the hub."""

    hub: Hub
    sim: Simulator

    async def does(self, path: str, **body: Any) -> dict[str, Any]:
        async with self.hub.session.post(f"{self.sim.url}/_sim/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def eventually(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        end = time.monotonic() + 30
        while not (found := await condition()):
            assert time.monotonic() < end, "did not come about"
            await self.hub.settled()
        return found

    async def ana(self, **message: Any) -> None:
        """She does something, and the hub has dealt with it."""
        before = await self.hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'in'")
        await self.does("inbound", **{"from": ANA, **message})
        await self.eventually(lambda: self.hub.fetchval(
            "SELECT count(*) > $1 FROM messages WHERE direction = 'in'", before))  # fmt: skip
        await self.hub.settled()

    async def wrote(self) -> dict[str, Any]:
        """She writes; the conversation as the API shows it."""
        await self.ana(text="oi")
        return await self.shown(await self.hub.fetchval("SELECT id FROM conversations ORDER BY id DESC LIMIT 1"))

    async def shown(self, conversation: UUID | str) -> dict[str, Any]:
        answer = await self.hub.get(f"{API}/{conversation}", headers=self.hub.auth)
        assert answer.status == 200
        return await answer.json()

    async def ended(self, conversation: str, *, hours_later: int = 25) -> dict[str, Any]:
        """It is resolved so long after her last word; what the API shows of it then."""
        await self.hub.fetch(
            "UPDATE conversations SET last_customer_message_at = now() - make_interval(hours => $2) WHERE id = $1",
            UUID(conversation), hours_later,
        )  # fmt: skip
        answer = await self.hub.post(f"{API}/{conversation}/resolve", json={}, headers=self.hub.auth)
        assert answer.status == 200, await answer.text()
        await self.hub.settled()
        return await self.shown(conversation)

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """What the platform took of us, of one type, without what it was addressed by."""
        return [
            one.body[kind]
            for one in self.sim.core.ledger.calls
            if one.outcome == "accepted" and one.body.get("type") == kind
        ]

    async def events(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.hub.fetch("SELECT payload FROM events WHERE type = $1 ORDER BY seq", kind)
        return [row["payload"] for row in rows]


Opener = Callable[..., Any]


@pytest.fixture
def scene(database_url: str, redis_url: str) -> Opener:
    @asynccontextmanager
    async def opened(**changes: Any) -> AsyncIterator[Scene]:
        async with Simulator(test_config()) as sim:
            settings = make_settings(database_url, redis_url, meta_base_url=sim.url, **changes)
            await connect_number(settings, TOKEN)
            async with running_hub(settings) as hub:
                await sync_templates(hub.services, await hub.fetchval("SELECT id FROM whatsapp_accounts"))
                made = Scene(hub, sim)
                sim.core.world.register([NewUser(ANA, name="Ana Souza"), NewUser(STRANGER, name="Bia Lima")])
                await made.does("webhooks", url=f"{hub.url}/webhooks/whatsapp")
                yield made

    return opened


async def test_once_the_window_has_closed_a_template_asks_and_its_button_rates_that_conversation(scene: Opener):
    async with scene(survey_template=TEMPLATE) as at:
        opened = await at.wrote()
        ended = await at.ended(opened["id"])
        assert (ended["survey"], ended["state"]) == ("template", "resolved")
        (asked,) = at.sent("template")
        body, *buttons = asked["components"]
        assert (asked["name"], body["parameters"]) == (TEMPLATE, [{"type": "text", "text": opened["protocol"]}])
        assert [one["parameters"][0]["payload"] for one in buttons] == [f"csat_{n}:{opened['id']}" for n in range(1, 6)]
        row = (await at.hub.fetch("SELECT * FROM messages WHERE type = 'template'"))[0]
        assert (row["category"], row["author"]) == ("utility", "bot") and opened["protocol"] in row["content"]
        await at.ana(type="button", content={"payload": f"csat_4:{opened['id']}", "text": "4"}, quotes=row["wamid"])
        rated = await at.shown(opened["id"])
        assert (rated["satisfaction"], rated["state"], rated["reopened_count"]) == (4, "resolved", 0)

        # Days later, when she talks of something else: the same button still means the end it asked about.
        await at.hub.post(f"{API}/{opened['id']}/close", json={}, headers=at.hub.auth)
        another = await at.wrote()
        assert another["id"] != opened["id"]
        await at.ana(type="button", content={"payload": f"csat_2:{opened['id']}", "text": "2"}, quotes=row["wamid"])
        assert (await at.shown(opened["id"]))["satisfaction"] == 2
        assert (await at.shown(another["id"]))["satisfaction"] is None
        assert [one["reason"] for one in await at.events("conversation.surveyed")] == ["due", "template"]


@pytest.mark.parametrize(
    ("template", "refuses", "reason"),
    [
        (None, None, "no_template"),
        ("nao_existe", None, "template_unusable"),
        ("oferta_fibra", None, "template_unusable"),  # advertising
        ("fatura_lembrete", None, "template_unusable"),  # three things to fill in
        (TEMPLATE, "utility", "opted_out"),
        (TEMPLATE, "marketing", "template"),
    ],
)
async def test_who_cannot_be_asked_is_not_and_the_conversation_says_why(
    scene: Opener, template: str | None, refuses: str | None, reason: str
):
    async with scene(survey_template=template) as at:
        opened = await at.wrote()
        if refuses:
            customer = UUID(opened["customer_id"])
            await at.hub.fetch("INSERT INTO suppressions (customer_id, scope, reason) VALUES ($1, $2, 'opt_out')", customer, refuses)  # fmt: skip
        assert (await at.ended(opened["id"]))["survey"] == reason
        assert len(at.sent("template")) == (reason == "template")
        if reason != "template":  # another end, inside the window, is asked about as ever
            await at.ana(text="quais planos vocês têm?")
            assert (await at.shown(opened["id"]))["state"] == "bot"
            again = await at.ended(opened["id"], hours_later=0)
            assert again["survey"] is None
            assert at.sent("interactive")[-1]["action"]["sections"][0]["rows"][0]["id"] == "csat_5"


async def test_a_form_asks_from_zero_to_ten_and_what_is_sent_twice_counts_once(scene: Opener):
    async with scene(survey_nps=True, nps_flow=FLOW) as at:
        opened = await at.wrote()
        await at.ended(opened["id"], hours_later=0)
        await at.ana(text="5")
        form = at.sent("interactive")[-1]
        assert form["type"] == "flow" and form["action"]["parameters"]["flow_id"] == FLOW
        token = form["action"]["parameters"]["flow_token"]
        filled = {"flow": {"score": "9"}, "flow_token": token}
        for _ in range(2):
            await at.ana(**filled)
        after = await at.shown(opened["id"])
        assert (after["satisfaction"], after["nps"], after["state"], after["reopened_count"]) == (5, 9, "resolved", 0)
        assert [one["score"] for one in await at.events("conversation.recommended")] == [9]

        await at.hub.post(f"{API}/{opened['id']}/close", json={}, headers=at.hub.auth)
        another = await at.wrote()
        await at.ana(flow={"score": 3}, flow_token=token)
        assert (await at.shown(opened["id"]))["nps"] == 3, "the last word counts"
        assert (await at.shown(another["id"]))["nps"] is None
        # A token that was made up, or another person's, changes nothing; a form without a score neither.
        await at.ana(**{"from": STRANGER, "text": "oi"})
        await at.ana(**{"from": STRANGER, "flow": {"score": 10}, "flow_token": token})
        await at.ana(flow={"score": "muito"}, flow_token=token)
        assert (await at.shown(opened["id"]))["nps"] == 3
        assert len(await at.events("conversation.recommended")) == 2
        known = await at.hub.get(f"/api/v1/customers/{opened['customer_id']}", headers=at.hub.auth)
        told = await known.json()
        assert [(told[what]["value"], told[what]["conversation_id"]) for what in ("satisfaction", "nps")] == [
            (5, opened["id"]),
            (3, opened["id"]),
        ]
        assert told["satisfaction"]["at"] < told["nps"]["at"]


async def test_a_form_that_meta_stopped_is_not_sent_and_a_number_answers_instead(scene: Opener):
    async with scene(survey_nps=True, nps_flow=FLOW) as at:
        await at.hub.fetch("INSERT INTO whatsapp_flows (account_id, flow_id, status) SELECT id, $1, 'BLOCKED' FROM whatsapp_accounts", FLOW)  # fmt: skip
        opened = await at.wrote()
        await at.ended(opened["id"], hours_later=0)
        await at.ana(text="3")
        assert "0 a 10" in at.sent("text")[-1]["body"]
        await at.ana(text="dez")
        assert (await at.shown(opened["id"]))["nps"] == 10
