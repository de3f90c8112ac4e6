"""Tracked links in a campaign's messages: one code a message and link, whatever is killed or tried again, and a click that leads back
to the message it came from."""

import re
from collections.abc import Sequence
from random import Random
from typing import Any
from uuid import UUID

import pytest

from hub_api.campaigns.links.visit import MOST_TOLD
from hub_api.campaigns.sending import turn
from hub_api.simulator.behaviour import Prompt, Reaction
from hub_api.simulator.model import Outbound, User
from hub_api.simulator.render import text_of
from hub_api.simulator.server import Simulator
from tests.auth.people import call
from tests.campaigns.engine.stage import CAMPAIGNS, Stage, variant
from tests.campaigns.test_links import PHONE, opening
from tests.support.sending import drain_all
from tests.support.waiting import eventually

SHOP = "https://loja.example.com/fibra?cidade={contract.city}&hub={click}"
LINK = {"source": "link", "url": SHOP}
NAME = {"source": "customer.first_name", "fallback": "cliente"}
BUTTON = "http://127.0.0.1:8000/l/{{1}}"


def linked(name: str = "a", share: float = 1.0, **changes: Any) -> dict[str, Any]:
    """A variant whose text and button both carry a link."""
    places = {"body.1": NAME, "body.2": LINK, "button.0": {"source": "link", "url": "https://loja.example.com/ajuda"}}
    return {**variant(name, share, "oferta_link"), "variables": {**places, **changes}}


@pytest.fixture
async def shop(stage: Stage, sim: Simulator) -> Stage:
    """A stage with a template that has a link in its text and one in its button."""
    await add_template(stage, sim, BUTTON)
    return stage


async def add_template(stage: Stage, sim: Simulator, button: str, name: str = "oferta_link") -> None:
    components = [
        {"type": "BODY", "text": "Olá, {{1}}! Veja em {{2}} o que há.", "example": {"body_text": [["Ana", "https://x.example/l/a"]]}},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Ajuda", "url": button, "example": [button.replace("{{1}}", "a")]}]},
    ]  # fmt: skip
    await stage.template(sim, name, components)


async def codes_of(stage: Stage) -> dict[UUID, tuple[str, str]]:
    """By customer: the code in the text and the one in the button of his message."""
    rows = await stage.hub.fetch(
        "SELECT customer_id, payload FROM messages WHERE author = 'campaign' AND state <> 'failed'"
    )
    found = {}
    for row in rows:
        body, button = row["payload"]["template"]["components"]
        address = body["parameters"][1]["text"]
        assert address.startswith("http://127.0.0.1:8000/l/")
        found[row["customer_id"]] = (address.rpartition("/")[2], button["parameters"][0]["text"])
    return found


async def clicks(stage: Stage, code: str, times: int = 1) -> str:
    """Open the link as a person does; where it leads."""
    for _ in range(times):
        async with opening(stage.hub, f"/l/{code}", headers=PHONE) as answer:
            assert answer.status == 302
            location = answer.headers["Location"]
    return location


async def test_each_message_carries_codes_of_its_own_and_a_click_leads_back_to_it(shop: Stage, sim: Simulator) -> None:
    people = await shop.people(12)
    await shop.hub.fetch(
        "INSERT INTO plans (external_id, name, kind, price_micros) VALUES ('P1', 'Fibra', 'fiber', 99900000)"
    )
    await shop.hub.fetch(
        "INSERT INTO contracts (external_id, customer_id, plan_id, status, city, started_on) VALUES ('C1', $1, 'P1', 'active', 'São João & Cia', '2025-01-01')",
        people[0].id,
    )  # fmt: skip
    campaign_id = await shop.begun(people, variants=[linked("a", 0.5), linked("b", 0.5)], goal="click")
    await shop.run()
    assert sim.core.ledger.accepted_calls == 12
    codes = await codes_of(shop)
    assert len({code for pair in codes.values() for code in pair}) == 24
    assert await shop.hub.fetchval("SELECT count(*) FROM tracked_links WHERE message_id IS NOT NULL") == 24
    assert await shop.hub.fetchval("SELECT count(*) FROM link_targets WHERE campaign_id = $1", campaign_id) == 2
    code = codes[people[0].id][0]
    assert (
        await clicks(shop, code, 3)
        == f"https://loja.example.com/fibra?cidade=S%C3%A3o%20Jo%C3%A3o%20%26%20Cia&hub={code}"
    )
    assert (await clicks(shop, codes[people[1].id][0])).startswith("https://loja.example.com/fibra?cidade=&hub=")
    told = await shop.hub.fetch(
        "SELECT aggregate_version, payload FROM events WHERE type = 'link.clicked' ORDER BY seq"
    )
    message = await shop.hub.fetchval("SELECT message_id FROM campaign_recipients WHERE customer_id = $1", people[0].id)
    assert [row["aggregate_version"] for row in told] == [1, 2, 3, 1]
    assert {row["payload"]["message_id"] for row in told[:3]} == {str(message)}
    goals = await shop.hub.fetch(
        "SELECT g.kind, a.message_id FROM goals g JOIN goal_attributions a ON a.goal_id = g.id ORDER BY g.id"
    )
    assert len(goals) == 2 and message in {row["message_id"] for row in goals}, "the first click of each is a goal"
    _, lineage = await call(shop.hub, "GET", f"/api/v1/messages/{message}/lineage", shop.hub.auth)
    assert sorted(one["clicks"] for one in lineage["clicks"]) == [0, 3]


async def test_a_killed_round_and_a_second_try_carry_the_same_code(
    shop: Stage, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await shop.people(3)
    await shop.begun(people, variants=[linked()])
    wanted: list[tuple[str, str]] = []

    async def dies(*arguments: Any) -> None:
        wanted.extend(sorted(one.code for _, one in arguments[2]))
        raise ConnectionError("killed between the message and its code")

    with monkeypatch.context() as patch:
        patch.setattr(turn.links, "keep", dies)
        with pytest.raises(ConnectionError):
            await shop.tick()
    assert await shop.hub.fetchval("SELECT count(*) FROM messages WHERE author = 'campaign'") == 0
    assert await shop.hub.fetchval("SELECT count(*) FROM tracked_links") == 0
    await shop.tick()
    codes = await codes_of(shop)
    assert sorted(code for pair in codes.values() for code in pair) == wanted
    await shop.hub.fetch("UPDATE messages SET state = 'failed', error_code = 131016, failed_at = now() WHERE customer_id = $1 AND author = 'campaign'", people[0].id)  # fmt: skip
    await shop.tick()
    await shop.hub.fetch("UPDATE campaign_recipients SET send_after = now() WHERE state = 'pending'")
    await shop.tick()
    assert await codes_of(shop) == codes
    assert await shop.hub.fetchval("SELECT count(*) FROM tracked_links") == 6
    newest = await shop.hub.fetchval("SELECT message_id FROM campaign_recipients WHERE customer_id = $1", people[0].id)
    assert await shop.hub.fetchval("SELECT count(*) FROM tracked_links WHERE message_id = $1", newest) == 2


async def test_a_link_that_may_not_be_used_is_in_the_way(shop: Stage, sim: Simulator) -> None:
    await add_template(shop, sim, "https://telecom.example/l/{{1}}", "oferta_alheia")
    people = await shop.people(2)
    elsewhere = linked(**{"body.2": {"source": "link", "url": "https://evil.example/"}})
    foreign = {**linked(), "template_name": "oferta_alheia"}
    for given, problem in ((elsewhere, "link"), (foreign, "link_button")):
        plan = await shop.plan(people, variants=[given])
        _, made = await call(shop.hub, "POST", CAMPAIGNS, shop.marketer.headers, json=plan)
        _, found = await call(shop.hub, "POST", f"{CAMPAIGNS}/{made['id']}/check", shop.marketer.headers)
        assert [one["code"] for one in found["problems"] if one["blocks"]] == [problem]
    _, made = await call(
        shop.hub, "POST", CAMPAIGNS, shop.marketer.headers, json=await shop.plan(people, variants=[linked()])
    )
    _, found = await call(shop.hub, "POST", f"{CAMPAIGNS}/{made['id']}/check", shop.marketer.headers)
    assert found["problems"] == [] and "/l/0000000000000000" in found["samples"][0]["message"]["text"]
    for wrong in (
        {"body.1": {"source": "link"}},
        {"body.1": {"source": "customer.first_name"}},
        {"body.1": {**NAME, "url": SHOP}},
        {"header.1": LINK},
        {"body.1": {"source": "link", "url": "https://loja.example.com/?x={customer.cpf}"}},
    ):
        plan = await shop.plan(people, variants=[linked(**wrong)])
        status, answer = await call(shop.hub, "POST", CAMPAIGNS, shop.marketer.headers, json=plan)
        assert (status, answer["code"]) == (422, "invalid"), wrong


async def test_a_link_that_is_put_away_stops_the_campaign(shop: Stage, sim: Simulator) -> None:
    campaign_id = await shop.begun(await shop.people(30), variants=[linked()], pacing={"runway": 10})
    await shop.tick()
    await drain_all(shop.hub.services)
    await shop.hub.fetch("UPDATE link_targets SET archived_at = now()")
    await shop.tick()
    row = await shop.of(campaign_id)
    assert (row["state"], row["block_reason"]) == ("paused", "link") and sim.core.ledger.accepted_calls == 10


async def test_who_reloads_all_day_fills_no_warehouse(shop: Stage) -> None:
    (ana,) = await shop.people(1)
    await shop.begun([ana], variants=[linked()])
    await shop.run()
    code = (await codes_of(shop))[ana.id][0]
    await shop.hub.fetch("UPDATE tracked_links SET clicks = $1 WHERE clicks = 0", MOST_TOLD - 1)
    await clicks(shop, code, 3)
    assert await shop.hub.fetchval("SELECT max(clicks) FROM tracked_links") == MOST_TOLD + 2
    assert await shop.hub.fetchval("SELECT count(*) FROM events WHERE type = 'link.clicked'") == 1


async def test_the_simulators_customers_open_the_hubs_links_and_nobody_elses(shop: Stage, sim: Simulator) -> None:
    people = await shop.people(3)
    await shop.begun(people, variants=[linked()])
    sim.core.webhook_url, sim.core.delivery.knobs.paused = f"{shop.hub.url}/webhooks/whatsapp", True
    for waba in sim.core.world.wabas.values():
        waba.subscribed = True

    class Opens(Prompt):
        def reactions(self, user: User, message: Outbound, rng: Random) -> Sequence[Reaction]:
            (found,) = re.findall(r"http\S+", text_of(message))
            here = found.replace("http://127.0.0.1:8000", shop.hub.url)
            elsewhere = "http://127.0.0.1:1/l/0123456789abcdef"
            return [Reaction(0.1, "opens", content={"url": one}) for one in (here, elsewhere)]

    sim.core.behaviour = Opens()
    await shop.run()

    async def all_clicked() -> bool:
        return bool(await shop.hub.fetchval("SELECT count(*) = 3 FROM tracked_links WHERE clicks = 1"))

    await eventually(all_clicked)
    assert sim.core.events["opened"] == 3
