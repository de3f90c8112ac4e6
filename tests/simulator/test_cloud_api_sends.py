"""What the send endpoint accepts, refuses and loses, with a clock that only the test moves."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.simulator.behaviour import Reaction, Silent, shares_phone
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.simulator import ANA, ANA_BSUID, Receiver, Sender, test_config

START = 1_796_000_000.0  # 30 November 2026
DAY = 86_400.0
TEXT = {"type": "text", "text": {"body": "Olá"}}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def sim(receiver: Receiver) -> AsyncIterator[Simulator]:
    config = test_config(webhook_url=receiver.url, speed=0.0, start_at=START, hidden_phone="omit")
    async with Simulator(config) as running:
        running.core.world.register([NewUser(ANA, name="Ana Souza", bsuid=ANA_BSUID)])
        yield running


@pytest.fixture
async def send(sim: Simulator) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession() as session:
        yield Sender(sim, session)


def ana(sim: Simulator):
    return sim.core.world.find_user(ANA)


def opens_window(sim: Simulator, address: str = ANA) -> None:
    sim.core.world.find_user(address).pair(PHONE_NUMBER_ID).wrote_at = sim.core.clock.now()


async def fate(sim: Simulator, receiver: Receiver, answer: dict[str, Any]) -> list[Any]:
    """The statuses of an accepted message after a minute: names, or codes of failures."""
    wamid = answer["messages"][0]["id"]
    sim.core.clock.advance(60)
    await sim.core.settled()
    found = [s for s in receiver.statuses() if s["id"] == wamid]
    return [s["errors"][0]["code"] if s["status"] == "failed" else s["status"] for s in found]


async def test_a_wamid_hides_the_phone_in_base64(sim, send):
    _, answer = await send.template("boas_vindas", "Ana")
    wamid = answer["messages"][0]["id"]
    assert ANA.encode() in base64.b64decode(wamid.removeprefix("wamid."))
    assert answer["contacts"] == [{"input": f"+{ANA}", "wa_id": ANA}]
    assert answer["messages"][0]["message_status"] == "accepted"


async def test_some_wa_ids_come_back_without_the_ninth_digit(send):
    _, answer = await send.template("boas_vindas", "Zé", to="5531987654321")
    assert answer["contacts"] == [{"input": "+5531987654321", "wa_id": "553187654321"}]
    _, again = await send.template("boas_vindas", "Zé", to="553187654321")
    assert again["contacts"][0]["wa_id"] == "553187654321"


async def test_spaces_and_a_missing_country_code_are_tolerated(sim, send):
    for written in ("+55 (11) 98765-4321", "55 11 98765 4321", "11 98765-4321"):
        status, answer = await send(written, **TEXT)
        assert status == 200, answer
        assert answer["contacts"][0]["wa_id"] == ANA


async def test_a_bsuid_in_to_is_accepted_and_never_heard_of_again(sim, send, receiver):
    status, answer = await send(ANA_BSUID, **TEXT)
    assert status == 200
    assert answer["messages"][0]["id"].startswith("wamid.")
    assert await fate(sim, receiver, answer) == []
    assert sim.core.events["lost_bsuid_in_to"] == 1


async def test_a_bsuid_in_recipient_reaches_its_user(sim, send, receiver):
    opens_window(sim)
    status, answer = await send(None, recipient=ANA_BSUID, **TEXT)
    assert (status, answer["contacts"]) == (200, [{"input": ANA_BSUID, "user_id": ANA_BSUID}])
    assert await fate(sim, receiver, answer) == ["sent", "delivered", "read"]
    _, answer = await send.template("codigo_acesso", to=None, recipient=ANA_BSUID, components=otp("123456"))
    assert answer["error"]["code"] == 131062


async def test_a_user_who_hides_the_phone_shows_only_the_bsuid(sim, send, receiver):
    sim.core.world.register([NewUser("5521911112222", bsuid="BR.42", username="mistério", hides_phone=True)])
    opens_window(sim, "BR.42")
    _, answer = await send(None, recipient="BR.42", **TEXT)
    assert await fate(sim, receiver, answer) == ["sent", "delivered", "read"]
    for status in receiver.statuses():
        assert "recipient_id" not in status
        assert status["recipient_user_id"] == "BR.42"
    names = [value["contacts"][0]["profile"].get("username") for value in receiver.changes()]
    assert names == [None, "mistério", "mistério"]
    assert all("wa_id" not in value["contacts"][0] for value in receiver.changes())


async def test_a_request_for_the_phone_is_answered_with_it(sim, send, receiver):
    class Shares:
        def reactions(self, user, message, rng):
            return [shares_phone(1.0, user)]

    sim.core.behaviour = Shares()
    sim.core.world.register([NewUser("5521911112222", bsuid="BR.42", username="bia", hides_phone=True)])
    opens_window(sim, "BR.42")
    action = {"name": "request_contact_info"}
    _, answer = await send(None, recipient="BR.42", **interactive("request_contact_info", action))
    await fate(sim, receiver, answer)
    message = receiver.messages()[0]
    assert (message["type"], message["contacts"][0]["origin"]) == ("contacts", "contact_request")
    assert message["contacts"][0]["phones"][0]["phone"] == "+5521911112222"
    assert message["context"] == {"from": "551130001000", "id": answer["messages"][0]["id"]}
    assert "from" not in message


async def test_a_username_hides_the_phone_until_it_is_used(sim, send, receiver):
    sim.core.world.register([NewUser("5521911112222", username="bia")])
    await send.control("POST", "inbound", {"from": "5521911112222", "text": "oi"})
    await send("5521911112222", **TEXT)
    sim.core.clock.advance(10)
    await send.control("POST", "inbound", {"from": "5521911112222", "text": "e aí"})
    await sim.core.settled()
    phones = [message.get("from") for message in receiver.messages()]
    assert phones == [None, "5521911112222"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "text", "text": {}}, 100),
        ({"type": "text", "text": {"body": ""}}, 100),
        ({"type": "text", "text": {"body": "x" * 4_097}}, 100),
        ({"type": "text", "text": {"body": "x", "colour": "red"}}, 100),
        ({"type": "hologram", "hologram": {}}, 100),
        ({"type": "image", "image": {}}, 100),
        ({"type": "image", "image": {"id": "1", "link": "https://x/y"}}, 100),
        ({"type": "image", "image": {"id": "999"}}, 100),
        ({"type": "image", "image": {"link": "ftp://x/y"}}, 100),
        ({"type": "image", "image": {"link": "https://x/y", "caption": "x" * 1_025}}, 100),
        ({"type": "audio", "audio": {"link": "https://x/y", "caption": "não pode"}}, 100),
        ({"type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "abc"}}, 131009),
        ({"type": "location", "location": {"latitude": 99, "longitude": 0}}, 131009),
        ({"type": "location", "location": {"latitude": 9}}, 100),
        ({"type": "contacts", "contacts": []}, 131009),
        ({"type": "contacts", "contacts": [{"phones": []}]}, 131008),
        ({**TEXT, "biz_opaque_callback_data": "x" * 513}, 100),
        ({**TEXT, "context": {}}, 100),
        ({**TEXT, "recipient_type": "group"}, 100),
        ({**TEXT, "messaging_product": "telegram"}, 100),
    ],
)
async def test_what_breaks_a_limit_is_refused_with_its_code(send, body, code):
    status, answer = await send(ANA, **body)
    assert (status, answer["error"]["code"]) == (400, code), answer
    assert answer["error"]["fbtrace_id"]
    assert answer["error"]["error_data"]["details"]


def interactive(kind: str, action: dict[str, Any], text: str = "Menu", **more: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action, **more}}


def button(id_: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": id_, "title": title}}


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": f"r{i}", "title": f"Linha {i}"} for i in range(count)]


@pytest.mark.parametrize(
    "body",
    [
        interactive("button", {"buttons": [button(str(i), f"T{i}") for i in range(4)]}),
        interactive("button", {"buttons": [button("1", "x" * 21)]}),
        interactive("button", {"buttons": [button("x" * 257, "T")]}),
        interactive("button", {"buttons": [button("1", "A"), button("1", "B")]}),
        interactive("button", {"buttons": [button("1", "A"), button("2", "A")]}),
        interactive("button", {"buttons": [button("1", "A")]}, text="x" * 1_025),
        interactive("button", {"buttons": [button("1", "A")]}, footer={"text": "x" * 61}),
        interactive("button", {"buttons": [button("1", "A")]}, header={"type": "text", "text": "x" * 61}),
        interactive("list", {"button": "Ver", "sections": [{"title": "S", "rows": rows(11)}]}),
        interactive("list", {"button": "Ver", "sections": [{"title": f"S{i}", "rows": rows(6)} for i in range(2)]}),
        interactive("list", {"button": "x" * 21, "sections": [{"title": "S", "rows": rows(1)}]}),
        interactive("list", {"button": "Ver", "sections": [{"rows": [{"id": "1", "title": "x" * 25}]}]}),
        interactive("list", {"button": "Ver", "sections": [{"rows": [{"id": "1", "title": "T", "description": "x" * 73}]}]}),
        interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "x" * 21, "url": "https://x"}}),
        interactive("request_contact_info", {"name": "other"}),
    ],
)  # fmt: skip
async def test_interactive_limits_are_refused_with_131009(send, body):
    status, answer = await send(ANA, **body)
    assert (status, answer["error"]["code"]) == (400, 131009), answer


def otp(code: str) -> list[dict[str, Any]]:
    parameter = [{"type": "text", "text": code}]
    return [
        {"type": "body", "parameters": parameter},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": parameter},
    ]


@pytest.mark.parametrize(
    ("name", "values", "more", "status", "code"),
    [
        ("boas_vindas", (), {}, 400, 132000),
        ("boas_vindas", ("Ana", "Bia"), {}, 400, 132000),
        ("boas_vindas", ("Ana\nSouza",), {}, 400, 132018),
        ("boas_vindas", ("Ana     Souza",), {}, 400, 132018),
        ("boas_vindas", ("",), {}, 400, 131008),
        ("boas_vindas", ("x" * 1_025,), {}, 400, 132005),
        ("boas_vindas", ("nome=Ana",), {}, 400, 132012),
        ("boas_vindas", ("Ana",), {"language": "pt_PT"}, 404, 132001),
        ("nao_existe", (), {}, 404, 132001),
        ("fatura_disponivel", ("primeiro_nome=Ana",), {}, 400, 132000),
        ("fatura_disponivel", ("primeiro_nome=Ana", "total=9"), {}, 400, 132012),
        ("fatura_disponivel", ("Ana", "R$ 9"), {}, 400, 100),
        ("fatura_com_documento", ("primeiro_nome=Ana", "valor=9"), {}, 400, 132012),
        ("codigo_acesso", ("123456",), {}, 400, 131008),
        ("codigo_acesso", (), {"components": otp("1234567890123456")}, 400, 132005),
    ],
)
async def test_a_template_filled_in_wrongly_is_refused_with_its_code(send, name, values, more, status, code):
    given_status, answer = await send.template(name, *values, **more)
    assert (given_status, answer["error"]["code"]) == (status, code), answer


async def test_a_template_with_document_and_button_as_documented_is_accepted(send):
    components = [
        {"type": "header", "parameters": [{"type": "document", "document": {"link": "https://x/f.pdf", "filename": "f"}}]},
        {"type": "body", "parameters": [
            {"type": "text", "parameter_name": "primeiro_nome", "text": "Ana"},
            {"type": "text", "parameter_name": "valor", "text": "R$ 99,90"}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "2via/abc123"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "1",
         "parameters": [{"type": "payload", "payload": "OPTOUT_PROMO"}]},
    ]  # fmt: skip
    status, answer = await send.template("fatura_com_documento", components=components)
    assert status == 200, answer


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


async def test_statuses_stay_possible_whatever_a_behaviour_says(sim, send, receiver):
    class Odd:
        def reactions(self, user, message, rng):
            return [Reaction(0.1, "read"), Reaction(0.2, "delivered"), Reaction(0.3, "failed", code=131026)]

    sim.core.behaviour = Odd()
    opens_window(sim)
    _, answer = await send(ANA, **TEXT)
    assert await fate(sim, receiver, answer) == ["sent", "read"]
    _, answer = await send(ANA, type="reaction", reaction={"message_id": "wamid.X", "emoji": "👍"})
    assert await fate(sim, receiver, answer) == ["sent", 131026]


async def test_a_message_nobody_fetches_in_time_is_dropped_without_a_word(sim, send, receiver):
    class Late:
        def reactions(self, user, message, rng):
            return [Reaction(700.0, "delivered")]

    sim.core.behaviour = Late()
    _, code = await send.template("codigo_acesso", components=otp("123456"))
    _, welcome = await send.template("boas_vindas", "Ana")
    sim.core.clock.advance(800)
    assert await fate(sim, receiver, code) == ["sent"]
    assert await fate(sim, receiver, welcome) == ["sent", "delivered"]


async def test_the_token_is_checked(sim, send):
    for headers in ({}, {"Authorization": "Bearer nope"}):
        async with send.session.post(
            f"{sim.url}/v26.0/{PHONE_NUMBER_ID}/messages", json={}, headers=headers
        ) as response:
            assert response.status == 401
            assert (await response.json())["error"]["code"] == 190


async def test_management_calls_are_counted_and_limited(sim, send):
    async with send.session.get(
        f"{sim.url}/v26.0/{WABA_ID}/phone_numbers", headers={"Authorization": "Bearer sim-token"}
    ) as response:
        assert WABA_ID in response.headers["X-Business-Use-Case-Usage"]
    calls = sim.core.world.wabas[WABA_ID].management_calls
    calls.extend([START] * 5_000)
    status, answer = await send.graph("GET", f"{WABA_ID}/phone_numbers")
    assert (status, answer["error"]["code"]) == (400, 80007)
    sim.core.clock.advance(3_601)
    assert (await send.graph("GET", f"{WABA_ID}/phone_numbers"))[0] == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda x: st.lists(x, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "body", "text", "type", "parameters", "components", "action", "buttons", "sections", "rows",
                         "name", "language", "code", "link", "header", "footer", "reply", "title", "index", "sub_type",
                         "phones", "message_id", "emoji", "latitude", "longitude", "cards", "button", "currency"]),
        x, max_size=4), max_leaves=12,
)  # fmt: skip
KINDS = st.sampled_from(["text", "image", "audio", "reaction", "location", "contacts", "interactive", "template", "x"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=KINDS | JSON, content=JSON, more=st.dictionaries(st.sampled_from(["to", "context", "recipient"]), JSON))
async def test_any_body_is_accepted_or_refused_like_graph_does(sim, kind, content, more):
    key = kind if isinstance(kind, str) else "text"
    payload = {"messaging_product": "whatsapp", "to": f"+{ANA}", "type": kind, key: content, **more}
    async with aiohttp.ClientSession() as session:
        status, answer = await Sender(sim, session).graph("POST", f"{PHONE_NUMBER_ID}/messages", json=payload)
    assert status == 200 or answer["error"]["code"] in (100, 131008, 131009, 131053, 131056, 130429, 132001)


async def test_a_body_that_is_not_json_is_refused(send):
    status, answer = await send.graph("POST", f"{PHONE_NUMBER_ID}/messages", data=b"{", headers={"Content-Type": "a/b"})
    assert (status, answer["error"]["code"]) == (400, 100)
