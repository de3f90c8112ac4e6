"""Items in, the lane's job run: rows, states and events behind."""

import asyncio
import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from hub_api.chat import outgoing
from hub_api.chat.assign import assign
from hub_api.chat.reply import reply
from hub_api.chat.resolve import close, resolve
from hub_api.platform.ids import uuid7
from hub_api.whatsapp.handle import drain
from tests.support.hub import FIXTURES, fixture
from tests.whatsapp.door import PORTFOLIO, Door, now, status, text, together, value_of, webhook

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
    assert conversation["unanswered_since"] == conversation["last_customer_message_at"] == message["created_at"]
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


async def test_an_echo_from_the_phone_is_ours_and_silences_the_bot(door: Door):
    await door.deliver(text("oi", user_id="BR.1502576394655843"))
    await door.deliver("smb_message_echo_text.json")
    echo = await door.one("SELECT * FROM messages WHERE direction = 'out'")
    assert (echo["state"], echo["author"]) == ("echoed", "phone_app")
    row = await door.one("SELECT * FROM conversations")
    assert row["state"] == "queued" and row["unanswered_since"] is None and row["first_response_at"]
    await door.deliver(status(echo["wamid"], "delivered"))
    assert await door.value("SELECT state FROM messages WHERE direction = 'out'") == "echoed"
    assert len(await door.events("message.echoed")) == 1


async def test_history_triggers_nothing_and_its_files_replace_their_placeholders_in_any_order(door: Door):
    for names in (["history_chunk", "history_media"], ["history_media", "history_chunk"]):
        await door.db.execute("TRUNCATE messages, message_key, conversations, assignments CASCADE")
        await door.deliver(*names, *names)
        rows = await door.all("SELECT type, direction, state, content FROM messages ORDER BY created_at")
        assert [(row["direction"], row["state"]) for row in rows] == [
            ("in", "received"),
            ("out", "echoed"),
            ("in", "received"),
        ]
        assert rows[2]["type"] == "image"
        conversation = await door.one("SELECT state, metadata, unanswered_since FROM conversations")
        assert conversation["state"] == "closed" and conversation["metadata"] == {"source": "history"}
        assert await door.value("SELECT count(*) FROM bot_turn") == 0
    await door.deliver(text("oi"))
    assert await door.value("SELECT previous_id FROM conversations WHERE state = 'bot'") is None


async def test_a_preference_set_in_the_app_is_a_consent(door: Door):
    await door.deliver("user_preferences_stop.json", "user_preferences_stop.json")
    assert await door.value("SELECT count(*) FROM suppressions WHERE scope = 'marketing'") == 1
    assert await door.value("SELECT source FROM consent_ledger") == "meta_preference"
    resume = fixture("user_preferences_resume.json")
    value_of(resume)["user_preferences"][0]["timestamp"] = 1767225700
    await door.deliver(resume)
    assert await door.value("SELECT count(*) FROM suppressions") == 0
    assert await door.value("SELECT count(*) FROM customers") == 1


async def test_news_of_the_channel_are_kept_and_a_template_follows_them(door: Door):
    account = await door.value("SELECT id FROM whatsapp_accounts")
    paused = fixture("template_status_paused.json")
    value = value_of(paused)
    await door.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status) VALUES ($1,$2,$3,$4,'MARKETING','APPROVED')",
        uuid7(),
        account,
        value["message_template_name"],
        value["message_template_language"],
    )
    await door.deliver(paused, "error_130429.json", "field_of_the_future.json", "account_restriction.json")
    assert await door.value("SELECT status FROM templates") == "PAUSED"
    kept = {row["field"]: row for row in await door.all("SELECT * FROM channel_update")}
    assert set(kept) == {
        "message_template_status_update",
        "messages.errors",
        fixture("field_of_the_future.json")["entry"][0]["changes"][0]["field"],
        "account_update",
    }
    assert kept["message_template_status_update"]["applied_at"] and kept["account_update"]["applied_at"]
    assert kept["messages.errors"]["value"]["code"] == 130429


# --- acts on messages -----------------------------------------------------------------------------------------------


def act(kind: str, at: int, **more: object) -> dict:
    message = {"from": "5511987654321", "id": f"wamid.{uuid7().hex}", "timestamp": str(at), "type": kind, kind: more}
    return webhook({"contacts": [{"wa_id": "5511987654321"}], "messages": [message]})


async def test_edits_reactions_and_deletion_end_the_same_in_any_order(door: Door):
    at = now() - 100
    bodies = [
        text("orignal", wamid="wamid.M", at=at),
        act("edit", at + 1, original_message_id="wamid.M", message={"type": "text", "text": {"body": "original"}}),
        act("edit", at + 3, original_message_id="wamid.M", message={"type": "text", "text": {"body": "corrigido"}}),
        act("reaction", at + 4, message_id="wamid.M", emoji="👍"),
        act("reaction", at + 5, message_id="wamid.M", emoji="❤"),
        act("reaction", at + 5, message_id="wamid.M"),
        act("revoke", at + 6, original_message_id="wamid.M"),
    ]
    ends = []
    for seed in range(8):
        order = [*bodies, *random.Random(seed).sample(bodies, 3)]
        random.Random(seed).shuffle(order)
        await door.db.execute("TRUNCATE messages, message_key, events, parked_status")
        await door.deliver(*order)
        row = await door.one("SELECT content, payload, reactions, edited_at, revoked_at FROM messages")
        assert await door.value("SELECT count(*) FROM parked_status") == 0
        ends.append(dict(row))
    assert all(end == ends[0] for end in ends)
    assert ends[0]["content"] == "corrigido" and ends[0]["payload"]["original"]["content"] == "orignal"
    assert ends[0]["reactions"]["customer"]["emoji"] is None and ends[0]["revoked_at"]


async def test_a_reaction_to_a_message_of_ours_is_an_event_and_opens_nothing(door: Door):
    await door.deliver(text("oi"))
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        message = await outgoing.queue_message(tx, conversation, outgoing.text("Resolvido!"))
        await tx.db.execute(
            "INSERT INTO message_key SELECT 'wamid.OURS', id, created_at FROM messages WHERE id = $1", message
        )
    await door.deliver(act("reaction", now(), message_id="wamid.OURS", emoji="👍"))
    (reacted,) = await door.events("message.reacted")
    assert (reacted["emoji"], reacted["by"], reacted["aggregate_id"]) == ("👍", "customer", message)
    assert await door.value("SELECT count(*) FROM messages") == 2


# --- poison and retries ---------------------------------------------------------------------------------------------


async def test_one_poisoned_item_among_five_hundred_is_put_aside_and_the_rest_is_handled_in_order(door: Door):
    await door.db.execute("ALTER TABLE messages ADD CONSTRAINT taste CHECK (content <> 'veneno')")
    people = [f"55119{80000000 + n}" for n in range(50)]
    bodies = [text(f"{n:03}", wa_id=people[n % 50], wamid=f"wamid.{n:03}") for n in range(500)]
    bodies[137] = text("veneno", wa_id=people[137 % 50], wamid="wamid.137")
    bodies[300] = webhook(
        {
            "messages": [
                {
                    "id": "wamid.300",
                    "from": people[0],
                    "timestamp": str(now()),
                    "type": "text",
                    "text": {"body": "nulo \x00"},
                }
            ]
        }
    )
    await door.store(together(*bodies))
    await door.handle()
    assert await door.value("SELECT count(*) FROM messages") == 498
    dead = await door.all("SELECT source, reason FROM dead_letter ORDER BY reason")
    assert [tuple(row) for row in dead] == [("handle", "database_23514"), ("handle", "nul_character")]
    for row in await door.all(
        "SELECT array_agg(content ORDER BY created_at, id) AS said FROM messages GROUP BY conversation_id"
    ):
        assert row["said"] == sorted(row["said"])
    await door.db.execute("ALTER TABLE messages DROP CONSTRAINT taste")
    from hub_api.whatsapp import deadletters

    assert await deadletters.replay(door.services) == 2
    await door.handle()
    assert await door.value("SELECT count(*) FROM messages WHERE content = 'veneno'") == 1
    assert await deadletters.replay(door.services, [uuid7()]) == 0
    ((again,), _) = await deadletters.list_dead(door.services)
    assert again["reason"] == "nul_character"


async def test_a_foreign_number_is_parked_and_comes_back_when_the_number_is_added(door: Door):
    from hub_api.whatsapp import deadletters

    await door.deliver("text_foreign_number.json")
    ((parked,), _) = await deadletters.list_dead(door.services)
    assert (parked["source"], parked["reason"]) == ("parked", "foreign_number")
    await door.add_number(parked["waba_id"], PORTFOLIO, parked["phone_number_id"])
    assert await deadletters.replay(door.services, [parked["id"]]) == 1
    assert await deadletters.replay(door.services, [parked["id"]]) == 0, "a letter goes back once"
    await door.handle()
    assert await door.value("SELECT count(*) FROM messages") == 1


async def test_a_replay_of_all_ends_although_its_letters_fail_again_meanwhile(door: Door):
    from hub_api.whatsapp import deadletters

    await door.db.execute(
        "INSERT INTO dead_letter (id, source, kind, reason, payload, received_at) "
        "SELECT gen_random_uuid(), 'handle', 'message', 'made', '{}', now() FROM generate_series(1, 500)"
    )
    await door.db.execute(  # a worker that is quicker than the replay: what comes back is put aside at once
        "CREATE FUNCTION aside() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO dead_letter (id, source, kind, reason, payload, received_at, created_at) "
        "VALUES (gen_random_uuid(), 'handle', NEW.kind, 'again', NEW.payload, NEW.received_at, clock_timestamp()); "
        "RETURN NULL; END $$"
    )
    await door.db.execute("CREATE TRIGGER aside BEFORE INSERT ON inbox_item FOR EACH ROW EXECUTE FUNCTION aside()")
    assert await asyncio.wait_for(deadletters.replay(door.services), 20) == 500
    assert await door.value("SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL") == 500


async def test_a_migration_under_a_running_worker_puts_no_message_aside(door: Door):
    """Prepared statements outlive the tables they were made for; that says nothing of the message in hand."""
    await door.deliver(text("oi", at=now()))
    await door.db.execute("ALTER TABLE conversations ADD COLUMN added_meanwhile text")
    await door.deliver(text("ainda está aí?", at=now()))
    assert await door.all("SELECT reason FROM dead_letter") == []
    assert await door.value("SELECT count(*) FROM messages") == 2


async def test_what_cannot_be_split_goes_back_as_a_webhook(door: Door):
    from hub_api.whatsapp import deadletters

    broken = text("oi")
    value_of(broken)["messages"].append("isto não é uma mensagem")
    await door.deliver(broken)
    assert await door.value("SELECT count(*) FROM messages") == 1
    assert await deadletters.replay(door.services) == 1
    assert await door.value("SELECT count(*) FROM webhook_event WHERE split_at IS NULL") == 1
    await door.split()
    assert len((await deadletters.list_dead(door.services)).rows) == 1


DYING_WORKER = """
import asyncio, os, sys, time
from hub_api import roles
from hub_api.settings import load_settings
from hub_api.whatsapp import handle, handle_batch

parse = handle_batch.parse

def parse_and_die(item):
    if b"veneno" in item.payload:
        os._exit(9)
    return parse(item)

handle_batch.parse = parse_and_die

async def work():
    async with roles.services(load_settings(), "test") as services:
        while await handle.drain(services, int(sys.argv[1]), time.monotonic() + 30):
            pass

deaths = 0
while deaths < 10:
    child = os.fork()
    if not child:
        asyncio.run(work())
        os._exit(0)
    if not os.waitpid(child, 0)[1]:
        break
    deaths += 1
print(deaths)
"""


async def test_an_item_that_ends_its_worker_is_put_aside_and_its_neighbours_are_handled(door: Door):
    await door.store(*[text("veneno" if n == 7 else f"mensagem {n}", at=now(), wamid=f"wamid.{n}") for n in range(20)])
    (lane,) = {row["lane"] for row in await door.all("SELECT lane FROM inbox_item")}
    settings = {
        f"HUB_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in door.services.settings
        if name in door.services.settings.model_fields_set
    }
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DYING_WORKER, str(lane)), env={**os.environ, **settings}, stdout=asyncio.subprocess.PIPE
    )
    assert int((await worker.communicate())[0].split()[-1]) == 4
    dead = await door.one("SELECT reason, payload FROM dead_letter")
    assert dead["reason"] == "worker_died" and b"veneno" in dead["payload"]
    assert await door.value("SELECT count(*) FROM messages") == 19
    assert await door.value("SELECT count(*) FROM inbox_item") == 0


async def test_a_lane_that_another_worker_has_is_left_to_it(door: Door):
    await door.store(text("oi"))
    lane = await door.value("SELECT lane FROM inbox_item")
    async with door.db.acquire() as db, db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(7215003, $1)", lane)
        assert await drain(door.services, lane, time.monotonic() + 5) is False
        assert await door.value("SELECT count(*) FROM messages") == 0
    assert await drain(door.services, lane, time.monotonic() + 5) is False
    assert await door.value("SELECT count(*) FROM messages") == 1


async def test_two_workers_meet_the_same_people_under_different_identities_and_make_each_once(door: Door):
    bodies = []
    for person in range(40):
        phone, bsuid = f"55119{80000000 + person}", f"BR.{person:06}"
        bodies += [
            text("a", wa_id=phone, user_id=bsuid),
            text("b", wa_id=phone),
            text("c", wa_id=None, user_id=bsuid),
            text("d", wa_id=phone.replace("119", "11", 1), user_id=bsuid),
        ]
    random.Random(3).shuffle(bodies)
    await door.store(together(*bodies))
    assert await door.value("SELECT count(DISTINCT lane) FROM inbox_item") > 8
    await door.handle()
    assert await door.value("SELECT count(*) FROM customers WHERE status <> 'merged'") == 40
    assert await door.value("SELECT count(*) FROM messages") == 160
    spread = await door.value("SELECT count(DISTINCT customer_id) FROM messages")
    assert spread == 40, "every message belongs to the customer that is left"
    open_now = await door.value("SELECT count(*) FROM conversations WHERE state NOT IN ('resolved', 'closed')")
    assert open_now == 40
    assert await door.value("SELECT count(*) FROM dead_letter") == 0


async def test_a_deadlock_is_tried_again(door: Door):
    """A transaction that locks two customers in the other order: one of the two gives way and comes back."""
    await door.deliver(text("oi", wa_id="5511981111111"), text("oi", wa_id="5511982222222"))
    ids = sorted(row["id"] for row in await door.all("SELECT id FROM customers"))
    await door.db.execute("UPDATE inbox_item SET lane = 0")
    await door.store(together(text("a", wa_id="5511981111111"), text("b", wa_id="5511982222222")))
    await door.db.execute("UPDATE inbox_item SET lane = 0")
    async with door.db.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await db.execute("SELECT FROM customers WHERE id = $1 FOR UPDATE", ids[1])
        handling = asyncio.create_task(drain(door.services, 0, time.monotonic() + 20))
        while not await door.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        try:
            await db.execute("SELECT FROM customers WHERE id = $1 FOR UPDATE", ids[0])
            await transaction.commit()
        except Exception:
            await transaction.rollback()
        await handling
    assert await door.value("SELECT count(*) FROM messages") == 4
    assert await door.value("SELECT count(*) FROM dead_letter") == 0
