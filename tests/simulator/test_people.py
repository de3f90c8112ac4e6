"""Who lives on the simulated platform, and what passed between them and the business."""

import json
from collections import Counter
from random import Random
from typing import Any

from hub_api.simulator.behaviour import Reaction
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.corpus import load_corpus
from hub_api.simulator.customers import Customers
from hub_api.simulator.defaults import default_templates
from hub_api.simulator.model import Number, Outbound, Portfolio, Template, User, Waba
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.chance import drawn_seed
from tests.support.simulator import ANA, test_config

START = 1_796_000_000.0
SEED = drawn_seed()


def reactions_of(people: Customers, message: dict[str, Any], draws: int = 4_000) -> list[list[Reaction]]:
    """What as many people do about one message of ours."""
    rng = Random(SEED)
    number = Number("1", "551130001000", Waba("2", Portfolio("3")))
    found = []
    for place in range(draws):
        user = User(f"55119{70_000_000 + place}", f"55119{70_000_000 + place}", "Ana", {})
        found.append(
            list(people.reactions(user, Outbound("wamid.X", number, user, accepted_at=0, expires_at=1, **message), rng))
        )
    return found


def share(found: list[list[Reaction]], act: str) -> float:
    return sum(any(one.act == act for one in each) for each in found) / len(found)


def test_customers_take_advertising_as_people_do():
    found = reactions_of(Customers(), {"type": "template", "body": {"name": "oferta"}, "category": "marketing"})
    assert 0.97 < share(found, "delivered") < 1.0, f"seed {SEED}: a few phones stay off"
    assert 0.80 < share(found, "read") < 0.93, f"seed {SEED}: some never look"
    late = [one.after_s for each in found for one in each if one.act == "read"]
    assert min(late) < 2 and max(late) > 20, f"seed {SEED}: some look at once, some late"
    assert (
        0.03 < share(found, "writes") < 0.12
        and 0 < share(found, "blocks") < 0.01
        and 0 < share(found, "opts_out") < 0.02
    )
    said = {one.content["body"] for each in found for one in each if one.act == "writes"}
    intents = {line.intent for line in load_corpus().utterances if line.text in said}
    assert intents == {"opt_out", "offer_reply_interested", "offer_reply_refused"}, f"seed {SEED}"
    assert all(one.after_s >= each[0].after_s for each in found for one in each), "nobody answers what has not arrived"


def test_who_answers_a_reminder_of_an_invoice_speaks_of_the_invoice():
    (reminder,) = [Template("1", **one) for one in default_templates() if one["name"] == "fatura_lembrete"]
    found = reactions_of(
        Customers(), {"type": "template", "body": {}, "category": "utility", "template": reminder}, 300
    )
    said = {one.content["body"] for each in found for one in each if one.act == "writes" and "body" in one.content}
    intents = {line.intent for line in load_corpus().utterances if line.text in said}
    assert said and intents == {"invoice_copy"}, f"seed {SEED}: {intents}"


def test_customers_tap_what_they_came_for_rate_and_share_their_phone_when_asked():
    rows = [
        {"id": "a", "title": "Segunda via"},
        {"id": "b", "title": "Sem sinal"},
        {"id": "c", "title": "Falar com atendente"},
    ]
    menu = {"type": "list", "body": {"text": "?"}, "action": {"button": "Ver", "sections": [{"rows": rows}]}}
    taken = Counter(one.content.get("type") for each in reactions_of(Customers(), {"type": "interactive", "body": menu}, 500)
                    for one in each if one.act == "writes")  # fmt: skip
    assert taken["list_reply"] > 200 and taken[None] > 20, f"seed {SEED}: most tap, some write instead"
    scores = [{"type": "reply", "reply": {"id": f"csat_{n}", "title": str(n)}} for n in (1, 3, 5)]
    survey = {"type": "button", "body": {"text": "?"}, "action": {"buttons": scores}}
    rated = reactions_of(Customers(), {"type": "interactive", "body": survey}, 500)
    assert 0.3 < share(rated, "writes") < 0.6, f"seed {SEED}"
    question = {"type": "text", "body": {"body": "E de 0 a 10, quanto você nos recomendaria a um amigo?"}}
    answered = [one for each in reactions_of(Customers(), question, 500) for one in each if one.act == "writes"]
    told = Counter(int(one.content["body"]) for one in answered)
    assert set(told) <= set(range(11)) and told[9] + told[10] > told.total() / 4, f"seed {SEED}: {told}"
    assert 150 < len(answered) < 400, f"seed {SEED}"
    flow = {
        "name": "flow",
        "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Responder", "flow_token": "nps:x"},
    }
    form = {"type": "interactive", "body": {"type": "flow", "body": {"text": "De 0 a 10?"}, "action": flow}}
    filled = [one for each in reactions_of(Customers(), form, 200) for one in each if one.act == "writes"]
    assert filled and all(one.type == "interactive" and one.quotes for one in filled)
    for reply in (one.content["nfm_reply"] for one in filled):
        response = json.loads(reply["response_json"])
        assert reply["name"] == "flow" and response["flow_token"] == "nps:x" and 0 <= int(response["score"]) <= 10
    ask = {"type": "request_contact_info", "body": {"text": "?"}, "action": {"name": "request_contact_info"}}
    shared = [
        one
        for each in reactions_of(Customers(), {"type": "interactive", "body": ask}, 100)
        for one in each
        if one.act == "writes"
    ]
    assert len(shared) > 50 and {one.type for one in shared} == {"contacts"}, f"seed {SEED}"
    voice = reactions_of(Customers(), {"type": "audio", "body": {"id": "1", "voice": True}}, 100)
    assert share(voice, "played") > 0.7, f"seed {SEED}"


async def test_a_person_registered_again_keeps_what_passed():
    """Live traffic that starts a second time must not close the windows of those who wrote before."""
    async with Simulator(test_config(speed=0.0, start_at=START)) as sim:
        (ana,) = sim.core.world.register([NewUser(ANA)])
        ana.pair(PHONE_NUMBER_ID).wrote_at = START - 60
        ana.opted_out.add("111000000000001")
        (again,) = sim.core.world.register([NewUser(ANA, name="Ana Souza")])
        assert again.name == "Ana Souza"
        assert again.pair(PHONE_NUMBER_ID).wrote_at == START - 60
        assert again.opted_out == {"111000000000001"}


async def test_a_window_that_history_opened_is_known_and_never_shortened():
    async with Simulator(test_config(speed=0.0, start_at=START)) as sim:
        (ana,) = sim.core.world.register([NewUser(ANA, wrote_at={PHONE_NUMBER_ID: START - 3600})])
        assert ana.pair(PHONE_NUMBER_ID).wrote_at == START - 3600
        (again,) = sim.core.world.register([NewUser(ANA, wrote_at={PHONE_NUMBER_ID: START - 7200})])
        assert again.pair(PHONE_NUMBER_ID).wrote_at == START - 3600
