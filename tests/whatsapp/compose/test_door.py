"""One of each kind through the HTTP door, out of the outbox, to the customer at the simulator."""

import copy
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from hub_api.auth.keys import create_key
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.model import Outbound
from hub_api.simulator.render import choices_of, text_of
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.sending import TOKEN, Person, add_our_number, add_people
from tests.support.simulator import test_config
from tests.whatsapp.compose.examples_told import TOLD
from tests.whatsapp.compose.kinds import MESSAGES, TEMPLATES, broken, simulated_template

WAMID = "wamid.HBgNNTUxMTk4MDAwMDAwMBUCABIYFDNBRUY1"


@dataclass
class Desk:
    """The hub with one customer, whose last message has the wamid WAMID."""

    hub: Hub
    sim: Simulator
    person: Person
    asked: UUID

    async def write(
        self, request: dict[str, Any], person: Person | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        path = f"/api/v1/conversations/{(person or self.person).conversation_id}/messages"
        answer = await self.hub.post(path, json=request, headers={**self.hub.auth, **headers})
        return answer.status, await answer.json()

    async def uploaded(self, mime_type: str) -> str:
        """The id of a file at Meta."""
        form = aiohttp.FormData({"messaging_product": "whatsapp"})
        form.add_field("file", b"\x00" * 64, content_type=mime_type, filename="a.mp4")
        url = f"{self.sim.url}/v26.0/{PHONE_NUMBER_ID}/media"
        answer = await self.hub.session.post(url, data=form, headers={"Authorization": f"Bearer {TOKEN}"})
        return (await answer.json())["id"]

    async def seen(self, message_id: str) -> Outbound:
        """The message as it reached the customer."""
        wamid = await self.hub.fetchval("SELECT wamid FROM messages WHERE id = $1", UUID(message_id))
        assert wamid, await self.hub.fetch("SELECT state, error_title FROM messages WHERE id = $1", UUID(message_id))
        return self.sim.core.messages[wamid]


@pytest.fixture
async def desk(database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    async with Simulator(test_config(enforce_limits=frozenset())) as sim:
        waba = next(iter(sim.core.world.wabas.values()))
        for name in TEMPLATES:
            waba.templates.pop((name, "pt_BR"), None)
            sim.core.world.add_template(waba, **simulated_template(name))
        settings: Settings = make_settings(database_url, redis_url, meta_base_url=sim.url)
        async with running_hub(settings) as hub:
            number = await add_our_number(hub.services, throughput_mps=1000)
            (person,) = await add_people(hub.services, number, 1)
            sim.core.world.register([NewUser(person.phone, name="Ana Souza")])
            await add_templates(hub)
            yield Desk(hub, sim, person, await add_question(hub, person, number))


async def add_templates(hub: Hub) -> None:
    for name, (category, components) in TEMPLATES.items():
        await hub.fetch(
            "INSERT INTO templates (id, account_id, name, language, category, status, components) "
            "SELECT $1, id, $2, 'pt_BR', $3, 'APPROVED', $4 FROM whatsapp_accounts",
            *(uuid7(), name, category, components),
        )


async def add_question(hub: Hub, person: Person, number: UUID, wamid: str = WAMID, age: str = "1 minute") -> UUID:
    message_id = uuid7()
    await hub.fetch(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, type, content, wamid, "
        "state) VALUES ($1, now() - $6::text::interval, $2, $3, $4, 'in', 'customer', 'text', 'qual o valor?', $5, 'received')",
        *(message_id, person.conversation_id, person.id, number, wamid, age),
    )
    return message_id


async def test_one_of_each_kind_reaches_the_customer_as_it_was_meant(desk: Desk):
    ids, phones = {}, {}
    number = await desk.hub.fetchval("SELECT id FROM whatsapp_numbers")
    # One customer for each: so many messages to one person would be spaced by the limit of the pair.
    people = await add_people(desk.hub.services, number, len(MESSAGES), first=1)
    desk.sim.core.world.register([NewUser(person.phone) for person in people])
    for person, (name, example) in zip(people, MESSAGES.items(), strict=True):
        request = copy.deepcopy(example)
        if "reply_to" in request:
            request["reply_to"] = str(await add_question(desk.hub, person, number, f"{WAMID}.{name}"))
        if "video" in request:
            request["video"]["id"] = await desk.uploaded("video/mp4")
        if "reaction" in request:
            request["reaction"]["message_id"] = str(await add_question(desk.hub, person, number, f"{WAMID}.{name}"))
        status, answer = await desk.write(request, person)
        assert status == 202, (name, answer)
        ids[name], phones[name] = answer["id"], person.phone
    await desk.hub.settled(deadline_s=120)
    told = {}
    for name, message_id in ids.items():
        seen = await desk.seen(message_id)
        assert seen.type == MESSAGES[name]["type"] and seen.user is not None and seen.user.phone == phones[name]
        told[name] = await desk.hub.fetchval("SELECT content FROM messages WHERE id = $1", UUID(message_id))
    assert told == TOLD
    reply = await desk.seen(ids["reply"])
    assert reply.context_id == f"{WAMID}.reply"
    assert (await desk.seen(ids["reaction"])).body == {"message_id": f"{WAMID}.reaction", "emoji": "👍"}
    assert (await desk.seen(ids["voice"])).body["voice"] is True
    assert [choice.id for choice in choices_of(await desk.seen(ids["buttons"]))] == [
        "menu:2via",
        "menu:sinal",
        "menu:pessoa",
    ]
    assert text_of(await desk.seen(ids["template_named"])) == "Olá Ana, segue sua fatura de R$ 99,90 em anexo."
    bill = (await desk.seen(ids["order_details"])).body["action"]["parameters"]
    assert bill["total_amount"] == {"value": 9490, "offset": 100} and len(bill["payment_settings"]) == 3
    button = (await desk.seen(ids["template_bill"])).body["components"][1]
    assert button["sub_type"] == "order_details" and button["parameters"][0]["action"] == {"order_details": bill}
    categories = await desk.hub.fetch("SELECT DISTINCT category, priority FROM messages WHERE type = 'template'")
    assert {tuple(row) for row in categories} == {("utility", 2), ("marketing", 3), ("authentication", 1)}


async def test_what_is_refused_is_named_by_its_path_and_nothing_is_queued(desk: Desk):
    cases = [
        (broken("buttons", "interactive.action.buttons.1.reply.title", "x" * 21), "body.interactive.action.buttons.1.reply.title", "20"),
        (broken("order_details", "interactive.action.parameters.total_amount.value", 1), "body.interactive.action.parameters", "9490"),
        (broken("image", "image", {}), "body.image", "exactly one"),
        (broken("text", "text", "x" * 4097), "body.text", "4096"),
    ]  # fmt: skip
    for request, field, says in cases:
        status, problem = await desk.write(request)
        assert (status, problem["code"]) == (422, "invalid")
        (fault,) = problem["errors"]
        assert fault["field"] == field and says in fault["message"]
    status, problem = await desk.write(broken("template_named", "components.1.parameters.0.parameter_name", "nome"))
    assert (status, problem["code"]) == (422, "template_mismatch")
    assert problem["errors"][0]["field"] == "body.components.1.parameters.0.parameter_name"
    assert "primeiro_nome, valor" in problem["errors"][0]["message"]
    assert await desk.hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'out'") == 0


async def test_a_reaction_needs_a_recent_message_that_is_there(desk: Desk):
    number = await desk.hub.fetchval("SELECT id FROM whatsapp_numbers")
    old = await add_question(desk.hub, desk.person, number, "wamid.OLD", "31 days")
    request = copy.deepcopy(MESSAGES["reaction"])
    for message_id, status, code in ((old, 409, "not_reactable"), (uuid7(), 404, "not_found")):
        request["reaction"]["message_id"] = str(message_id)
        answer = await desk.write(request)
        assert (answer[0], answer[1]["code"]) == (status, code)
    await desk.hub.fetch("UPDATE messages SET revoked_at = now() WHERE id = $1", desk.asked)
    request["reaction"]["message_id"] = str(desk.asked)
    assert (await desk.write(request))[1]["code"] == "not_reactable"


async def test_a_code_is_not_queued_for_a_customer_without_a_phone(desk: Desk):
    await desk.hub.fetch("UPDATE customers SET phone = NULL")
    await desk.hub.fetch("UPDATE customer_identities SET kind = 'bsuid', value = 'BR.150257'")
    status, problem = await desk.write(MESSAGES["template_code"])
    assert (status, problem["code"]) == (409, "phone_required") and "request_contact_info" in problem["detail"]


async def test_a_code_goes_to_the_phone_of_a_customer_known_by_a_bsuid_too(desk: Desk):
    portfolio = "(SELECT portfolio_id FROM whatsapp_accounts)"
    await desk.hub.fetch(f"UPDATE customer_identities SET kind = 'bsuid', value = 'BR.1', portfolio_id = {portfolio}")
    _, queued = await desk.write(MESSAGES["template_code"])
    await desk.hub.settled()
    assert (await desk.seen(queued["id"])).user.phone == desk.person.phone
    _, late = await desk.write(MESSAGES["template_code"])
    await desk.hub.fetch("UPDATE customers SET phone = NULL")  # gone between the order and the claim
    await desk.hub.fetch("DELETE FROM customer_identities WHERE kind = 'wa_id'")  # what Meta's first answer told
    await desk.hub.settled()
    (row,) = await desk.hub.fetch("SELECT state, error_code FROM messages WHERE id = $1", UUID(late["id"]))
    assert tuple(row) == ("failed", 131062)


async def test_a_file_of_ours_that_is_not_there_is_refused_at_once(desk: Desk):
    status, problem = await desk.write({"type": "image", "image": {"id": str(uuid7())}})
    assert (status, problem["code"]) == (404, "not_found") and "upload it first" in problem["detail"]


async def test_the_same_idempotency_key_sends_a_file_once(desk: Desk):
    first, second = [await desk.write(MESSAGES["document"], **{"Idempotency-Key": "k1"}) for _ in "12"]
    assert first == second and first[0] == 202
    assert await desk.hub.fetchval("SELECT count(*) FROM messages WHERE type = 'document'") == 1


async def test_the_customer_sees_that_it_was_read_and_that_somebody_types(desk: Desk):
    path = f"/api/v1/conversations/{desk.person.conversation_id}/read"
    for typing, event in ((True, "typing"), (False, "marked_read")):
        answer = await desk.hub.post(path, json={"typing": typing}, headers=desk.hub.auth)
        assert (answer.status, await answer.json()) == (200, {"done": True})
        assert desk.sim.core.events[event] == 1
    assert await desk.hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'out'") == 0
    await desk.hub.fetch("UPDATE messages SET created_at = now() - interval '31 days'")
    answer = await desk.hub.post(path, json={}, headers=desk.hub.auth)
    assert (answer.status, await answer.json()) == (200, {"done": False})


async def test_a_read_mark_that_meta_does_not_take_harms_nothing(desk: Desk):
    path = f"/api/v1/conversations/{desk.person.conversation_id}/read"
    await desk.hub.fetch("UPDATE whatsapp_numbers SET phone_number_id = '999999999999999'")
    answer = await desk.hub.post(path, json={}, headers=desk.hub.auth)
    assert (answer.status, await answer.json()) == (200, {"done": False})
    missing = await desk.hub.post(f"/api/v1/conversations/{uuid7()}/read", json={}, headers=desk.hub.auth)
    assert missing.status == 404


async def test_writing_needs_the_permission_to_write(desk: Desk):
    key = await create_key(desk.hub.services.db, "reader", ["conversations:read"])
    headers = {"Authorization": f"Bearer {key}"}
    for path, body in (("messages", MESSAGES["text"]), ("read", {})):
        answer = await desk.hub.post(
            f"/api/v1/conversations/{desk.person.conversation_id}/{path}", json=body, headers=headers
        )
        assert answer.status == 403


async def test_the_openapi_page_shows_every_kind(desk: Desk):
    answer = await desk.hub.get("/openapi.json")
    operation = (await answer.json())["paths"]["/api/v1/conversations/{conversation_id}/messages"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == set(MESSAGES)
    kinds = set(content["schema"]["discriminator"]["mapping"])
    assert kinds == {example["type"] for example in MESSAGES.values()}
