"""A storm of deliveries, duplicated, reordered and batched, leaves the same tables as the clean sequence."""

import copy
import json
import os
import time
from random import Random
from typing import Any

import pytest

from hub_api.simulator.config import PHONE_NUMBER_ID, PORTFOLIO_ID, WABA_ID
from hub_api.whatsapp.accounts import add_account, add_number
from tests.support.chance import drawn_seed
from tests.support.hub import Hub, fixture, make_settings, running_hub, signed

SIZE = int(os.environ.get("HUB_TEST_STORM", "1500"))  # make soak: 10,000
SEED = drawn_seed()
BEGAN = int(time.time()) - SIZE * 7 - 7200  # past: no bot answers, so all rows follow from the deliveries

# What must be equal: everything but identifiers, times of our own making and what says which message came first: the
# protocol's number, and `opened_at`, which is the payload time of that message (whole seconds; its row stands within that second) and is only bounded here.
TABLES = {
    "customers": """
        SELECT i.kind, i.value, c.name, c.phone FROM customers c JOIN customer_identities i ON i.customer_id = c.id ORDER BY 1, 2""",
    "messages": """
        SELECT m.wamid, m.direction, m.type, m.content, m.created_at, m.state, m.reactions::text, m.revoked_at IS NULL AS kept,
            (SELECT min(i.value) FROM customer_identities i WHERE i.customer_id = m.customer_id AND i.kind = 'wa_id') AS who
        FROM messages m WHERE m.wamid IS NOT NULL ORDER BY 1""",
    "conversations": """
        SELECT (SELECT min(i.value) FROM customer_identities i WHERE i.customer_id = c.customer_id AND i.kind = 'wa_id') AS who,
            c.state, c.last_customer_message_at, c.last_message_at, c.unanswered_since,
            c.opened_at BETWEEN (SELECT date_trunc('second', min(m.created_at)) FROM messages m WHERE m.conversation_id = c.id) AND c.last_message_at AS opened, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id AND direction = 'in')
        FROM conversations c ORDER BY 1, 2""",
    "events": """
        SELECT type, count(*) FROM events WHERE type IN ('customer.created', 'conversation.opened', 'message.received', 'message.revoked')
        GROUP BY 1 ORDER BY 1""",  # not message.reacted: a reaction that a later one has overtaken changes nothing
    "dead letters": "SELECT count(*) FROM dead_letter",
}


def deliveries(rng: Random, size: int) -> list[dict[str, Any]]:
    """`size` values of one change each: texts, reactions to them and revokes, of `size / 8` customers over some hours."""
    base, made, written = (
        fixture("text.json")["entry"][0]["changes"][0]["value"],
        list[dict[str, Any]](),
        dict[int, list[str]](),
    )
    for number in range(size):
        person = rng.randrange(max(1, size // 8))
        phone, bsuid, wamid = f"5511{960000000 + person}", f"BR.{10**15 + person}", f"wamid.STORM{number:06d}"
        earlier, kind = written.setdefault(person, []), rng.random()
        if earlier and kind < 0.1:
            content = {
                "type": "reaction",
                "reaction": {"message_id": rng.choice(earlier), "emoji": rng.choice("👍😡❤")},
            }
        elif earlier and kind < 0.15:
            revoked = earlier.pop(rng.randrange(len(earlier)))  # the channel offers it once
            content = {"type": "revoke", "revoke": {"original_message_id": revoked}}
        else:
            content = {"type": "text", "text": {"body": f"mensagem {number} da tempestade"}}
            earlier.append(wamid)
        value = copy.deepcopy(base)
        value["contacts"] = [{"profile": {"name": f"Cliente {person}"}, "wa_id": phone, "user_id": bsuid}]
        value["messages"] = [
            {"from": phone, "from_user_id": bsuid, "id": wamid, "timestamp": str(BEGAN + number * 7), **content}
        ]
        made.append(value)
    return made


def bodies(values: list[dict[str, Any]], rng: Random | None) -> list[bytes]:
    """One body a value, or for a storm: each twice or more, shuffled, in batches of 1 to 40."""
    if rng is None:
        return [_body([value]) for value in values]
    storm = [value for value in values for _ in range(rng.choice((2, 2, 3)))]
    rng.shuffle(storm)
    made = []
    while storm:
        cut = rng.randint(1, 40)
        made.append(_body(storm[:cut]))
        storm = storm[cut:]
    return made


def _body(values: list[dict[str, Any]]) -> bytes:
    changes = [{"field": "messages", "value": value} for value in values]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": WABA_ID, "changes": changes}]}).encode()


async def final_tables(hub: Hub, sent: list[bytes]) -> dict[str, list[tuple[Any, ...]]]:
    await add_account(hub.services, waba_id=WABA_ID, portfolio_id=PORTFOLIO_ID, name="Storm", token="none")
    await add_number(
        hub.services, waba_id=WABA_ID, phone_number_id=PHONE_NUMBER_ID, display_phone_number="551130001000"
    )
    for body in sent:
        assert (await hub.post("/webhooks/whatsapp", **signed(body))).status == 200
    await hub.settled(deadline_s=240)
    return {name: [tuple(row) for row in await hub.fetch(query)] for name, query in TABLES.items()}


@pytest.mark.timeout(600)
async def test_a_storm_leaves_the_tables_of_the_clean_sequence(databases, redis_url):
    rng, results = Random(SEED), []
    values = deliveries(rng, SIZE)
    for storm in (None, rng):
        url = databases.create()
        async with running_hub(make_settings(url, redis_url)) as hub:
            results.append(await final_tables(hub, bodies(values, storm)))
        databases.drop(url)
    clean, stormy = results
    assert len(clean["messages"]) > SIZE * 0.8
    for name in TABLES:
        assert stormy[name] == clean[name], f"seed {SEED}: {name} differ"
