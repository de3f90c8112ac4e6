"""The second factor by WhatsApp: an authentication template through the outbox to the simulator over HTTP, and the same
code by SMS when WhatsApp fails, is late, or has no way."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hub_api.auth import jobs as auth_jobs
from hub_api.simulator.demo import connect_number
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.codes import place
from hub_api.whatsapp.codes.jobs import send_codes
from hub_api.whatsapp.templates.sync import sync_templates
from tests.auth.people import AUTH, Person, actions, add_person, bearer, call, clear_limits, login
from tests.auth.test_second_factor import set_up
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.simulator import TOKEN, test_config

PHONE = "+5511987654321"
TEMPLATE = "codigo_acesso"


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(test_config()) as simulator:
        yield simulator


@pytest.fixture
def hub_at(database_url: str, redis_url: str, sim: Simulator):
    """A hub at the simulator, with its number and templates or without them."""

    @asynccontextmanager
    async def opened(*, number: bool = True, **changes: Any) -> AsyncIterator[Hub]:
        given = {"meta_base_url": sim.url, "sms_url": f"{sim.url}/_sim/sms", "sign_in_template": TEMPLATE, **changes}
        settings = make_settings(database_url, redis_url, **given)
        if number:
            await connect_number(settings, TOKEN)
        async with running_hub(settings) as hub:
            if number:
                await sync_templates(hub.services, await hub.fetchval("SELECT id FROM whatsapp_accounts"))
            yield hub

    return opened


async def control(hub: Hub, sim: Simulator, path: str, **body: Any) -> None:
    async with hub.session.post(f"{sim.url}/_sim/{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()


async def wants_code(hub: Hub, **columns: Any) -> tuple[Person, str]:
    """Somebody who has given his password and asks for a code by message: he and his challenge."""
    bia = await add_person(hub, phone=PHONE, **columns)
    await set_up(hub, bia)
    await clear_limits(hub)
    _, begun = await login(hub, bia.email)
    assert "message" in begun["methods"]
    status, _ = await call(hub, "POST", f"{AUTH}/second-factor/message", json={"challenge": begun["challenge"]})
    assert status == 202
    return bia, begun["challenge"]


async def answer(hub: Hub, challenge: str, code: str) -> tuple[int, dict[str, Any]]:
    body = {"challenge": challenge, "method": "message", "code": code}
    return await call(hub, "POST", f"{AUTH}/second-factor", json=body)


async def told_by_sms(hub: Hub, sim: Simulator) -> list[str]:
    """The codes in what came to the SMS provider."""
    async with hub.session.get(f"{sim.url}/_sim/post.json", params={"to": PHONE}) as found:
        return [re.match(r"(\d{6}) é o seu código", one["text"])[1] for one in await found.json()]


async def run_jobs(hub: Hub) -> None:
    """What bells and clock would run."""
    await send_codes.function(hub.services)
    await hub.settled()
    await auth_jobs.send_notices.function(hub.services)


async def eventually(hub: Hub, condition: Callable[[], Awaitable[Any]], deadline_s: float = 30) -> Any:
    end = time.monotonic() + deadline_s
    while not (found := await condition()):
        assert time.monotonic() < end, "did not come about"
        await run_jobs(hub)
        await asyncio.sleep(0.05)
    return found


async def waiting(hub: Hub) -> int:
    return await hub.fetchval("SELECT count(*) FROM notices")


def code_of(sim: Simulator) -> list[str]:
    """The codes in the accepted sends, which must be the template's."""
    codes = []
    for one in sim.core.ledger.calls:
        if one.outcome == "accepted":
            assert one.body["template"]["name"] == TEMPLATE and one.body["to"].lstrip("+") == PHONE.lstrip("+")
            body, button = one.body["template"]["components"]
            assert body["parameters"] == button["parameters"] and button["sub_type"] == "url"
            codes.append(body["parameters"][0]["text"])
    return codes


async def test_the_code_comes_by_whatsapp_opens_once_and_no_sms_follows(hub_at, sim: Simulator):
    async with hub_at() as hub:
        await control(hub, sim, "webhooks", url=f"{hub.url}/webhooks/whatsapp")
        bia, challenge = await wants_code(hub)
        await eventually(hub, lambda: _done(code_of(sim)))
        (code,) = code_of(sim)
        row = (await hub.fetch("SELECT * FROM messages"))[0]
        assert (row["category"], row["priority"], row["author"]) == ("authentication", 1, "system")
        # Nobody who reads conversations, events or the audit log reads how somebody signs in.
        shown = await call(hub, "GET", f"/api/v1/conversations/{row['conversation_id']}/messages", hub.auth)
        assert shown[0] == 200 and code not in str(shown[1]) and "••••••" in str(shown[1])
        for table in ("events", "audit_log", "notices"):
            assert code not in str(await hub.fetchval(f"SELECT string_agg(t::text, '') FROM {table} t")), table
        await eventually(hub, lambda: _done(hub.fetchval("SELECT count(*) = 0 FROM notices")))
        assert await told_by_sms(hub, sim) == []
        status, tokens = await answer(hub, challenge, code)
        assert status == 200
        assert (await call(hub, "GET", f"{AUTH}/me", bearer(tokens["access_token"])))[1]["id"] == str(bia.id)
        factors = await hub.fetchval("SELECT factors FROM sessions ORDER BY created_at DESC LIMIT 1")
        assert factors == ["password", "whatsapp"]
        assert (await answer(hub, challenge, code))[0] == 401
        assert "second_factor.code_sent" in await actions(hub)


@pytest.mark.parametrize("fault", [{"kind": "error", "code": 131026}, {"kind": "failed_status", "code": 131026}])
async def test_the_same_code_comes_by_sms_when_whatsapp_refuses(hub_at, sim: Simulator, fault: dict[str, Any]):
    async with hub_at() as hub:
        await control(hub, sim, "webhooks", url=f"{hub.url}/webhooks/whatsapp")
        await control(hub, sim, "faults", **fault)
        _, challenge = await wants_code(hub)
        (code,) = await eventually(hub, lambda: told_by_sms(hub, sim))
        assert code_of(sim) == ([code] if fault["kind"] == "failed_status" else [])
        assert await hub.fetchval("SELECT state FROM messages") == "failed"
        status, _ = await answer(hub, challenge, code)
        assert status == 200 and await waiting(hub) == 0
        assert (await hub.fetchval("SELECT factors FROM sessions ORDER BY created_at DESC LIMIT 1"))[1] == "sms"


@pytest.mark.parametrize("why", ["no number", "no template", "no template for codes", "number removed"])
async def test_the_code_comes_by_sms_when_there_is_no_way_by_whatsapp(hub_at, sim: Simulator, why: str):
    changes = {"sign_in_template": "no_such_template"} if why == "no template" else {}
    async with hub_at(number=why != "no number", **changes) as hub:
        if why == "no template for codes":  # its words would stand in the conversation, for whoever reads that
            await hub.fetch("UPDATE templates SET category = 'UTILITY' WHERE name = $1", TEMPLATE)
        if why == "number removed":
            await hub.fetch("UPDATE whatsapp_numbers SET state = 'removed'")
        _, challenge = await wants_code(hub)
        await run_jobs(hub)
        (code,) = await told_by_sms(hub, sim)
        assert (await answer(hub, challenge, code))[0] == 200 and code_of(sim) == []
        assert await hub.fetchval("SELECT count(*) FROM messages") == 0


async def test_a_code_that_cannot_leave_in_time_goes_by_sms_and_not_again_by_whatsapp(
    hub_at, sim: Simulator, monkeypatch: pytest.MonkeyPatch
):
    async with hub_at() as hub:
        await hub.fetch("UPDATE whatsapp_accounts SET state = 'paused', paused_until = now() + interval '1 hour'")
        _, challenge = await wants_code(hub)
        await run_jobs(hub)
        assert await told_by_sms(hub, sim) == [] and await waiting(hub) == 1
        monkeypatch.setattr(place, "PATIENCE_S", 0.0)
        (code,) = await eventually(hub, lambda: told_by_sms(hub, sim))
        await hub.fetch("UPDATE whatsapp_accounts SET state = 'active', paused_until = NULL")
        await hub.settled()
        assert code_of(sim) == [] and await hub.fetchval("SELECT state FROM messages") == "cancelled"
        assert (await answer(hub, challenge, code))[0] == 200


async def test_a_used_or_replaced_code_leaves_no_more(hub_at, sim: Simulator, monkeypatch: pytest.MonkeyPatch):
    async with hub_at() as hub:  # no webhooks: nobody tells that a code has arrived
        _, challenge = await wants_code(hub)
        await eventually(hub, lambda: _done(code_of(sim)))
        (used,) = code_of(sim)
        assert (await answer(hub, challenge, used))[0] == 200
        monkeypatch.setattr(place, "PATIENCE_S", 0.0)
        await run_jobs(hub)
        assert await told_by_sms(hub, sim) == [] and await waiting(hub) == 0
        monkeypatch.setattr(place, "PATIENCE_S", 20.0)
        await clear_limits(hub)
        for _ in range(2):
            status, _ = await call(hub, "POST", f"{AUTH}/second-factor/message", json={"challenge": challenge})
            assert status == 202
            await run_jobs(hub)
        monkeypatch.setattr(place, "PATIENCE_S", 0.0)
        (newest,) = await eventually(hub, lambda: told_by_sms(hub, sim))
        assert newest == code_of(sim)[-1] and len(code_of(sim)) == 3


async def test_without_a_template_codes_go_by_sms_as_before(hub_at, sim: Simulator):
    async with hub_at(sign_in_template=None) as hub:
        _, challenge = await wants_code(hub)
        await run_jobs(hub)
        (code,) = await told_by_sms(hub, sim)
        assert (await answer(hub, challenge, code))[0] == 200 and code_of(sim) == []


async def _done(found: Any) -> Any:
    return await found if asyncio.iscoroutine(found) else found
