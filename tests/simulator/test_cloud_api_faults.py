"""Faults on demand, the account of accepted calls, and the rest of the control API."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from hub_api.simulator.behaviour import Silent
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID, SimulatorConfig
from hub_api.simulator.ledger import Call
from hub_api.simulator.server import Simulator
from tests.support.process import free_port
from tests.support.simulator import ANA, Receiver, Sender, test_config, until


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def sim(receiver: Receiver) -> AsyncIterator[Simulator]:
    async with Simulator(test_config(webhook_url=receiver.url, speed=100.0, numbers=2)) as running:
        yield running


@pytest.fixture
async def send(sim: Simulator) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession() as session:
        yield Sender(sim, session)


async def welcome(send: Sender, opaque: str = "m1.1", **more) -> int:
    """HTTP status of a template send; 0 when the connection breaks."""
    try:
        return (await send.template("boas_vindas", "Ana", biz_opaque_callback_data=opaque, **more))[0]
    except (aiohttp.ClientConnectionError, TimeoutError):
        return 0


async def test_a_connection_cut_before_acceptance_leaves_nothing_behind(send, sim):
    await send.control("POST", "faults", {"kind": "drop_before", "times": 1})
    assert await welcome(send) == 0
    assert (await send.control("GET", "accepted"))["messages"] == 0
    assert await welcome(send, "m1.2") == 200
    accepted = await send.control("POST", "accepted", {"ids": ["m1", "m2"]})
    assert accepted["accepted"] == {"m1": 1, "m2": 0}


async def test_a_connection_cut_after_acceptance_sends_the_message_and_its_statuses(send, sim, receiver):
    await send.control("POST", "faults", {"kind": "drop_after", "times": 1})
    assert await welcome(send) == 0
    await until(lambda: {s["status"] for s in receiver.statuses()} == {"sent", "delivered", "read"})
    assert {s["biz_opaque_callback_data"] for s in receiver.statuses()} == {"m1.1"}
    assert (await send.control("GET", "accepted"))["more_than_once"] == {}
    assert await welcome(send, "m1.2") == 200
    assert (await send.control("GET", "accepted"))["more_than_once"] == {"m1": 2}


async def test_an_accepted_call_can_be_left_without_an_answer(send, sim):
    await send.control("POST", "faults", {"kind": "timeout", "seconds": 30, "times": 1})
    timeout = aiohttp.ClientTimeout(total=0.2)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        assert await welcome(Sender(sim, session)) == 0
    assert (await send.control("GET", "accepted"))["messages"] == 1
    assert (await send.control("GET", "state"))["calls"] == {"timeout": 1}


async def test_a_delayed_call_is_answered_late(send, sim):
    await send.control("POST", "faults", {"kind": "delay", "seconds": 0.2, "times": 1})
    before = time.monotonic()
    assert await welcome(send) == 200
    assert time.monotonic() - before >= 0.2


async def test_a_bare_error_page_is_no_graph_error(send, sim):
    await send.control("POST", "faults", {"kind": "http", "status": 502, "times": 1, "body": "<html>Bad Gateway"})
    url = f"{sim.url}/v26.0/{PHONE_NUMBER_ID}/messages"
    body = {"messaging_product": "whatsapp", "to": f"+{ANA}", "type": "text", "text": {"body": "x"}}
    async with send.session.post(url, json=body, headers={"Authorization": "Bearer sim-token"}) as response:
        assert (response.status, await response.text()) == (502, "<html>Bad Gateway")


async def test_any_code_meets_the_next_calls_of_a_number_a_user_or_a_template(send, sim):
    other = str(int(PHONE_NUMBER_ID) + 1)
    await send.control("POST", "faults", {"kind": "error", "code": 131057, "number_id": other, "times": 2})
    assert [await welcome(send, number_id=other) for _ in range(3)] == [500, 500, 200]
    await send.control("POST", "faults", {"kind": "error", "code": 130429, "user": "5511900000001", "times": 1})
    assert await welcome(send) == 200
    assert await welcome(send, to="5511900000001") == 400
    await send.control("POST", "faults", {"kind": "error", "code": 132015, "template": "boas_vindas"})
    assert await welcome(send) == 400
    await send.control("DELETE", "faults")
    assert await welcome(send) == 200


async def test_a_share_of_the_calls_meets_a_fault(send, sim):
    sim.core.set_limits([])
    sim.core.behaviour = Silent()
    await send.control("POST", "faults", {"kind": "error", "code": 2, "share": 0.3})
    answers = [await welcome(send, f"m{i}.1") for i in range(200)]
    assert 30 <= answers.count(503) <= 90
    assert answers.count(200) == (await send.control("GET", "accepted"))["messages"]


async def test_a_message_can_fail_after_it_was_accepted(send, receiver):
    await send.control("POST", "faults", {"kind": "failed_status", "code": 131049, "times": 1})
    assert await welcome(send) == 200
    await until(lambda: receiver.statuses())
    assert receiver.statuses()[0]["errors"][0]["code"] == 131049


async def test_200_000_accepted_messages_are_counted_and_the_double_ones_named_at_once(send, sim):
    ledger = sim.core.ledger
    for i in range(200_000):
        ledger.record(Call(0.0, "n", "to", "text", f"m{i}.1", 0, "wamid.x", "accepted", {}), accepted=True)
    for i in (7, 7, 199_999):
        ledger.record(Call(0.0, "n", "to", "text", f"m{i}.2", 0, "wamid.x", "accepted", {}), accepted=True)
    times = []
    for _ in range(20):  # what it costs, not what else the machine does
        before = time.perf_counter()
        told = await send.control("GET", "accepted")
        times.append(time.perf_counter() - before)
    assert min(times) < 0.25
    assert (told["messages"], told["calls"], told["more_than_once"]) == (200_000, 200_003, {"m7": 3, "m199999": 2})


async def test_calls_can_be_listed_and_filtered(send, sim):
    await welcome(send, "m1.1")
    await send(ANA, type="text", text={"body": ""})
    calls = (await send.control("GET", "calls?outcome=refused"))["calls"]
    assert [(c["code"], c["address"]) for c in calls] == [(100, f"+{ANA}")]
    assert len((await send.control("GET", "calls?limit=1"))["calls"]) == 1


async def test_users_are_registered_in_bulk_and_shown(send, sim):
    users = [{"phone": f"55219{i:08}", "name": f"Cliente {i}", "traits": {"mood": "calm"}} for i in range(1_000)]
    assert (await send.control("POST", "users", {"users": users}))["registered"] == 1_000
    shown = await send.control("GET", "users?address=5521900000007")
    assert shown["name"] == "Cliente 7"
    assert (await send.control("GET", f"users?address={shown['bsuid']}"))["phone"] == "5521900000007"


async def test_the_newest_users_and_messages_are_kept(receiver):
    config = test_config(max_users=10, keep_messages=5, keep_calls=3, keep_accepted=4, enforce_limits=frozenset())
    async with Simulator(config) as small, aiohttp.ClientSession() as session:
        send = Sender(small, session)
        for i in range(20):
            await welcome(send, f"m{i}.1", to=f"55118{i:08}")
        core = small.core
        assert (len(core.world.users), len(core.messages), len(core.ledger.calls)) == (10, 5, 3)
        assert (core.ledger.messages, core.ledger.accepted_calls) == (4, 20)


async def test_media_leave_when_there_is_no_room(send, sim):
    world = sim.core.world
    world._config = test_config(keep_media_bytes=100)
    first = world.add_media(PHONE_NUMBER_ID, b"x" * 60, "image/png", 9e9)
    second = world.add_media(PHONE_NUMBER_ID, b"x" * 60, "image/png", 9e9)
    assert list(world.media) == [second.id]
    assert (await send.graph("GET", first.id))[1]["error"]["error_subcode"] == 33


async def test_an_upload_must_be_of_a_known_type_and_size(send):
    def form(mime_type: str, size: int) -> aiohttp.FormData:
        data = aiohttp.FormData({"messaging_product": "whatsapp"})
        data.add_field("file", b"x" * size, content_type=mime_type, filename="f")
        return data

    status, answer = await send.graph("POST", f"{PHONE_NUMBER_ID}/media", data=form("application/x-tar", 10))
    assert (status, answer["error"]["code"]) == (400, 100)
    status, answer = await send.graph("POST", f"{PHONE_NUMBER_ID}/media", data=form("image/webp", 600_000))
    assert (status, answer["error"]["code"]) == (400, 131053)
    status, answer = await send.graph("POST", f"{PHONE_NUMBER_ID}/media", data=form("application/pdf", 10))
    assert status == 200
    status, found = await send.graph("GET", f"{answer['id']}?phone_number_id={PHONE_NUMBER_ID}")
    assert (status, found["file_size"]) == (200, 10)
    assert (await send.graph("GET", f"{answer['id']}?phone_number_id=1"))[0] == 400


async def test_a_media_address_expires_after_five_minutes_and_wants_the_token(send, sim):
    sim.core.clock.set(speed=0.0)
    media = sim.core.world.add_media(PHONE_NUMBER_ID, b"conteudo", "application/pdf", 9e9, "fatura ç.pdf")
    _, found = await send.graph("GET", media.id)
    headers = {"Authorization": "Bearer sim-token"}
    async with send.session.get(found["url"], headers=headers) as response:
        assert (response.status, await response.read()) == (200, b"conteudo")
    async with send.session.get(found["url"]) as response:
        assert response.status == 401
    async with send.session.get(found["url"].replace("hash=", "hash=0"), headers=headers) as response:
        assert response.status == 404
    sim.core.clock.advance(301)
    async with send.session.get(found["url"], headers=headers) as response:
        assert response.status == 404


async def test_templates_keep_meta_s_rules_of_creation_and_edit(send, sim):
    sim.core.clock.set(speed=0.0)
    path = f"{WABA_ID}/message_templates"
    body = {"type": "BODY", "text": "Olá {{1}}, tudo bem?", "example": {"body_text": [["Ana"]]}}
    new = {"name": "novo_aviso", "language": "pt_BR", "category": "UTILITY", "components": [body]}

    async def refusal(**changes) -> str:
        status, answer = await send.graph("POST", path, json={**new, **changes})
        assert (status, answer["error"]["code"]) == (400, 100), answer
        return answer["error"]["message"]

    assert "lower case" in await refusal(name="Novo Aviso")
    assert "start or end" in await refusal(components=[{"type": "BODY", "text": "{{1}} tudo bem?"}])
    assert "next to each other" in await refusal(components=[{"type": "BODY", "text": "Olá {{1}} {{2}}, oi"}])
    assert "without gaps" in await refusal(components=[{"type": "BODY", "text": "Olá {{2}}, oi"}])
    assert "already content" in await refusal(name="boas_vindas")
    status, created = await send.graph("POST", path, json=new)
    assert (status, created["status"]) == (200, "PENDING")
    assert (await send.template("novo_aviso", "Ana"))[1]["error"]["code"] == 132001
    sim.core.clock.advance(31)
    await sim.core.settled()
    assert (await send.template("novo_aviso", "Ana"))[0] == 200
    assert (await send.graph("POST", created["id"], json={"components": [body]}))[0] == 200
    sim.core.clock.advance(31)
    await sim.core.settled()
    assert (
        "once in 24 hours"
        in (await send.graph("POST", created["id"], json={"components": [body]}))[1]["error"]["message"]
    )
    assert (await send.graph("DELETE", f"{path}?name=novo_aviso"))[0] == 200
    assert "after 30 days" in await refusal()


async def test_health_status_names_who_is_in_the_way(send):
    assert (await send.graph("GET", f"{WABA_ID}?fields=health_status"))[1]["health_status"][
        "can_send_message"
    ] == "AVAILABLE"
    await send.control("POST", "numbers", {"payment_method": False, "quality": "RED"})
    _, number = await send.graph("GET", f"{PHONE_NUMBER_ID}?fields=health_status,quality_rating")
    states = {e["entity_type"]: e["can_send_message"] for e in number["health_status"]["entities"]}
    assert states == {"PHONE_NUMBER": "LIMITED", "WABA": "LIMITED", "BUSINESS": "AVAILABLE", "APP": "AVAILABLE"}
    assert number["quality_rating"] == "RED"
    status, answer = await send.graph("GET", f"{PHONE_NUMBER_ID}?fields=colour")
    assert (status, answer["error"]["code"]) == (400, 100)


async def test_a_wrong_control_call_says_what_is_wrong(send, sim):
    for method, path, body in (
        ("POST", "faults", {"kind": "meteor"}),
        ("POST", "webhooks", {"colour": "red"}),
        ("POST", "limits", {"limits": ["gravity"]}),
        ("POST", "templates", {"name": "none", "do": "pause"}),
        ("POST", "inbound", {"text": "no author"}),
        ("POST", "clock", {"speed": -1}),
        ("POST", "management", {"field": "field_of_the_future"}),
        ("GET", "messages?wamid=wamid.X", None),
    ):
        async with send.session.request(method, f"{sim.url}/_sim/{path}", json=body) as response:
            assert response.status == 400
            assert (await response.json())["error"]


async def test_a_reset_starts_over_and_keeps_the_address(send, sim, receiver):
    await send.control("POST", "faults", {"kind": "error", "code": 1, "times": 5, "user": "1"})
    await welcome(send)
    state = await send.control("POST", "reset", {})
    assert (state["accepted_calls"], state["faults"], state["users"], state["planned"]) == (0, [], 0, 0)
    assert state["webhooks"]["url"] == receiver.url


async def test_the_same_seed_gives_the_same_world():
    async def wamids() -> list[str]:
        async with Simulator(test_config(seed=7, start_at=1e9, speed=0.0)) as sim, aiohttp.ClientSession() as session:
            send = Sender(sim, session)
            return [(await send.template("boas_vindas", "A"))[1]["messages"][0]["id"] for _ in range(5)]

    assert await wamids() == await wamids()


def test_the_environment_configures_a_process(monkeypatch):
    monkeypatch.delenv("HUB_META_APP_SECRET", raising=False)
    monkeypatch.setenv("HUB_META_VERIFY_TOKEN", "v")
    with pytest.raises(ValueError, match="HUB_META_APP_SECRET"):
        SimulatorConfig.from_env()
    monkeypatch.setenv("HUB_META_APP_SECRET", "s")
    monkeypatch.setenv("HUB_SIM_TOKEN", "other")
    assert SimulatorConfig.from_env().token == "other"


async def test_the_process_serves_until_it_is_told_to_stop(receiver):
    port = free_port()
    environment = {
        **os.environ,
        "HUB_META_APP_SECRET": "test-app-secret",
        "HUB_META_VERIFY_TOKEN": "v",
        "HUB_SIM_WEBHOOK_URL": receiver.url,
    }
    code = f"from hub_api.simulator.server import run; run('127.0.0.1', {port})"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        async with aiohttp.ClientSession() as session:
            for _ in range(400):
                try:
                    async with session.get(f"http://127.0.0.1:{port}/_sim/health") as response:
                        assert response.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.025)
            body = {"from": ANA, "text": "oi"}
            async with session.post(f"http://127.0.0.1:{port}/_sim/inbound", json=body) as response:
                assert response.status == 200
            await until(lambda: receiver.messages())
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
    finally:
        process.kill()


async def test_planted_answers_give_an_experiment_its_truth(send: Sender, receiver: Receiver) -> None:
    rule = {"template": "boas_vindas", "replies": 1.0, "after_s": 1.0, "text": "quero"}
    await send.control("POST", "planted", {"templates": [rule]})
    await welcome(send)
    await until(lambda: "quero" in str(receiver.accepted))
    assert {one["status"] for one in receiver.statuses()} <= {"sent", "delivered", "read"}
    async with send.session.post(
        f"{send.sim.url}/_sim/planted", json={"templates": [{**rule, "reads": 0.5}]}
    ) as answer:
        assert answer.status == 400, "nobody answers without reading"
