"""When a message is sent, held or lost: windows, prices, rates, quotas, people who stopped, templates that pause."""

from typing import Any

from hub_api.simulator.behaviour import Silent
from hub_api.simulator.config import PHONE_NUMBER_ID
from tests.simulator.conftest import DAY, START, TEXT, fate, opens_window
from tests.support.simulator import ANA


async def test_a_free_message_needs_a_message_of_the_user_within_24_hours(sim, send, receiver):
    _, answer = await send(ANA, **TEXT)
    assert await fate(sim, receiver, answer) == [131047]
    await send.control("POST", "inbound", {"from": ANA, "text": "oi"})
    sim.core.clock.advance(DAY - 60)
    _, answer = await send(ANA, **TEXT)
    assert await fate(sim, receiver, answer) == ["sent", "delivered", "read"]
    _, answer = await send(ANA, **TEXT)
    assert await fate(sim, receiver, answer) == [131047]
    _, answer = await send.template("boas_vindas", "Ana")
    assert await fate(sim, receiver, answer) == ["sent", "delivered", "read"]


async def test_a_failed_status_carries_no_contacts_and_no_opaque_data(sim, send, receiver):
    await send(ANA, **TEXT, biz_opaque_callback_data="m1.1")
    sim.core.clock.advance(1)
    await sim.core.settled()
    value = receiver.changes()[0]
    assert value.keys() == {"messaging_product", "metadata", "statuses"}
    assert value["statuses"][0].keys() == {"id", "status", "timestamp", "recipient_id", "errors"}
    assert value["statuses"][0]["errors"][0].keys() >= {"code", "title", "message", "error_data", "href"}


async def test_an_ad_opens_72_free_hours_with_the_first_answer(sim, send, receiver):
    ad = {"source_url": "https://fb.me/1", "source_id": "1", "source_type": "ad", "headline": "Fibra"}
    await send.control("POST", "inbound", {"from": ANA, "text": "quero", "referral": ad})
    sim.core.clock.advance(3_600)
    await send(ANA, **TEXT)
    sim.core.clock.advance(2 * DAY)
    await send.template("oferta_fibra", "Ana")
    sim.core.clock.advance(2 * DAY)
    await send.template("oferta_fibra", "Ana")
    sim.core.clock.advance(60)
    await sim.core.settled()
    messages = list(sim.core.messages.values())
    assert [m.pricing["type"] for m in messages] == ["free_entry_point", "free_entry_point", "regular"]
    conversations = [s["conversation"]["origin"]["type"] for s in receiver.statuses() if "conversation" in s]
    assert set(conversations) == {"referral_conversion"}


async def test_since_october_replies_are_billed_after_a_thousand_in_a_month(sim, send):
    core = sim.core
    core.behaviour = Silent()
    opens_window(sim)
    number = core.world.numbers[PHONE_NUMBER_ID]
    number.service_messages["2026-11"] = 999
    for _ in range(2):
        await send(ANA, **TEXT)
    await send.template("boas_vindas", "Ana")
    core.clock.set(now=START + 5 * DAY)
    opens_window(sim)
    await send(ANA, **TEXT)
    core.clock.set(now=1_788_000_000.0)  # August 2026
    opens_window(sim)
    await send(ANA, **TEXT)
    await send.template("boas_vindas", "Ana")
    await send.template("oferta_fibra", "Ana")
    priced = [(m.pricing["category"], m.pricing["type"], m.pricing["billable"]) for m in core.messages.values()]
    assert priced == [
        ("service", "free_customer_service", False),
        ("service", "regular", True),
        ("utility", "regular", True),
        ("service", "free_customer_service", False),
        ("service", "free_customer_service", False),
        ("utility", "free_customer_service", False),
        ("marketing", "regular", True),
    ]


async def test_a_number_sends_80_messages_a_second_and_inbound_counts(sim, send):
    core = sim.core
    for i in range(20):
        await send.control("POST", "inbound", {"from": f"55119{i:08}", "text": "oi"})
    codes = [
        (await send.template("boas_vindas", "A", to=f"55118{i:08}"))[1].get("error", {}).get("code") for i in range(62)
    ]
    assert codes == [None] * 60 + [130429] * 2
    core.clock.advance(0.5)
    codes = [
        (await send.template("boas_vindas", "A", to=f"55117{i:08}"))[1].get("error", {}).get("code") for i in range(41)
    ]
    assert codes == [None] * 40 + [130429]
    assert sim.core.ledger.refusals[130429] == 3


async def test_a_pair_takes_a_burst_of_45_and_then_waits_as_if_paced(sim, send):
    opens_window(sim)
    codes = [(await send(ANA, **TEXT))[1].get("error", {}).get("code") for _ in range(46)]
    assert codes == [None] * 45 + [131056]
    sim.core.clock.advance(45 * 6 - 1)
    assert (await send(ANA, **TEXT))[1]["error"]["code"] == 131056
    assert (await send("5511900000001", **TEXT))[0] == 200
    sim.core.clock.advance(1)
    assert (await send(ANA, **TEXT))[0] == 200


async def test_a_portfolio_loses_messages_to_users_beyond_its_tier(sim, send, receiver):
    await send.control("POST", "numbers", {"tier": "TIER_250"})
    sim.core.set_limits(["portfolio"])
    for i in range(250):
        await send.template("boas_vindas", "A", to=f"55118{i:08}")
    _, again = await send.template("boas_vindas", "A", to="5511800000000")
    _, beyond = await send.template("boas_vindas", "A")
    opens_window(sim, "5511700000000")
    _, inside = await send.template("boas_vindas", "A", to="5511700000000")
    assert await fate(sim, receiver, again) == ["sent", "delivered", "read"]
    assert await fate(sim, receiver, inside) == ["sent", "delivered", "read"]
    assert await fate(sim, receiver, beyond) == []
    sim.core.clock.advance(DAY)
    _, later = await send.template("boas_vindas", "A")
    assert await fate(sim, receiver, later) == ["sent", "delivered", "read"]
    fields = "whatsapp_business_manager_messaging_limit"
    assert (await send.graph("GET", f"{PHONE_NUMBER_ID}?fields={fields}"))[1][fields] == "TIER_250"


async def test_blocks_opt_outs_caps_and_payment_fail_with_their_codes(sim, send, receiver):
    async def outcome(name: str = "oferta_fibra") -> list[Any]:
        _, answer = await send.template(name, "Ana")
        return await fate(sim, receiver, answer)

    await send.control("POST", "act", {"from": ANA, "do": "stop"})
    assert await outcome() == [131050]
    assert await outcome("boas_vindas") == ["sent", "delivered", "read"]
    await send.control("POST", "act", {"from": ANA, "do": "resume"})
    await send.control("POST", "act", {"from": ANA, "do": "set", "fields": {"marketing_cap": True}})
    assert await outcome() == [131049]
    opens_window(sim)
    assert await outcome() == ["sent", "delivered", "read"]
    await send.control("POST", "act", {"from": ANA, "do": "set", "fields": {"in_experiment": True}})
    assert await outcome() == [130472]
    await send.control("POST", "numbers", {"payment_method": False})
    assert await outcome("boas_vindas") == [131042]
    await send.control("POST", "numbers", {"payment_method": True})
    await send.control("POST", "act", {"from": ANA, "do": "block"})
    assert await outcome("boas_vindas") == [131026]
    sim.core.set_limits([])
    assert await outcome("boas_vindas") == ["sent"]
    await send.control("POST", "act", {"from": ANA, "do": "unblock"})
    await send.control("POST", "act", {"from": ANA, "do": "set", "fields": {"on_whatsapp": False}})
    sim.core.set_limits(["blocks"])
    assert await outcome("boas_vindas") == [131026]


async def test_which_failures_come_at_once_is_configurable(sim, send):
    await send.control("POST", "limits", {"asynchronous_codes": []})
    status, answer = await send(ANA, **TEXT)
    assert (status, answer["error"]["code"]) == (400, 131047)


async def test_the_sender_and_a_changed_identity_are_refused(sim, send):
    assert (await send("551130001000", **TEXT))[1]["error"]["code"] == 131021
    await send.control("POST", "act", {"from": ANA, "do": "set", "fields": {"identity_hash": "new"}})
    assert (await send(ANA, **TEXT, recipient_identity_key_hash="old"))[1]["error"]["code"] == 137000
    await send.control("POST", "numbers", {"status": "DISCONNECTED"})
    assert (await send(ANA, **TEXT))[1]["error"]["code"] == 133010


async def test_a_paused_template_resumes_and_is_disabled_at_the_third_pause(sim, send, receiver):
    for hours in (3, 6):
        await send.control("POST", "templates", {"name": "oferta_fibra", "do": "pause"})
        assert (await send.template("oferta_fibra", "A"))[1]["error"]["code"] == 132015
        sim.core.clock.advance(hours * 3_600)
        await sim.core.settled()
        assert (await send.template("oferta_fibra", "A"))[0] == 200
    await send.control("POST", "templates", {"name": "oferta_fibra", "do": "pause"})
    assert (await send.template("oferta_fibra", "A"))[1]["error"]["code"] == 132016
    sim.core.clock.advance(1)
    await sim.core.settled()
    events = [v["event"] for v in receiver.changes("message_template_status_update")]
    assert events == ["PAUSED", "APPROVED", "PAUSED", "APPROVED", "DISABLED"]


async def test_pacing_holds_messages_until_they_are_released_or_dropped(sim, send, receiver):
    await send.control("POST", "templates", {"name": "oferta_fibra", "do": "pacing", "value": "hold"})
    _, held = await send.template("oferta_fibra", "A")
    assert held["messages"][0]["message_status"] == "held_for_quality_assessment"
    assert await fate(sim, receiver, held) == []
    await send.control("POST", "templates", {"name": "oferta_fibra", "do": "release"})
    assert await fate(sim, receiver, held) == ["sent", "delivered", "read"]
    _, undecided = await send.template("oferta_fibra", "A")
    sim.core.clock.advance(3_600)
    await sim.core.settled()
    assert await fate(sim, receiver, undecided) == ["sent", "delivered", "read"]
    _, dropped = await send.template("oferta_fibra", "A")
    await send.control("POST", "templates", {"name": "oferta_fibra", "do": "drop"})
    assert await fate(sim, receiver, dropped) == [132015]
    await send.control("POST", "templates", {"name": "oferta_fibra", "do": "pacing", "value": "pause"})
    _, paused = await send.template("oferta_fibra", "A")
    assert paused["messages"][0]["message_status"] == "paused"
