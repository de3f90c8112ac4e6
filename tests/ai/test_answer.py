"""The bot's job on the real database: messages come in through the real inbox, answers lie in the outbox."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub_api.ai import jobs
from hub_api.ai.rules import load_rules
from hub_api.chat import conversations
from hub_api.chat.assign import assign
from hub_api.chat.business.tables import KindName, kinds
from hub_api.chat.business.upsert import upsert
from hub_api.chat.resolve import resolve
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from hub_api.simulator.check_message import check_content
from tests.whatsapp.door import NUMBER, Door, now, opened, text, webhook


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    async with opened(settings) as made:
        yield made


async def answer(door: Door) -> None:
    await jobs.answer.function(door.services)
    assert await door.value("SELECT count(*) FROM bot_turn") == 0


async def say(door: Door, *bodies: str, **more: Any) -> list[Any]:
    """The customer writes, the bot answers; what it queued since."""
    before = await door.value("SELECT count(*) FROM messages WHERE direction = 'out'")
    await door.deliver(*(text(body, **more) for body in bodies))
    await answer(door)
    rows = await door.all("SELECT * FROM messages WHERE direction = 'out' ORDER BY created_at, id OFFSET $1", before)
    for row in rows:
        check_content(row["type"], row["payload"][row["type"]], None, lambda media: None)
    return rows


def tap(choice: str, title: str = "x", kind: str = "list_reply", **more: Any) -> dict[str, Any]:
    """The webhook of a tapped row."""
    body = text("", **more)
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    del message["text"]
    message |= {"type": "interactive", "interactive": {"type": kind, kind: {"id": choice, "title": title}}}
    return body


async def load(door: Door, to: KindName, /, **row: Any) -> None:
    async with door.services.transaction() as tx:
        report = await upsert(tx, kinds(door.services.settings)[to], [(0, row)])
    assert not report.faults, report.faults


async def load_customer_data(door: Door, phone: str = "11987654321", **invoice: Any) -> None:
    await load(door, KindName.PLANS, external_id="F", name="Fibra 500", kind="fiber", speed_mbps=500, price="99,90")
    await load(
        door,
        KindName.CONTRACTS,
        external_id="C-1",
        phone=phone,
        plan_id="F",
        status="active",
        city="Santos",
        region_code="SP-1",
        started_on="2025-01-01",
    )
    given = {"external_id": "I-1", "contract_id": "C-1", "reference_month": "2026-11", "amount": "129,90"}
    await load(
        door, KindName.INVOICES, **{**given, "due_on": "2099-12-10", "status": "open", "pix_code": "PIX", **invoice}
    )


async def test_the_first_message_is_answered_once_with_the_protocol_of_the_conversation(door):
    [message] = await say(door, "oi")
    conversation = await door.one("SELECT * FROM conversations")
    assert conversation["protocol"] in message["content"] and message["type"] == "interactive"
    assert message["author"] == "bot" and message["state"] == "queued" and message["category"] == "service"
    assert conversation["bot_state"]["greeted"] is True
    [event] = await door.events("message.queued")
    assert event["author"] == "bot" and event["aggregate_id"] == message["id"]


async def test_several_messages_waiting_are_answered_together(door):
    messages = await say(door, "oi", "tudo bem?", "queria a segunda via", "por favor")
    assert len(messages) == 1


async def test_a_redelivered_message_is_answered_once(door):
    body = text("oi")
    await door.deliver(body, body)
    await answer(door)
    await door.deliver(body)
    await answer(door)
    assert await door.value("SELECT count(*) FROM messages WHERE direction = 'out'") == 1


async def test_segunda_via_finds_the_contract_by_phone_and_tells_the_invoice(door):
    await load_customer_data(door)
    [message] = await say(door, "segunda via", wa_id="551187654321")
    assert "R$ 129,90" in message["content"] and "10/12/2099" in message["content"] and "PIX" in message["content"]
    customer = await door.value("SELECT customer_id FROM contracts")
    assert customer == await door.value("SELECT id FROM customers")
    linked = [event for event in await door.events("business.recorded") if event["customer_id"]]
    assert [event["external_id"] for event in linked][:1] == ["C-1"]


async def test_a_stranger_hears_of_no_invoice(door):
    await load_customer_data(door)
    [message] = await say(door, "segunda via", wa_id="5521912345678")
    assert "R$" not in message["content"] and "Não encontrei um contrato" in message["content"]
    await door.deliver(tap("invoice_copy:C-1", wa_id="5521912345678"))
    await answer(door)
    assert await door.value("SELECT count(*) FROM messages WHERE direction = 'out' AND content LIKE '%129,90%'") == 0


async def test_an_outage_of_the_contracts_region_is_told(door):
    await load_customer_data(door)
    start = datetime.now(UTC) - timedelta(hours=1)
    await load(
        door, KindName.OUTAGES, external_id="O", region_code="SP-1", service="mobile", started_at=start.isoformat()
    )
    [other] = await say(door, "sem sinal")
    assert "falha na rede" not in other["content"]
    await load(door, KindName.OUTAGES, external_id="P", region_code="SP-1", service="all", started_at=start.isoformat())
    [message] = await say(door, "sem internet ainda")
    assert "falha na rede da sua região (Santos)" in message["content"]


async def test_a_hand_over_queues_the_conversation_and_silences_the_bot(door):
    [message] = await say(door, "quero falar com um atendente")
    conversation = await door.one("SELECT c.*, q.key FROM conversations c JOIN queues q ON q.id = c.queue_id")
    assert conversation["state"] == "queued" and conversation["key"] == load_rules().queue.key
    assert conversation["protocol"] in message["content"]
    [moved] = await door.events("conversation.state_changed")
    assert (moved["from_state"], moved["to_state"], moved["reason"]) == ("bot", "queued", "bot_agent")
    assert await say(door, "alô?", "segunda via") == []


async def test_an_old_message_is_not_answered(door):
    await door.deliver(text("oi", at=now() - 3 * 3600))
    await answer(door)
    assert await door.value("SELECT count(*) FROM messages WHERE direction = 'out'") == 0


async def test_sair_is_recorded_and_confirmed_once_and_voltar_takes_it_back(door):
    [confirmed] = await say(door, "SAIR")
    assert "não receberá mais mensagens promocionais" in confirmed["content"] and confirmed["type"] == "text"
    assert await door.value("SELECT scope FROM suppressions") == "marketing"
    [back] = await say(door, "voltar")
    assert "voltará a receber" in back["content"]
    assert await door.value("SELECT count(*) FROM suppressions") == 0
    [menu] = await say(door, "voltar")
    assert menu["type"] == "interactive"


async def test_cancelar_is_asked_about_and_only_the_tap_decides(door):
    [question] = await say(door, "cancelar")
    assert await door.value("SELECT count(*) FROM consent_ledger") == 0
    assert question["payload"]["interactive"]["action"]["buttons"][0]["reply"]["id"] == "OPTOUT_PROMO"
    await door.deliver(tap("OPTOUT_PROMO", "Parar promoções", "button_reply"))
    await answer(door)
    assert await door.value("SELECT source FROM consent_ledger") == "button"
    assert (
        await door.value("SELECT content FROM messages WHERE direction = 'out' ORDER BY id DESC LIMIT 1")
        == (load_rules().texts["opted_out"])
    )


async def test_who_resolves_asks_for_a_rating_and_the_tap_rates_without_reopening(door):
    await say(door, "oi")
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        await resolve(tx, conversation)
    await answer(door)
    asked = await door.one("SELECT * FROM messages WHERE direction = 'out' ORDER BY id DESC LIMIT 1")
    assert asked["payload"]["interactive"]["action"]["sections"][0]["rows"][0]["id"] == "csat_5"
    await door.deliver(tap("csat_4", "4 - Bom"))
    await answer(door)
    rated = await door.one("SELECT * FROM conversations")
    assert (rated["state"], rated["satisfaction"], rated["reopened_count"]) == ("resolved", 4, 0)
    [event] = await door.events("conversation.rated")
    assert event["satisfaction"] == 4
    thanks = await door.one("SELECT * FROM messages WHERE direction = 'out' ORDER BY id DESC LIMIT 1")
    assert thanks["type"] == "reaction"
    async with door.services.transaction() as tx:
        await conversations.move(tx, conversation, "bot", reason="test")
        await resolve(tx, conversation)
    before = await door.value("SELECT count(*) FROM messages WHERE direction = 'out'")
    await answer(door)
    assert await door.value("SELECT count(*) FROM messages WHERE direction = 'out'") == before


async def test_a_new_demand_instead_of_a_rating_reopens_the_conversation(door):
    await say(door, "oi")
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        await resolve(tx, conversation)
    await answer(door)
    [plans] = await say(door, "quais planos vocês têm?")
    row = await door.one("SELECT * FROM conversations")
    assert row["state"] == "bot" and row["reopened_count"] == 1 and "planos" in plans["content"]


async def test_after_the_end_an_old_rating_counts_and_an_old_demand_goes_to_people(door):
    await say(door, "oi")
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        await resolve(tx, conversation)
    await answer(door)
    await say(door, "4", at=now() - 3600)
    assert tuple(await door.one("SELECT state, satisfaction FROM conversations")) == ("resolved", 4)
    await door.db.execute('UPDATE conversations SET bot_state = \'{"awaiting": "rating"}\'')
    assert await say(door, "sem internet de novo", at=now() - 3600) == []
    assert await door.value("SELECT state FROM conversations") == "queued"


async def test_a_demand_after_a_persons_work_goes_back_to_people(door):
    await say(door, "atendente")
    conversation = await door.value("SELECT id FROM conversations")
    agent = uuid7()
    await door.db.execute("INSERT INTO users (id, email, name) VALUES ($1, 'a@b.c', 'Agente')", agent)
    async with door.services.transaction() as tx:
        await assign(tx, conversation, agent)
        await resolve(tx, conversation)
    await answer(door)
    assert await say(door, "não funcionou não, tudo igual") == []
    assert await door.value("SELECT state FROM conversations") == "queued"


async def test_a_customer_who_says_it_is_solved_ends_the_conversation_and_is_asked_how_it_was(door):
    await load_customer_data(door)
    await say(door, "sem sinal")
    await door.deliver(tap("solved", "Resolvido, obrigado", "button_reply"))
    await answer(door)
    row = await door.one("SELECT * FROM conversations")
    assert row["state"] == "resolved" and row["bot_state"]["awaiting"] == "rating"


async def test_outside_the_24_hour_window_nothing_is_sent(door):
    await say(door, "oi")
    conversation = await door.value("SELECT id FROM conversations")
    await door.db.execute("UPDATE conversations SET last_customer_message_at = now() - interval '25 hours'")
    async with door.services.transaction() as tx:
        await resolve(tx, conversation)
    await answer(door)
    assert await door.value("SELECT count(*) FROM messages WHERE direction = 'out'") == 1


async def test_a_conversation_the_bot_cannot_answer_goes_to_a_person_and_blocks_nobody(door):
    for n in range(5):
        await door.deliver(text("oi", wa_id=f"551198765432{n}"))
    broken = await door.value("SELECT id FROM conversations ORDER BY id OFFSET 2 LIMIT 1")
    await door.db.execute('UPDATE conversations SET bot_state = \'{"misses": "many"}\' WHERE id = $1', broken)
    await answer(door)
    states = {row["id"]: row["state"] for row in await door.all("SELECT id, state FROM conversations")}
    assert states.pop(broken) == "queued" and set(states.values()) == {"bot"}
    assert await door.value("SELECT count(*) FROM messages WHERE direction = 'out'") == 5
    told = await door.value("SELECT content FROM messages WHERE direction = 'out' AND conversation_id = $1", broken)
    assert "chamei um atendente" in told


async def test_turns_of_an_erased_conversation_are_swept_away(door):
    await door.db.execute("INSERT INTO bot_turn (conversation_id) VALUES ($1)", uuid7())
    await answer(door)


async def test_several_workers_answer_everybody_once(door):
    values = [text(f"oi {n}", wa_id=f"55119{80000000 + n}") for n in range(250)]
    await door.store(*values)
    await door.handle()
    await asyncio.gather(*(jobs.answer.function(door.services) for _ in range(4)))
    await answer(door)
    assert await door.value("SELECT count(*) FROM messages WHERE direction = 'out'") == 250
    assert await door.value("SELECT count(DISTINCT conversation_id) FROM messages WHERE direction = 'out'") == 250


async def test_media_is_answered_and_its_caption_read(door):
    await load_customer_data(door)

    def media(kind: str, **detail: Any) -> dict[str, Any]:
        return webhook(
            {
                "contacts": [{"profile": {"name": "Ana"}, "wa_id": "5511987654321"}],
                "messages": [
                    {
                        "id": f"wamid.{uuid7().hex}",
                        "from": "5511987654321",
                        "timestamp": str(now()),
                        "type": kind,
                        kind: {"id": "1", "mime_type": "x/y", "sha256": "z", **detail},
                    }
                ],
            },
            number=NUMBER,
        )

    await door.deliver(media("audio", voice=True))
    await answer(door)
    assert "áudios" in await door.value("SELECT content FROM messages WHERE direction = 'out' ORDER BY id DESC LIMIT 1")
    await door.deliver(media("image", caption="quero a segunda via dessa conta"))
    await answer(door)
    last = await door.value("SELECT content FROM messages WHERE direction = 'out' ORDER BY id DESC LIMIT 1")
    assert "129,90" in last


async def test_an_invoice_past_its_date_is_called_overdue(door):
    await load_customer_data(door, due_on=(date.today() - timedelta(days=40)).isoformat())
    [message] = await say(door, "boleto")
    assert "vencida" in message["content"]
