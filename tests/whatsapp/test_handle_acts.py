"""What is no new message of a customer: echoes, history, preferences, news of the channel, edits, reactions, deletions."""

import random

from hub_api.chat import outgoing
from hub_api.platform.ids import uuid7
from tests.support.hub import fixture
from tests.whatsapp.door import Door, now, status, text, value_of, webhook


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
