"""Delivery of webhooks: signed over Meta's bytes, at least once, retried, doubled, shuffled and batched."""

import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from hub_api.simulator.behaviour import Prompt
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.delivery import MAX_BODY_BYTES
from hub_api.simulator.payload import signature
from hub_api.simulator.server import Simulator
from tests.support.simulator import ANA, Receiver, Sender, test_config, until

FAST = {"retry_s": [0.0, 1.0, 2.0], "timeout_s": 1.0}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def sim(receiver: Receiver) -> AsyncIterator[Simulator]:
    async with Simulator(test_config(webhook_url=receiver.url, speed=100.0)) as running:
        yield running


@pytest.fixture
async def send(sim: Simulator) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession() as session:
        yield Sender(sim, session)


async def writes(send: Sender, count: int, text: str = "oi") -> list[str]:
    messages = [{"from": f"55119{i:08}", "text": f"{text} {i}"} for i in range(count)]
    return (await send.control("POST", "inbound", {"messages": messages}))["wamids"]


async def test_the_bytes_are_escaped_like_meta_and_signed_as_they_are(send, receiver, sim):
    await send.control("POST", "inbound", {"from": ANA, "text": "Ligação às 9h/10h 😡 ok?"})
    await until(lambda: receiver.raw)
    body = receiver.raw[0]
    assert body.isascii()
    assert b"Liga\\u00e7\\u00e3o \\u00e0s 9h\\/10h \\ud83d\\ude21 ok?" in body
    assert not re.search(rb'[^\\]/|": |, "', body)
    assert receiver.unsigned == 0
    assert signature(body, "test-app-secret") != signature(json.dumps(json.loads(body)).encode(), "test-app-secret")


async def test_a_new_secret_signs_from_then_on(send, receiver):
    await send.control("POST", "webhooks", {"app_secret": "rotated"})
    receiver.secret = "rotated"
    await writes(send, 1)
    await until(lambda: receiver.accepted)
    assert receiver.unsigned == 0


async def test_what_is_not_answered_200_comes_again_until_it_is(send, receiver, sim):
    await send.control("POST", "webhooks", FAST)
    receiver.answers = [500, 503, 401, 204]
    await writes(send, 1)
    await until(lambda: receiver.accepted)
    assert len(receiver.raw) == 5
    assert len(set(receiver.raw)) == 1
    told = await send.control("GET", "webhooks")
    assert (told["delivered"], told["failures"], told["pending"]) == (1, 4, 0)


async def test_a_receiver_that_is_away_or_slow_gets_everything_later(send, receiver, sim):
    await send.control("POST", "webhooks", {**FAST, "timeout_s": 0.05, "url": "http://127.0.0.1:1/hook"})
    wamids = await writes(send, 20)
    await until(lambda: sim.core.delivery.counters.failures >= 5)
    assert "Connect" in (await send.control("GET", "webhooks"))["last_failure"]
    receiver.delay_s = 0.1
    await send.control("POST", "webhooks", {"url": receiver.url})
    more = await writes(send, 5, "de novo")
    await until(lambda: len(receiver.accepted) >= 1 and sim.core.delivery.counters.failures > 10)
    receiver.delay_s = 0.0
    await until(lambda: {m["id"] for m in receiver.messages()} >= set(more))
    assert not {m["id"] for m in receiver.messages()} & set(wamids)  # their retries stay with their address


async def test_retries_end_after_seven_days(receiver, send, sim):
    sim.core.clock.set(speed=0.0)
    receiver.answers = [500] * 1_000
    await send.control("POST", "webhooks", {"retry_s": [0.0, 3_600.0, 86_400.0]})
    await writes(send, 1)
    for _ in range(10):
        await sim.core.settled()
        sim.core.clock.advance(86_400)
    await sim.core.settled()
    assert sim.core.delivery.counters.expired == 1
    assert 6 <= len(receiver.raw) <= 10


async def test_duplicates_are_the_same_bytes_and_not_counted_twice(send, receiver, sim):
    await send.control("POST", "webhooks", {"duplicate": 1.0, "max_batch": 1})
    wamids = await writes(send, 20)
    await until(lambda: len(receiver.raw) == 40)
    assert len(set(receiver.raw)) == 20
    assert sorted(m["id"] for m in receiver.messages()) == sorted(wamids * 2)
    told = await send.control("GET", "webhooks")
    assert (told["delivered"], told["duplicates"]) == (20, 20)


async def test_reordering_shuffles_and_loses_nothing(send, receiver, sim):
    await send.control("POST", "webhooks", {"reorder": 0.5, "reorder_s": 20.0, "max_batch": 1})
    wamids = await writes(send, 100)
    await until(lambda: len(receiver.messages()) == 100)
    arrived = [m["id"] for m in receiver.messages()]
    assert arrived != wamids
    assert sorted(arrived) == sorted(wamids)


async def test_delays_hold_every_webhook_back(send, receiver, sim):
    sim.core.clock.set(speed=0.0)
    await send.control("POST", "webhooks", {"delay_min_s": 10.0, "delay_max_s": 20.0})
    await writes(send, 5)
    assert (await send.control("GET", "webhooks"))["pending"] == 5
    sim.core.clock.advance(9)
    await sim.core.settled()
    assert receiver.raw == []
    sim.core.clock.advance(11)
    await sim.core.settled()
    assert len(receiver.messages()) == 5


async def test_many_updates_wait_together_and_leave_in_one_batch(send, receiver, sim):
    await send.control("POST", "webhooks", {"paused": True})
    await writes(send, 2_500)
    assert receiver.raw == []
    await send.control("POST", "webhooks", {"paused": False})
    await until(lambda: len(receiver.messages()) == 2_500)
    sizes = [sum(len(e["changes"]) for e in body["entry"]) for body in receiver.accepted]
    assert max(sizes) == 1_000
    assert all(len(body) <= MAX_BODY_BYTES for body in receiver.raw)


async def test_a_batch_is_split_before_three_megabytes(send, receiver, sim):
    await send.control("POST", "webhooks", {"paused": True})
    await writes(send, 1_000, "x" * 4_096)
    await send.control("POST", "webhooks", {"paused": False})
    await until(lambda: len(receiver.messages()) == 1_000)
    assert 2 <= len(receiver.raw) <= 4
    assert max(map(len, receiver.raw)) <= MAX_BODY_BYTES


async def test_neighbours_may_share_one_value(send, receiver, sim):
    await send.control("POST", "webhooks", {"paused": True, "merge": 1.0})
    await writes(send, 10)
    await send("5511900000000", text="Olá!")
    await until(lambda: sim.core.delivery.pending == 13)
    await send.control("POST", "webhooks", {"paused": False})
    await until(lambda: len(receiver.messages()) == 10)
    assert len(receiver.changes()) == 1
    value = receiver.changes()[0]
    assert len(value["statuses"]) == 3
    assert {m["from"] for m in value["messages"]} <= {c["wa_id"] for c in value["contacts"]}


async def test_deliveries_go_out_at_the_same_time_up_to_the_limit(send, receiver, sim):
    await send.control("POST", "webhooks", {"max_batch": 1, "concurrency": 4})
    receiver.delay_s = 0.02
    await writes(send, 30)
    await until(lambda: len(receiver.messages()) == 30)
    assert receiver.busiest == 4
    told = await send.control("GET", "webhooks")
    assert 20 <= told["answer_ms"]["p50"] <= told["answer_ms"]["p95"] < 2_000


async def test_a_numbers_override_wins_over_the_accounts_and_the_app(send, receiver, sim):
    async with Receiver() as of_account, Receiver() as of_number:
        await send.graph("POST", f"{WABA_ID}/subscribed_apps", json={"override_callback_uri": of_account.url})
        await writes(send, 1)
        await until(lambda: of_account.accepted)
        override = {"webhook_configuration": {"override_callback_uri": of_number.url}}
        await send.graph("POST", PHONE_NUMBER_ID, json=override)
        await writes(send, 1)
        await until(lambda: of_number.accepted)
        await send.control("POST", "management", {"field": "account_review_update"})
        await until(lambda: len(of_account.accepted) == 2)
    assert receiver.raw == []


async def test_without_a_subscription_nothing_is_told(send, receiver, sim):
    await send.graph("DELETE", f"{WABA_ID}/subscribed_apps")
    assert (await send.graph("GET", f"{WABA_ID}/subscribed_apps"))[1] == {"data": []}
    await writes(send, 3)
    assert (await send.control("GET", "webhooks"))["dropped"] == 3


@pytest.mark.parametrize(
    ("field", "event"),
    [
        ("phone_number_quality_update", "ONBOARDING"),
        ("phone_number_name_update", "REJECTED"),
        ("business_capability_update", ""),
        ("account_update", "ACCOUNT_VIOLATION"),
        ("account_update", "DISABLED_UPDATE"),
        ("account_update", "MM_LITE_TERMS_SIGNED"),
        ("account_review_update", "PENDING"),
        ("account_alerts", ""),
        ("security", "PIN_CHANGED"),
        ("flows", "CLIENT_ERROR_RATE"),
    ],
)
async def test_management_webhooks_come_on_demand_with_a_time(send, receiver, field, event):
    await send.control("POST", "management", {"field": field, "event": event})
    await until(lambda: receiver.changes(field))
    assert event in str(receiver.changes(field)[0].values())
    assert isinstance(receiver.accepted[0]["entry"][0]["time"], int)
    assert receiver.accepted[0]["entry"][0]["id"] == WABA_ID


async def test_a_throughput_upgrade_raises_the_number_after_its_minute(send, sim):
    sim.core.clock.set(speed=0.0)
    await send.control("POST", "management", {"field": "phone_number_quality_update", "event": "THROUGHPUT_UPGRADE"})
    assert (await send.template("boas_vindas", "Ana"))[1]["error"]["code"] == 131057
    sim.core.clock.advance(61)
    assert (await send.template("boas_vindas", "Ana"))[0] == 200
    _, number = await send.graph("GET", f"{PHONE_NUMBER_ID}?fields=throughput")
    assert number["throughput"] == {"level": "HIGH"}


async def test_any_bytes_can_be_sent_and_are_signed(send, receiver, sim):
    await send.control("POST", "raw", {"body": '{"object": "page", "entry": "?"}'})
    await until(lambda: receiver.raw)
    assert receiver.raw == [b'{"object": "page", "entry": "?"}']
    assert receiver.unsigned == 0
    sim.core.delivery.put_raw(receiver.url, b"\xff\xfe not json")
    await until(lambda: receiver.raw[1:] == [b"\xff\xfe not json"])


async def test_a_value_level_error_can_be_told(send, receiver):
    await send.control("POST", "error", {"code": 130429})
    await until(lambda: receiver.changes())
    assert receiver.changes()[0].keys() == {"messaging_product", "metadata", "errors"}
    assert receiver.changes()[0]["errors"][0]["title"] == "Rate limit hit"


async def test_a_click_on_a_marketing_link_is_told_as_a_user_action(send, receiver):
    await send.control("POST", "act", {"from": ANA, "do": "click"})
    await until(lambda: receiver.changes())
    action = receiver.changes()[0]["user_actions"][0]
    assert action["marketing_messages_link_click_data"]["click_component"] == "cta"


async def test_statuses_of_many_messages_all_arrive_in_the_end(send, receiver, sim):
    sim.core.behaviour = Prompt()
    await send.control("POST", "webhooks", {**FAST, "duplicate": 0.2, "reorder": 0.3, "merge": 0.5})
    sim.core.set_limits([])
    receiver.answers = [500, 200, 503] * 5
    wamids = [(await send.template("boas_vindas", "A", to=f"55118{i:08}"))[1]["messages"][0]["id"] for i in range(100)]
    await until(lambda: len({(s["id"], s["status"]) for s in receiver.statuses()}) == 300)
    assert {s["id"] for s in receiver.statuses()} == set(wamids)
    await sim.core.settled()
    told = await send.control("GET", "webhooks")
    assert (told["delivered"], told["pending"]) == (300, 0)


async def test_updates_can_wait_for_company_and_leave_together(send, receiver, sim):
    await send.control("POST", "webhooks", {"gather_s": 20.0, "max_batch": 50})  # 0.2 s at this clock's speed
    await writes(send, 30)
    await until(lambda: receiver.raw)
    assert len(json.loads(receiver.raw[0])["entry"][0]["changes"]) == 30
    await writes(send, 120)
    await until(lambda: len(receiver.raw) >= 3)
    assert [len(json.loads(raw)["entry"][0]["changes"]) for raw in receiver.raw[1:3]] == [50, 50]
    await sim.core.settled()
    assert len(json.loads(receiver.raw[3])["entry"][0]["changes"]) == 20


async def test_only_the_wanted_statuses_are_told(send, receiver, sim):
    await send.control("POST", "webhooks", {"statuses": ["read", "failed"]})
    _, answer = await send.template("boas_vindas", "Ana")
    await sim.core.settled()
    assert [status["status"] for status in receiver.statuses()] == ["read"]
    assert sim.core.messages[answer["messages"][0]["id"]].status == "read"
    with pytest.raises(AssertionError, match="no statuses seen"):
        await send.control("POST", "webhooks", {"statuses": ["seen"]})


async def test_the_answers_of_the_receiver_are_counted_by_status(send, receiver, sim):
    await send.control("POST", "webhooks", FAST)
    receiver.answers = [503, 200]
    await writes(send, 1)
    await sim.core.settled()
    assert (await send.control("GET", "webhooks"))["answers"] == {"503": 1, "200": 1}
