"""Time ends conversations: silence with the bot resolves them, the end of reopening closes them."""

from datetime import UTC, datetime, timedelta

from hub_api.chat import quiet
from hub_api.platform.ids import uuid7


async def conversation(services, state, *, last_message_at, resolved_at=None):
    customer, talk = uuid7(), uuid7()
    await services.db.execute("INSERT INTO customers (id) VALUES ($1)", customer)
    await services.db.execute(
        "INSERT INTO conversations (id, customer_id, protocol, state, opened_at, last_message_at, resolved_at) "
        "VALUES ($1, $2, next_protocol(now(), 'UTC'), $3, $4, $4, $5)",
        talk,
        customer,
        state,
        last_message_at,
        resolved_at,
    )
    return talk


async def state_of(services, talk):
    return await services.db.fetchval("SELECT state FROM conversations WHERE id = $1", talk)


async def test_silence_with_the_bot_resolves_without_asking_for_a_rating(services):
    now = datetime.now(UTC)
    quiet_talk = await conversation(services, "bot", last_message_at=now - timedelta(hours=25))
    lively = await conversation(services, "bot", last_message_at=now - timedelta(hours=23))
    waiting = await conversation(services, "queued", last_message_at=now - timedelta(hours=25))
    assert await quiet.resolve_quiet(services) == 1
    assert [await state_of(services, talk) for talk in (quiet_talk, lively, waiting)] == ["resolved", "bot", "queued"]
    assert await services.db.fetchval("SELECT count(*) FROM bot_turn") == 0
    event = await services.db.fetchrow("SELECT type, payload ->> 'reason' AS reason FROM events")
    assert tuple(event) == ("conversation.state_changed", "quiet")


async def test_a_resolved_conversation_closes_when_nobody_came_back(services):
    now = datetime.now(UTC)
    old = now - timedelta(hours=25)
    over = await conversation(services, "resolved", last_message_at=old, resolved_at=old)
    fresh = await conversation(services, "resolved", last_message_at=now, resolved_at=now)
    assert await quiet.close_past_reopening(services) == 1
    assert [await state_of(services, talk) for talk in (over, fresh)] == ["closed", "resolved"]
