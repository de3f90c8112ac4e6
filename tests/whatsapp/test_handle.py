"""Items in, the lane's job run: rows, states and events behind."""

from datetime import UTC, datetime, timedelta

import pytest

from hub_api.chat import outgoing, views
from hub_api.chat.assign import assign
from hub_api.chat.reply import reply
from hub_api.chat.resolve import close, resolve
from hub_api.platform.ids import uuid7
from tests.support.hub import FIXTURES, fixture
from tests.whatsapp.door import Door, now, text, together, value_of

DAY = 24 * 3600


async def test_every_fixture_is_handled_without_a_dead_letter(door: Door):
    names = sorted(path.name for path in FIXTURES.glob("*.json"))
    await door.store(*names)
    await door.handle()
    dead = await door.all(
        "SELECT kind, reason, detail FROM dead_letter WHERE reason NOT IN ('foreign_number', 'group')"
    )
    assert [dict(row) for row in dead] == []
    assert await door.value("SELECT count(*) FROM inbox_item") == 0
    assert len(names) > 100
    assert await door.value("SELECT count(*) FROM messages_default") == 0


async def test_a_first_message_opens_a_conversation_under_a_protocol_and_rings_the_bot(door: Door):
    await door.deliver(text("minha internet caiu", at=now()))
    message = await door.one("SELECT * FROM messages")
    conversation = await door.one("SELECT * FROM conversations")
    assert (message["state"], message["content"], message["author"]) == ("received", "minha internet caiu", "customer")
    assert conversation["state"] == "bot" and len(conversation["protocol"]) == 16
    assert conversation["unanswered_since"] == conversation["last_customer_message_at"]
    assert conversation["last_customer_message_at"] == message["created_at"].replace(microsecond=0)
    turn = await door.one("SELECT * FROM bot_turn")
    assert (turn["conversation_id"], turn["message_id"]) == (conversation["id"], message["id"])
    (created,), (opened,), (received,) = [
        await door.events(type) for type in ("customer.created", "conversation.opened", "message.received")
    ]
    assert created["state_code"] == "SP" and opened["protocol"] == conversation["protocol"]
    assert received["content"] == "minha internet caiu" and received["stale"] is False
    assert "5511987654321" not in str([created, opened, received]), "no phone in events"


async def test_a_webhook_delivered_five_times_in_parallel_makes_one_message(door: Door):
    body = text("oi", wamid="wamid.SAME")
    await door.store(*[body] * 5)
    await door.handle()
    await door.deliver(body)
    assert await door.value("SELECT count(*) FROM messages") == 1
    assert len(await door.events("message.received")) == 1
    assert await door.value("SELECT count(*) FROM bot_turn") == 1


async def test_a_webhook_captured_and_replayed_eight_days_later_has_no_second_effect(door: Door):
    body = text("oi", wamid="wamid.OLD", at=now() - 8 * DAY)
    await door.deliver(body)
    before = await door.value("SELECT count(*) FROM events")
    await door.value("UPDATE message_key SET created_at = created_at")  # the key is never detached
    await door.deliver(body)
    assert await door.value("SELECT count(*) FROM events") == before


async def test_messages_of_one_second_stay_in_their_order(door: Door):
    at = now()
    for first in range(0, 60, 20):
        await door.store(together(*[text(f"{n:02}", at=at) for n in range(first, first + 20)]))
        await door.handle()
    shown = await door.all("SELECT content FROM messages ORDER BY created_at, id")
    assert [row["content"] for row in shown] == [f"{n:02}" for n in range(60)]
    told = [event["content"] for event in await door.events("message.received")]
    assert told == [f"{n:02}" for n in range(60)]
    assert await door.value("SELECT count(*) FROM conversations") == 1


async def test_a_message_to_a_waiting_conversation_gives_it_back_to_its_agent(door: Door):
    await door.deliver(text("oi"))
    conversation, agent = await door.value("SELECT id FROM conversations"), await an_agent(door)
    async with door.services.transaction() as tx:
        await assign(tx, conversation, agent)
        await reply(tx, conversation, outgoing.text("Boa tarde", author="agent", author_id=agent))
    assert await door.value("SELECT state FROM conversations") == "waiting_customer"
    await door.deliver(text("obrigado"))
    row = await door.one("SELECT state, agent_id, unanswered_since FROM conversations")
    assert (row["state"], row["agent_id"]) == ("assigned", agent) and row["unanswered_since"]
    assert (await door.events("conversation.state_changed"))[-1]["to_state"] == "assigned"
    assert await door.value("SELECT count(*) FROM bot_turn") == 1, "the bot is asked for the first message only"


async def an_agent(door: Door):
    user = uuid7()
    await door.db.execute("INSERT INTO users (id, email, name) VALUES ($1, $2, 'Bia')", user, f"{user}@example.com")
    return user


@pytest.mark.parametrize(("had_agent", "state"), [(False, "bot"), (True, "queued")])
async def test_a_message_soon_after_resolved_reopens_the_conversation(door: Door, had_agent: bool, state: str):
    await door.deliver(text("oi"))
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        if had_agent:
            await assign(tx, conversation, await an_agent(door))
        await resolve(tx, conversation)
    await door.deliver(text("ainda não funciona"))
    row = await door.one("SELECT * FROM conversations")
    assert (row["state"], row["reopened_count"], row["resolved_at"]) == (state, 1, None)
    versions = [event["aggregate_version"] for event in await door.events("conversation.state_changed")]
    assert versions == sorted(set(versions)) and versions[-1] == row["version"]


async def test_a_message_long_after_resolved_opens_another_conversation_that_points_back(door: Door):
    await door.deliver(text("oi"))
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        await resolve(tx, conversation, at=datetime.now(UTC) - timedelta(hours=25))
    await door.deliver(text("oi de novo"))
    new = await door.one("SELECT * FROM conversations WHERE state = 'bot'")
    assert new["previous_id"] == conversation
    async with door.services.transaction() as tx:
        await close(tx, new["id"])
    await door.deliver(text("mais uma vez"))
    assert await door.value("SELECT previous_id FROM conversations WHERE state = 'bot'") == new["id"]
    assert await door.value("SELECT count(DISTINCT protocol) FROM conversations") == 3


async def test_the_answer_to_the_rating_question_does_not_reopen(door: Door):
    await door.deliver(text("oi"))
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        await resolve(tx, conversation)
        await tx.db.execute("UPDATE conversations SET bot_state = $1", {"awaiting": "rating"})
    await door.deliver(text("5"))
    assert await door.value("SELECT state FROM conversations") == "resolved"
    assert await door.value("SELECT count(*) FROM bot_turn WHERE trigger = 'message'") == 2


async def test_a_stale_message_goes_to_people_and_not_to_the_bot(door: Door):
    await door.deliver(text("oi", at=now() - 31 * 60))
    assert await door.value("SELECT state FROM conversations") == "queued"
    assert await door.value("SELECT count(*) FROM bot_turn") == 0
    assert (await door.events("message.received"))[0]["stale"] is True


@pytest.mark.parametrize(("body", "stopped"), [("SAIR", 1), ("Quero sair do plano", 0), ("cancelar", 0)])
async def test_opt_out_words_stop_marketing_even_when_stale(door: Door, body: str, stopped: int):
    await door.deliver(text(body, at=now() - 3 * DAY))
    assert await door.value("SELECT count(*) FROM suppressions WHERE scope = 'marketing'") == stopped
    assert len(await door.events("consent.changed")) == stopped


@pytest.mark.parametrize(
    ("timestamp", "stored"),
    [
        ("0", "1970-01-01"),
        ("1", "1970-01-01"),
        ("ontem", "1970-01-01"),
        ("", "1970-01-01"),
        ("4070908800", "2100-01-01"),
        ("99999999999999999999", "1970-01-01"),
        (str(10**12), "2100-01-01"),
    ],
)
async def test_an_impossible_time_is_clamped_to_a_sentinel_and_flagged(door: Door, timestamp: str, stored: str):
    for _ in range(2):
        await door.deliver(text("oi", wamid="wamid.T", at=timestamp))
    row = await door.one("SELECT created_at, time_flag FROM messages")
    assert (f"{row['created_at']:%Y-%m-%d}", row["time_flag"]) == (stored, "clamped")
    conversation = await door.one("SELECT * FROM conversations")
    assert abs((conversation["last_customer_message_at"] - datetime.now(UTC)).total_seconds()) < 60
    assert conversation["state"] == "bot", "judged by its arrival, it is not stale"


async def test_an_answer_of_the_same_second_stands_below_its_question(door: Door):
    """The channel tells whole seconds: those of the answer are before the fraction of the question."""
    await door.deliver(text("oi", at=now()))
    conversation = await door.value("SELECT id FROM conversations")
    said = ["oi"]
    for number in range(3):
        async with door.services.transaction() as tx:
            question = await outgoing.queue_message(tx, conversation, outgoing.text(f"pergunta {number}"))
        asked_at = await door.value("SELECT created_at FROM messages WHERE id = $1", question)
        await door.deliver(*(text(f"{word} {number}", at=int(asked_at.timestamp())) for word in ("sim", "não")))
        said += [f"pergunta {number}", f"sim {number}", f"não {number}"]
    rows = (await views.list_messages(door.services, conversation)).rows
    assert [row["content"] for row in reversed(rows)] == said
    ids = [row["id"] for row in rows]
    assert [row["id"] for row in await views.messages_by_id(door.services, conversation, ids)] == ids[::-1]


async def test_a_true_old_time_makes_its_month_instead_of_filling_the_default_partition(door: Door):
    await door.deliver(text("oi", at=now() - 400 * DAY), text("oi", wa_id="5521999990000", at=now() - 400 * DAY))
    assert await door.value("SELECT count(*) FROM messages") == 2
    assert await door.value("SELECT count(*) FROM messages_default") == 0


async def test_a_message_the_channel_lost_still_makes_a_contact_and_a_conversation(door: Door):
    body = fixture("unsupported_message_unavailable.json")
    value_of(body)["messages"][0]["timestamp"] = str(now())
    await door.deliver(body)
    message = await door.one("SELECT * FROM messages")
    assert message["type"] == "unsupported" and message["content"].startswith("[")
    assert await door.value("SELECT count(*) FROM bot_turn") == 1


async def test_a_call_of_the_customer_opens_the_window_and_asks_for_a_person(door: Door):
    body = fixture("calls_connect.json")
    value_of(body)["calls"][0]["timestamp"] = str(now())
    await door.deliver(body, body, "calls_terminate.json", "calls_status.json")
    row = await door.one("SELECT * FROM conversations")
    assert row["state"] == "queued" and row["last_customer_message_at"] is not None
    assert await door.value("SELECT type FROM messages") == "call"
    kept = await door.all("SELECT field FROM channel_update ORDER BY field")
    assert [row["field"] for row in kept] == ["calls", "calls", "calls.statuses"]
