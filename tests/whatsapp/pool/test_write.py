"""Templates outside conversations: to whom, from which number, once; and what they are until the customer writes."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from hub_api.chat import conversations, quiet
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.pool import states as pool
from tests.support.hub import Hub
from tests.support.sending import add_people, drain_all, states
from tests.whatsapp import door
from tests.whatsapp.pool.test_move import others

__all__ = ["others"]
BODY = [{"type": "BODY", "text": "Olá, {{1}}!", "example": {"body_text": [["Ana"]]}}]


@pytest.fixture
async def ready(hub: Hub, number_id: UUID) -> Hub:
    """The account has an approved template."""
    await hub.services.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status, components) "
        "SELECT gen_random_uuid(), id, 'boas_vindas', 'pt_BR', 'UTILITY', 'APPROVED', $1 FROM whatsapp_accounts",
        BODY,
    )
    return hub


async def send(hub: Hub, to: dict[str, Any], key: str | None = None, **changes: Any) -> tuple[int, dict[str, Any]]:
    filled = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    body = {"to": to, "template": {"type": "template", "name": "boas_vindas", "components": filled}, **changes}
    headers = {**hub.auth, **({"Idempotency-Key": key} if key else {})}
    answer = await hub.post("/api/v1/whatsapp/messages", headers=headers, json=body)
    return answer.status, await answer.json()


async def test_a_notice_to_a_phone_nobody_has_is_sent_once_and_is_no_demand(ready: Hub, sim: Simulator) -> None:
    answers = await asyncio.gather(*(send(ready, {"phone": "+55 11 98765-4321"}, "fatura-1") for _ in range(3)))
    assert {status for status, _ in answers} == {202} and len({answer["id"] for _, answer in answers}) == 1
    await drain_all(ready.services)
    assert await states(ready.services, [UUID(answers[0][1]["id"])]) == ["accepted"]
    assert sim.core.ledger.accepted_calls == 1
    row = await ready.services.db.fetchrow("SELECT * FROM conversations")
    assert (row["origin"], row["is_demand"], row["state"]) == ("business", False, "resolved")
    told = {row["type"] for row in await ready.fetch("SELECT type FROM events")}
    assert not any(type.startswith("conversation.") for type in told)
    status, answer = await send(ready, {"phone": "+5511987654321"}, "fatura-1", waba_id="999999")
    assert (status, answer["code"]) == (409, "idempotency_key_reused")


async def test_the_customers_first_message_opens_what_we_began_under_a_protocol_of_its_own(ready: Hub) -> None:
    await send(ready, {"phone": "5511987654321"})
    begun = await ready.services.db.fetchrow("SELECT id, protocol FROM conversations")
    await ready.services.db.execute("UPDATE conversations SET resolved_at = now() - interval '90 days'")
    await quiet.close_past_reopening(ready.services)
    async with ready.services.transaction() as tx:
        with pytest.raises(conversations.ForbiddenMove, match="first message opens it"):
            await conversations.move(tx, begun["id"], "assigned", reason="x")
    inbox = door.Door(ready.services)
    await inbox.deliver(door.text("que fatura é essa?"), door.text("alô"))
    row = await ready.services.db.fetchrow("SELECT * FROM conversations")
    assert row["id"] == begun["id"] and row["protocol"] != begun["protocol"]
    assert (row["state"], row["is_demand"], row["reopened_count"], row["resolved_at"]) == ("bot", True, 0, None)
    [opened] = await inbox.events("conversation.opened")
    assert (opened["protocol"], opened["state"], opened["occurred_at"]) == (row["protocol"], "bot", row["opened_at"])
    assert await inbox.value("SELECT count(*) FROM events WHERE type = 'conversation.state_changed'") == 0
    assert await inbox.value("SELECT count(*) FROM customers") == 1


async def test_who_is_being_served_gets_it_there_and_their_wait_goes_on(ready: Hub, others: list[UUID]) -> None:
    [person] = await add_people(ready.services, others[1], 1)
    await ready.services.db.execute("UPDATE conversations SET unanswered_since = now()")
    status, answer = await send(ready, {"customer_id": str(person.id)})
    assert status == 202 and UUID(answer["number_id"]) == others[1]
    assert UUID(answer["conversation_id"]) == person.conversation_id
    assert await ready.fetchval("SELECT unanswered_since IS NOT NULL FROM conversations"), (
        "a notice counted as an answer"
    )


async def test_notices_spread_over_the_numbers_that_can_send(ready: Hub, others: list[UUID], number_id: UUID) -> None:
    await pool.pause(ready.services, "test", number_id, reason="obra")
    for index in range(6):
        assert (await send(ready, {"phone": f"+55119876500{index:02d}"}))[0] == 202
    rows = await ready.fetch("SELECT number_id, count(*) AS n FROM messages GROUP BY 1")
    assert {row["number_id"]: row["n"] for row in rows} == dict.fromkeys(others, 3)
    for one in others:
        await pool.pause(ready.services, "test", one, reason="obra")
    assert (await send(ready, {"phone": "+5511987650099"}))[0] == 202, "a pause that ends is no reason to refuse"
    await ready.services.db.execute("UPDATE whatsapp_numbers SET state = 'offline'")
    status, answer = await send(ready, {"phone": "+5511987650098"})
    assert (status, answer["code"]) == (409, "no_number")


async def test_a_bsuid_is_an_address_too_and_nonsense_is_refused(ready: Hub, sim: Simulator, number_id: UUID) -> None:
    assert (await send(ready, {"bsuid": "BR.1502576394655843"}))[0] == 202
    assert await ready.fetchval("SELECT kind FROM customer_identities") == "bsuid"
    for wrong in ({}, {"phone": "+5511987654321", "bsuid": "BR.1"}, {"phone": "123"}, {"bsuid": "hello"}):
        assert (await send(ready, wrong))[0] == 422
    assert (await send(ready, {"phone": "+5511987654321"}, waba_id="55555"))[0] == 404
    await ready.services.db.execute("UPDATE customers SET status = 'blocked'")
    assert (await send(ready, {"bsuid": "BR.1502576394655843"}))[1]["code"] == "customer_gone"
    await ready.services.db.execute("UPDATE templates SET status = 'PAUSED'")
    assert (await send(ready, {"phone": "+5511987654321"}))[1]["code"] == "template_not_approved"
