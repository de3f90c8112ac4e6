"""Statuses in any order and number: forward only, to the highest rank, before or after the wamid is known."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.chat import outgoing, statuses
from hub_api.chat.statuses import MOVES, StatusUpdate
from hub_api.platform.ids import uuid7
from tests.whatsapp.door import Door, opened, status, text, together

STATES = [
    "queued",
    "claimed",
    "accepted",
    "held",
    "sent",
    "delivered",
    "read",
    "played",
    "failed",
    "unknown",
    "cancelled",
    "received",
    "echoed",
]


def may_move(before: str, after: str) -> bool:
    """Design §4.2 in words: along the line, failed from any state before delivered and undone by delivered or read,
    unknown from claimed, cancelled from queued, a claim given back."""
    line = ["queued", "claimed", "accepted", "held", "sent", "delivered", "read", "played"]
    if before == "queued":
        return after in ("claimed", "cancelled", "failed")
    if before == "claimed" and after in ("queued", "unknown"):
        return True
    if before in ("claimed", "unknown", "accepted", "held", "sent") and after == "failed":
        return True
    if before == "failed":
        return after in ("delivered", "read", "played")
    if before == "unknown":
        return after in line[2:]
    return before in line and after in line and line.index(after) > line.index(before)


@pytest.fixture
async def door(settings):
    async with opened(settings) as made:
        yield made


async def test_the_transition_table_of_the_schema_is_that_of_the_design(door: Door):
    for before in STATES:
        for after in STATES:
            assert await door.value("SELECT can_move($1, $2)", before, after) == may_move(before, after), (
                before,
                after,
            )
    for word, states in MOVES.items():
        assert states == {state for state in STATES if await door.value("SELECT can_move($1, $2)", state, word)}, word


async def test_no_writer_can_move_a_message_back(door: Door):
    (message,) = await queue(door, 1, state="delivered")
    for state in ("queued", "sent", "failed", "unknown"):
        with pytest.raises(asyncpg.CheckViolationError):
            await door.db.execute("UPDATE messages SET state = $2 WHERE id = $1", message, state)


async def queue(door: Door, count: int, *, state: str = "accepted", keys: bool = True) -> list[UUID]:
    """Messages of ours in `state`; their wamid is `wamid.<hex>`."""
    if not await door.value("SELECT count(*) FROM conversations"):
        await door.deliver(text("oi"))
    conversation = await door.value("SELECT id FROM conversations LIMIT 1")
    async with door.services.transaction() as tx:
        ids = [await outgoing.queue_message(tx, conversation, outgoing.text("Olá")) for _ in range(count)]
        steps = {"queued": [], "claimed": ["claimed"], "unknown": ["claimed", "unknown"]}
        for step in steps.get(state, ["claimed", state]):
            await tx.db.execute("UPDATE messages SET state = $2 WHERE id = ANY($1)", ids, step)
        if keys:
            await tx.db.execute(
                "INSERT INTO message_key SELECT 'wamid.' || replace(id::text, '-', ''), id, created_at FROM messages WHERE id = ANY($1)",
                ids,
            )
    return ids


RANK = ["accepted", "sent", "delivered", "read", "played"]
WORDS = ["sent", "delivered", "read", "played", "failed"]


def expected(words: list[str]) -> str:
    """The highest rank wins; failed stands only when nothing proved it wrong."""
    reached = max((RANK.index(word) for word in words if word != "failed"), default=0)
    return "failed" if "failed" in words and reached < RANK.index("delivered") else RANK[reached]


async def state_events(door: Door, message: UUID) -> list[dict[str, Any]]:
    return [event for event in await door.events("message.state_changed") if event["aggregate_id"] == message]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    histories=st.lists(st.lists(st.sampled_from(WORDS), max_size=8), min_size=1, max_size=12),
    seed=st.integers(0, 2**32),
    chunk=st.integers(1, 20),
)
async def test_any_interleaving_ends_at_the_highest_rank_and_never_goes_back(
    door: Door, histories: list[list[str]], seed: int, chunk: int
):
    messages = await queue(door, len(histories))
    at = datetime.now(UTC).replace(microsecond=0)
    updates = [
        StatusUpdate(f"wamid.{message.hex}", word, at + timedelta(seconds=WORDS.index(word)))
        for message, words in zip(messages, histories, strict=True)
        for word in words
    ]
    random.Random(seed).shuffle(updates)
    for start in range(0, len(updates), chunk):
        async with door.services.transaction() as tx:
            await statuses.apply(tx, updates[start : start + chunk])
    for message, words in zip(messages, histories, strict=True):
        row = await door.one("SELECT * FROM messages WHERE id = $1", message)
        assert row["state"] == expected(words)
        assert (row["sent_at"] is not None) == ("sent" in words)
        assert (row["delivered_at"] is not None) == ("delivered" in words)
        events = await state_events(door, message)
        path = ["accepted", *[event["to_state"] for event in events]]
        assert all(may_move(before, after) for before, after in pairwise(path)), path
        assert path[-1] == row["state"] and len(events) == row["version"] - 1


async def test_a_failure_that_delivery_proves_wrong_leaves_no_error(door: Door):
    (message,) = await queue(door, 1)
    wamid = f"wamid.{message.hex}"
    error = [{"code": 131026, "title": "Message undeliverable"}]
    await door.deliver(status(wamid, "failed", errors=error))
    row = await door.one("SELECT * FROM messages WHERE id = $1", message)
    assert (row["state"], row["error_code"], row["error_title"]) == ("failed", 131026, "Message undeliverable")
    await door.deliver(status(wamid, "delivered"), status(wamid, "failed", errors=error))
    row = await door.one("SELECT * FROM messages WHERE id = $1", message)
    assert (row["state"], row["error_code"], row["failed_at"]) == ("delivered", None, None)


async def test_prices_are_merged_from_whatever_status_tells_them(door: Door):
    (message,) = await queue(door, 1)
    wamid = f"wamid.{message.hex}"
    await door.deliver(
        status(wamid, "sent", pricing={"pricing_model": "PMP", "category": "service"}),
        status(wamid, "delivered"),
        status(wamid, "read", pricing={"type": "regular", "billable": True}),
    )
    row = await door.one("SELECT pricing FROM messages WHERE id = $1", message)
    assert row["pricing"] == {"model": "PMP", "category": "service", "type": "regular", "billable": True}
    assert (await state_events(door, message))[-1]["pricing_type"] == "regular"


async def test_a_status_before_the_wamid_is_stored_waits_for_it(door: Door):
    (message,) = await queue(door, 1, keys=False)
    wamid = f"wamid.{message.hex}"
    await door.deliver(status(wamid, "read"), status(wamid, "sent"))
    assert await door.value("SELECT count(*) FROM parked_status") == 2
    async with door.services.transaction() as tx:
        place = await tx.db.fetchrow("SELECT id, created_at FROM messages WHERE id = $1", message)
        await statuses.remember(tx, {wamid: statuses.Place(*place)})
        await statuses.apply_parked(tx, [wamid])
    row = await door.one("SELECT * FROM messages WHERE id = $1", message)
    assert row["state"] == "read" and row["sent_at"]
    assert await door.value("SELECT count(*) FROM parked_status") == 0


async def test_a_status_parked_in_the_moment_its_wamid_was_stored_is_found_by_the_clock(door: Door):
    (message,) = await queue(door, 1, keys=False)
    wamid = f"wamid.{message.hex}"
    await door.deliver(status(wamid, "delivered"), status("wamid.FOREIGN", "delivered"))
    async with door.services.transaction() as tx:
        place = await tx.db.fetchrow("SELECT id, created_at FROM messages WHERE id = $1", message)
        await statuses.remember(tx, {wamid: statuses.Place(*place)})
    assert await statuses.rematch_parked(door.services) == 1
    assert await statuses.rematch_parked(door.services) == 0
    assert await door.value("SELECT state FROM messages WHERE id = $1", message) == "delivered"
    assert await door.value("SELECT wamid FROM parked_status") == "wamid.FOREIGN"


@pytest.mark.parametrize("state", ["claimed", "unknown", "queued"])
async def test_our_own_id_finds_a_message_whose_acceptance_was_never_written(door: Door, state: str):
    """A sender that died, or gave the claim back although Meta had taken the message: the status settles it."""
    (message,) = await queue(door, 1, state=state, keys=False)
    await door.deliver(status("wamid.LOST", "delivered", opaque=f"{message.hex}.1"))
    row = await door.one("SELECT * FROM messages WHERE id = $1", message)
    assert (row["state"], row["wamid"]) == ("delivered", "wamid.LOST")
    await door.deliver(status("wamid.LOST", "read"))
    assert await door.value("SELECT state FROM messages WHERE id = $1", message) == "read"


async def test_an_opaque_value_that_is_none_of_ours_parks_the_status(door: Door):
    values = [
        "campanha-7",
        f"{uuid7().hex}.1",
        "f" * 32 + ".1",
        f"ffffffffffff7{'a' * 19}.1",
        f"{uuid7()}",
        "0" * 32 + ".1",
    ]
    await door.deliver(together(*[status(f"wamid.{n}", "sent", opaque=value) for n, value in enumerate(values)]))
    assert await door.value("SELECT count(*) FROM parked_status") == len(values)


@pytest.mark.parametrize(("code", "forever"), [(131050, True), (131049, False)])
async def test_what_meta_says_about_marketing_stops_marketing(door: Door, code: int, forever: bool):
    (message,) = await queue(door, 1)
    body = status(f"wamid.{message.hex}", "failed", errors=[{"code": code, "title": "x"}])
    await door.deliver(body, body)
    row = await door.one("SELECT * FROM suppressions")
    assert row["scope"] == "marketing" and (row["until"] is None) == forever
    assert await door.value("SELECT count(*) FROM consent_ledger") == int(forever)


async def test_a_batch_with_strangers_words_and_numbers_applies_what_it_can(door: Door):
    messages = await queue(door, 3)
    bodies = [status(f"wamid.{message.hex}", "read") for message in messages]
    await door.store(
        together(
            status("wamid.NOBODY", "sent"),
            bodies[0],
            status(f"wamid.{messages[1].hex}", "warning"),
            bodies[1],
            status(f"wamid.{messages[2].hex}", "deleted"),
            bodies[2],
        )
    )
    await door.handle()
    assert await door.value("SELECT count(*) FROM messages WHERE state = 'read'") == 3
    assert await door.value("SELECT count(*) FROM channel_update WHERE field = 'messages.statuses'") == 2


async def test_a_status_teaches_the_bsuid_of_a_customer_we_know_and_makes_none(door: Door):
    (message,) = await queue(door, 1)
    learned = status(f"wamid.{message.hex}", "sent", recipient_id="5511987654321", recipient_user_id="BR.77")
    await door.deliver(learned, status("wamid.NOBODY", "sent", recipient_id="5521999990000"))
    assert await door.value("SELECT count(*) FROM customers") == 1
    assert await door.value("SELECT value FROM customer_identities WHERE kind = 'bsuid'") == "BR.77"
