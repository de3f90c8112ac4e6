"""What the send endpoint accepts, refuses and loses, with a clock that only the test moves."""

import base64

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.simulator.behaviour import Reaction, shares_phone
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.world import NewUser
from tests.simulator.conftest import START, TEXT, fate, interactive, opens_window, otp
from tests.support.simulator import ANA, ANA_BSUID, Sender


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
