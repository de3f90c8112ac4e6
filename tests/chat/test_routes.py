"""The chat API over HTTP, on conversations that came in as webhooks."""

import asyncio
from typing import Any

import pytest

from hub_api.platform.ids import uuid7
from tests.auth.people import add_person, add_team, call
from tests.chat.test_business import CONTRACT, PLAN
from tests.support.hub import Hub, signed
from tests.support.waiting import eventually
from tests.whatsapp.door import NUMBER, PORTFOLIO, WABA, now, text

CONVERSATIONS = "/api/v1/conversations"


@pytest.fixture
async def served(hub: Hub) -> Hub:
    """A hub with our number, an agent, two queues."""
    account = uuid7()
    await hub.fetch(
        "INSERT INTO whatsapp_accounts (id, waba_id, portfolio_id, name, token_encrypted) VALUES ($1,$2,$3,'x','x')",
        account,
        WABA,
        PORTFOLIO,
    )
    await hub.fetch(
        "INSERT INTO whatsapp_numbers (id, account_id, phone_number_id, display_phone_number, state) "
        "VALUES ($1,$2,$3,'551130001000','paused')",
        uuid7(),
        account,
        NUMBER,
    )
    await hub.fetch(
        "INSERT INTO templates (id, account_id, name, language, category, status, components) "
        "VALUES ($1,$2,'visita','pt_BR','UTILITY','APPROVED',$3), ($4,$2,'promo','pt_BR','MARKETING','PAUSED','[]')",
        uuid7(),
        account,
        [{"type": "BODY", "text": "Olá {{1}}, a visita é {{2}}."}],
        uuid7(),
    )
    await hub.fetch("INSERT INTO queues (id, key, name) VALUES ($1,'suporte','Suporte')", uuid7())
    return hub


async def write(hub: Hub, *args: Any, **options: Any) -> dict[str, Any]:
    """A customer writes; returns the newest conversation as the API shows it."""
    assert (await hub.post("/webhooks/whatsapp", **signed(text(*args, **options)))).status == 200
    await take_in(hub)
    return (await listed(hub))[0]


async def take_in(hub: Hub) -> None:
    """Run the inbound jobs only: no bot and no sender, so that states are what the test makes them."""
    from hub_api.platform.queue import REGISTRY

    await REGISTRY["whatsapp.jobs.split_inbox"].function(hub.services)
    for row in await hub.fetch("SELECT DISTINCT lane FROM inbox_item"):
        await REGISTRY["whatsapp.jobs.handle_lane"].function(hub.services, row["lane"])


async def listed(hub: Hub, **params: str) -> list[dict[str, Any]]:
    answer = await hub.get(CONVERSATIONS, params=params, headers=hub.auth)
    assert answer.status == 200
    return (await answer.json())["items"]


async def post(hub: Hub, path: str, body: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
    answer = await hub.post(CONVERSATIONS + path, json=body, headers={**hub.auth, **headers})
    return answer.status, await answer.json()


async def agent(hub: Hub) -> str:
    user = uuid7()
    await hub.fetch("INSERT INTO users (id, email, name) VALUES ($1, $2, 'Bia')", user, f"{user}@example.com")
    return str(user)


async def test_a_conversation_is_found_by_id_and_by_protocol(served: Hub):
    opened = await write(served, "minha internet caiu")
    assert opened["state"] == "bot" and opened["customer_name"] == "Ana Souza"
    for reference in (opened["id"], opened["protocol"]):
        answer = await served.get(f"{CONVERSATIONS}/{reference}", headers=served.auth)
        assert (await answer.json())["id"] == opened["id"]
    missing = await served.get(f"{CONVERSATIONS}/2020010100000001", headers=served.auth)
    assert missing.status == 404 and (await missing.json())["code"] == "not_found"


async def test_a_conversation_goes_from_queue_to_agent_to_resolved_and_is_rated(served: Hub):
    opened, bia = await write(served), await agent(served)
    path = f"/{opened['id']}"
    assert (await post(served, f"{path}/transfer", {"queue": "suporte"}))[1]["queue"] == "suporte"
    assert [one["id"] for one in await listed(served, state="queued", queue="suporte")] == [opened["id"]]
    assert (await post(served, f"{path}/assign", {"agent_id": bia}))[1]["agent_id"] == bia
    status, _ = await post(served, f"{path}/messages", {"type": "text", "text": "Boa tarde!", "agent_id": bia})
    assert status == 202
    waiting = (await listed(served))[0]
    assert waiting["state"] == "waiting_customer" and waiting["first_response_at"]
    assert waiting["unanswered_since"] is None and waiting["avg_response_time"].startswith("PT")
    assert (await post(served, f"{path}/resolve", {}))[1]["state"] == "resolved"
    assert (await post(served, f"{path}/rate", {"satisfaction": 4}))[1]["satisfaction"] == 4
    assert (await post(served, f"{path}/rate", {"satisfaction": 6}))[0] == 422
    status, closed = await post(served, f"{path}/close", {})
    assert (status, closed["state"]) == (200, "closed")
    status, problem = await post(served, f"{path}/assign", {"agent_id": bia})
    assert (status, problem["code"]) == (409, "conversation_state")
    released = await served.fetchval("SELECT released_at FROM assignments WHERE conversation_id = $1", uuid(opened))
    assert released is not None
    changes = await served.fetch(
        "SELECT payload->>'to_state' AS state FROM events WHERE type='conversation.state_changed' ORDER BY seq"
    )
    assert [row["state"] for row in changes] == ["queued", "assigned", "waiting_customer", "resolved", "closed"]


def uuid(conversation: dict[str, Any]) -> Any:
    from uuid import UUID

    return UUID(conversation["id"])


async def test_the_same_idempotency_key_queues_one_message_and_another_body_is_refused(served: Hub):
    opened = await write(served)
    body = {"type": "text", "text": "Um momento"}
    first, second = [await post(served, f"/{opened['id']}/messages", body, **{"Idempotency-Key": "k1"}) for _ in "12"]
    assert first == second and first[0] == 202
    status, problem = await post(
        served, f"/{opened['id']}/messages", {**body, "text": "Outra"}, **{"Idempotency-Key": "k1"}
    )
    assert (status, problem["code"]) == (409, "idempotency_key_reused")
    assert await served.fetchval("SELECT count(*) FROM messages WHERE direction = 'out'") == 1


async def test_after_24_hours_only_a_template_goes_out(served: Hub):
    opened = await write(served, at=now() - 25 * 3600)
    status, problem = await post(served, f"/{opened['id']}/messages", {"type": "text", "text": "Olá"})
    assert (status, problem["code"]) == (409, "window_closed")
    template = {
        "type": "template",
        "name": "visita",
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "amanhã"}]}
        ],
    }
    assert (await post(served, f"/{opened['id']}/messages", template))[0] == 202
    sent = (await served.fetch("SELECT * FROM messages WHERE direction = 'out'"))[0]
    assert sent["content"] == "Olá Ana, a visita é amanhã." and sent["category"] == "utility" and sent["priority"] == 2
    assert sent["payload"]["template"]["language"] == {"code": "pt_BR"}
    status, problem = await post(served, f"/{opened['id']}/messages", {"type": "template", "name": "promo"})
    assert (status, problem["code"]) == (409, "template_not_approved")
    assert (await post(served, f"/{opened['id']}/messages", {"type": "template", "name": "nada"}))[0] == 404


async def test_messages_are_paged_newest_first_without_gaps(served: Hub):
    at = now()
    for number in range(5):
        opened = await write(served, f"linha {number}", at=at)
    path, seen, cursor = f"{CONVERSATIONS}/{opened['id']}/messages", [], None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await (await served.get(path, params=params, headers=served.auth)).json()
        seen += [message["content"] for message in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == [f"linha {number}" for number in reversed(range(5))]
    assert (await served.get(path, params={"cursor": "xyz"}, headers=served.auth)).status == 422


async def test_a_reply_quotes_a_message_of_the_same_conversation_only(served: Hub):
    opened = await write(served, "qual o valor?", wamid="wamid.QUOTED")
    other = await write(served, "oi", wa_id="5521999990000")
    asked = await served.fetchval("SELECT id FROM messages WHERE wamid = 'wamid.QUOTED'")
    body = {"type": "text", "text": "R$ 99,90", "reply_to": str(asked)}
    assert (await post(served, f"/{opened['id']}/messages", body))[0] == 202
    assert (
        await served.fetchval("SELECT payload->'context'->>'message_id' FROM messages WHERE direction='out'")
        == "wamid.QUOTED"
    )
    assert (await post(served, f"/{other['id']}/messages", body))[0] == 404


@pytest.mark.parametrize("typed", ["5511987654321", "+55 (11) 98765-4321", "11 8765-4321", "011 98765 4321"])
async def test_a_customer_is_found_by_any_spelling_of_the_phone(served: Hub, typed: str):
    await write(served, wa_id="551187654321")
    answer = await served.get("/api/v1/customers", params={"phone": typed}, headers=served.auth)
    found = (await answer.json())["items"]
    assert [one["phone"] for one in found] == ["+5511987654321"] and found[0]["state_code"] == "SP"


@pytest.mark.parametrize("typed", ["529.982.247-25", "52998224725"])
async def test_a_customer_is_found_by_the_cpf_of_a_contract_by_who_sees_him(served: Hub, typed: str):
    opened = await write(served, wa_id="551187654321")
    await write(served, wa_id="551187654322")
    for kind, row in (("plans", PLAN), ("contracts", CONTRACT | {"cpf": "529.982.247-25"})):
        status, told = await call(served, "POST", f"/api/v1/business/{kind}", served.auth, json={"rows": [row]})
        assert (status, told["written"]) == (200, 1), told

    async def found(headers: dict[str, str]) -> list[str]:
        status, page = await call(served, "GET", "/api/v1/customers", headers, params={"cpf": typed})
        assert status == 200, page
        return [one["id"] for one in page["items"]]

    assert await found(served.auth) == [opened["customer_id"]]
    team, _ = await add_team(served, "outra")
    other, queue = await add_team(served, "suporte")
    await served.fetch(
        "UPDATE conversations SET state = 'queued', queue_id = (SELECT id FROM queues WHERE key = $1)", queue
    )
    assert await found((await add_person(served, "agent", team)).headers) == []
    assert await found((await add_person(served, "agent", other)).headers) == [opened["customer_id"]]
    status, none = await call(served, "GET", "/api/v1/customers", served.auth, params={"cpf": "111.444.777-35"})
    assert (status, none["items"]) == (200, [])


async def test_a_customer_is_found_by_part_of_the_name_without_accents(served: Hub):
    opened = await write(served, name="José Gonçalves")
    answer = await served.get("/api/v1/customers", params={"name": "goncal"}, headers=served.auth)
    found = (await answer.json())["items"]
    assert [one["id"] for one in found] == [opened["customer_id"]]
    assert (await served.get("/api/v1/customers", params={"name": "%%%"}, headers=served.auth)).status == 200
    one = await (await served.get(f"/api/v1/customers/{found[0]['id']}", headers=served.auth)).json()
    assert {identity["kind"] for identity in one["identities"]} == {"wa_id", "phone"}
    for wrong in ({"phone": "98765-4321"}, {"cpf": "529.982.247-26"}, {"cpf": ""}, {}):
        assert (await served.get("/api/v1/customers", params=wrong, headers=served.auth)).status == 422


async def test_waiting_conversations_come_by_priority_then_by_waiting_time(served: Hub):
    for number in range(4):
        opened = await write(served, wa_id=f"551198765430{number}", at=now() - 7200 + number)
        await served.fetch(
            "UPDATE conversations SET priority = $2 WHERE id = $1", uuid(opened), 5 if number == 2 else 1
        )
    seen, cursor = [], None
    while True:
        params = {"state": "queued", "limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = await (await served.get(CONVERSATIONS, params=params, headers=served.auth)).json()
        seen += [one["opened_at"] for one in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    order = sorted(seen)
    assert seen == [order[2], order[0], order[1], order[3]]


async def test_what_an_agent_has_comes_by_its_last_word_page_by_page(served: Hub):
    bia, mine = await agent(served), []
    for number in range(4):
        opened = await write(served, wa_id=f"551198765430{number}", at=now() - 7200 + number)
        if number < 3:
            assert (await post(served, f"/{opened['id']}/assign", {"agent_id": bia}))[0] == 200
            mine.append(opened["id"])
    await served.fetch("UPDATE conversations SET last_message_at = now() WHERE id = $1", uuid({"id": mine[0]}))
    found, cursor = [], None
    while True:
        query = {"agent_id": bia, "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = await (await served.get(CONVERSATIONS, headers=served.auth, params=query)).json()
        found += [row["id"] for row in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert found == [mine[0], mine[2], mine[1]]
    assert (await post(served, f"/{mine[1]}/resolve", {}))[0] == 200
    assert [row["id"] for row in await listed(served, agent_id=bia, state="assigned")] == [mine[0], mine[2]]


async def test_a_key_without_the_scope_is_refused(served: Hub):
    from hub_api.auth.keys import create_key

    key = await create_key(served.services.db, "reader", ["conversations:read"])
    reader = {"Authorization": f"Bearer {key}"}
    opened = await write(served)
    assert (await served.get(CONVERSATIONS, headers=reader)).status == 200
    assert (await served.post(f"{CONVERSATIONS}/{opened['id']}/resolve", json={}, headers=reader)).status == 403
    assert (await served.get(CONVERSATIONS)).status == 401


async def test_a_request_that_the_database_breaks_off_may_be_made_again(served: Hub):
    opened = await write(served, "oi")
    async with served.services.db.acquire() as other, other.transaction():
        await other.execute("SELECT FROM conversations FOR UPDATE")
        asked = asyncio.create_task(
            served.post(f"{CONVERSATIONS}/{opened['id']}/resolve", json={}, headers=served.auth)
        )
        waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        await eventually(lambda: served.fetchval(waiting))
        await served.fetch(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS blocked")
        answer = await asked
    assert answer.status == 503 and answer.headers["Retry-After"] and (await answer.json())["code"] == "unavailable"
    assert (await post(served, f"/{opened['id']}/resolve", {}))[0] == 200


async def test_a_character_that_cannot_be_stored_is_the_callers_mistake(served: Hub):
    opened = await write(served, "oi")
    status, answer = await post(served, f"/{opened['id']}/messages", {"type": "text", "text": "a\u0000b"})
    assert (status, answer["code"]) == (422, "invalid")
    assert (await served.get("/api/v1/messages/search?q=a%00b", headers=served.auth)).status == 422
    assert (await served.get(f"{CONVERSATIONS}/%00", headers=served.auth)).status == 422
