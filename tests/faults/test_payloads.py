"""Poison, impossible times and old copies through the real door: acknowledged, put aside or flagged, and nothing twice."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub_api import maintenance
from hub_api.simulator.config import PHONE_NUMBER_ID, PORTFOLIO_ID, WABA_ID
from hub_api.whatsapp.accounts import add_account, add_number
from tests.support.hub import Hub, signed
from tests.support.meta import bsuid_of, hello, new_people, phone_of, wamid_of

Message = dict[str, Any]


async def deliver(hub: Hub, body: bytes) -> None:
    """One acknowledged webhook, handled to its end."""
    assert (await hub.post("/webhooks/whatsapp", **signed(body))).status == 200
    await hub.settled()


async def ours(hub: Hub) -> Hub:
    """The hub with the number that the payloads name."""
    await add_account(hub.services, waba_id=WABA_ID, portfolio_id=PORTFOLIO_ID, name="Provedor", token="none")
    await add_number(
        hub.services, waba_id=WABA_ID, phone_number_id=PHONE_NUMBER_ID, display_phone_number="551130001000"
    )
    return hub


def message(number: int, **changes: Any) -> Message:
    """An hour-old message of a person: nobody answers it, so that only the delivery leaves rows."""
    base = {"from": phone_of(number), "from_user_id": bsuid_of(number), "id": wamid_of(number), "type": "text"}
    return {**base, "timestamp": str(int(time.time()) - 3600), "text": {"body": "oi"}, **changes}


def batch(*messages: Message | bytes) -> bytes:
    """One webhook with these messages, raw bytes as they are."""
    body = json.loads(hello(1))
    body["entry"][0]["changes"][0]["value"] |= {"contacts": [], "messages": []}
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in messages]
    return json.dumps(body).encode().replace(b'"messages": []', b'"messages": [' + b",".join(parts) + b"]")


def raw(number: int, text: bytes) -> bytes:
    """A text message whose body is these bytes of JSON."""
    return json.dumps(message(number)).encode().replace(b'"oi"', b'"' + text + b'"')


QUARANTINED: dict[str, Callable[[int], bytes]] = {
    "NUL": lambda number: raw(number, rb"nulo \u0000"),
    "lone surrogate": lambda number: raw(number, rb"meio \ud83d"),
    "invalid UTF-8": lambda number: raw(number, b"\xff\xfe"),
}
KEPT: dict[str, Callable[[int], Message]] = {
    "1 MB of text": lambda number: message(number, text={"body": "a" * 1_000_000}),
    "unknown type": lambda number: message(number, type="hologram", hologram={"x": 1}),
    "missing user_id": lambda number: {k: v for k, v in message(number).items() if k != "from_user_id"},
}


@pytest.mark.parametrize("kind", [*QUARANTINED, *KEPT])
async def test_one_poisoned_message_in_500_is_kept_or_quarantined_and_its_neighbours_are_stored(
    hub: Hub, kind: str
) -> None:
    await ours(hub)
    people = new_people(500)
    poison = (QUARANTINED | KEPT)[kind](people[250])
    await deliver(hub, batch(*map(message, people[:250]), poison, *map(message, people[251:])))
    stored = {row["wamid"] for row in await hub.fetch("SELECT wamid FROM messages")}
    quarantined = {wamid_of(people[250])} if kind in QUARANTINED else set()
    assert stored == {wamid_of(number) for number in people} - quarantined
    dead = await hub.fetch("SELECT payload, reason FROM dead_letter")
    assert len(dead) == len(quarantined)
    if not dead:
        return
    assert wamid_of(people[250]).encode() in dead[0]["payload"], "raw, as it came"

    # Replayed without a repair it is quarantined again, and nothing else happens.
    events = await hub.fetchval("SELECT count(*) FROM events")
    answer = await hub.post("/api/v1/webhooks/dead/replay", json={}, headers=hub.auth)
    assert (answer.status, await answer.json()) == (200, {"replayed": 1})
    await hub.settled()
    assert await hub.fetchval("SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL") == 1
    assert await hub.fetchval("SELECT count(*) FROM events") == events
    assert await hub.fetchval("SELECT count(*) FROM messages") == 499


async def test_impossible_times_are_stored_with_a_flag_and_end_in_no_loop(hub: Hub) -> None:
    await ours(hub)
    times: list[Any] = ["0", "4070908800", "ontem", "-5", "1e9", "", None, 17, 9 * 10**30, {"x": 1}]
    people = new_people(len(times) + 1)
    strange = [message(number, timestamp=given) for number, given in zip(people, times, strict=False)]
    body = batch(*strange, message(people[-1]))
    for _ in range(2):  # a redelivery finds the same rows, whenever it comes
        await deliver(hub, body)
    rows = {
        row["wamid"]: row
        for row in await hub.fetch("SELECT wamid, created_at, time_flag FROM messages WHERE direction = 'in'")
    }
    assert rows[wamid_of(people[-1])]["time_flag"] is None
    dead = await hub.fetchval("SELECT count(*) FROM dead_letter")
    flagged = [row for row in rows.values() if row["time_flag"] == "clamped"]
    assert {f"{row['created_at']:%Y-%m-%d}" for row in flagged} <= {"1970-01-01", "2100-01-01"}
    assert len(rows) == len(flagged) + 1
    assert len(flagged) * 2 + dead == len(times) * 2, "each time is stored flagged, or put aside at each delivery"
    assert {wamid_of(number) for number in people[:3]} <= rows.keys(), "1970, 2099 and text are stored"
    assert await hub.fetchval("SELECT count(*) FROM inbox_item") == 0


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(days=8), timedelta(days=400)], ids=str)
async def test_a_captured_webhook_replayed_later_has_no_second_effect_and_leaves_a_trace(
    hub: Hub, age: timedelta
) -> None:
    await ours(hub)
    [number] = new_people(1)
    captured = signed(batch(message(number)))

    async def post() -> None:
        assert (await hub.post("/webhooks/whatsapp", **captured)).status == 200
        await hub.settled()

    await post()
    first = await hub.fetchval("SELECT id FROM webhook_event")
    # The clock moves on: what the first delivery left is so old, and what may go by then is gone.
    await hub.services.db.execute("UPDATE webhook_event SET received_at = received_at - $1::interval", age)
    await hub.services.db.execute("UPDATE messages SET inserted_at = inserted_at - $1::interval", age)
    await maintenance.retention.function(hub.services)
    counts = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM events), (SELECT count(*) FROM bot_turn), (SELECT count(*) FROM customers), (SELECT count(*) FROM conversations)"
    before = tuple((await hub.fetch(counts))[0])
    await post()
    assert tuple((await hub.fetch(counts))[0]) == before
    trace = await hub.fetch("SELECT id, received_at, item_count FROM webhook_event WHERE id <> $1", first)
    assert [(row["item_count"], row["received_at"] > datetime.now(UTC) - timedelta(minutes=1)) for row in trace] == [
        (1, True)
    ]
