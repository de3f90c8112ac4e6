"""One person under every identity: variants, merges, rotations, recycled numbers, in any order of arrival."""

import itertools
from typing import Any

import pytest

from hub_api.platform.ids import uuid7
from tests.whatsapp.door import NUMBER, Door, now, opened, text, webhook

OTHER_PORTFOLIO = "102290000000009", "222000000000001", "106540000000009"


@pytest.fixture
async def door(settings):
    async with opened(settings) as made:
        yield made


async def people(door: Door) -> int:
    return await door.value("SELECT count(*) FROM customers WHERE status <> 'merged'")


async def owner(door: Door, said: str) -> Any:
    return await door.value("SELECT customer_id FROM messages WHERE content = $1", said)


def changed_number(old: str, new: str, *, at: int, old_id: str | None = None, new_id: str | None = None) -> dict:
    system = {"type": "user_changed_number", "wa_id": new, "body": "mudou"} | ({"user_id": new_id} if new_id else {})
    message = {"from": old, "id": f"wamid.{uuid7().hex}", "timestamp": str(at), "type": "system", "system": system}
    message |= {"from_user_id": old_id} if old_id else {}
    return webhook({"messages": [message]})


def changed_id(previous: str, current: str, *, at: int) -> dict:
    update = {"detail": "x", "user_id": {"previous": previous, "current": current}, "timestamp": str(at)}
    return webhook({"contacts": [{"profile": {"name": "Ana"}}], "user_id_update": [update]}, field="user_id_update")


async def test_a_mobile_with_and_without_its_ninth_digit_is_one_person(door: Door):
    await door.deliver(text("a", wa_id="553187654321"), text("b", wa_id="5531987654321"))
    row = await door.one("SELECT phone, state_code FROM customers")
    assert tuple(row) == ("+5531987654321", "MG")
    assert await door.value("SELECT count(*) FROM conversations") == 1
    kept = await door.all("SELECT value FROM customer_identities WHERE kind = 'wa_id' ORDER BY value")
    assert [row["value"] for row in kept] == ["553187654321", "5531987654321"], "each as received"


async def test_a_landline_never_gets_a_ninth_digit(door: Door):
    await door.deliver(text("a", wa_id="551133334444"), text("b", wa_id="5511933334444"))
    assert await people(door) == 2


async def test_a_person_known_by_phone_is_the_same_when_only_the_bsuid_is_told(door: Door):
    await door.deliver(
        text("a", wa_id="5511987654321"),
        text("b", wa_id="5511987654321", user_id="BR.1"),
        text("c", wa_id=None, user_id="BR.1"),
    )
    assert await people(door) == 1 and await door.value("SELECT count(*) FROM conversations") == 1
    told = [event["kind"] for event in await door.events("customer.identity_changed")]
    assert told == ["bsuid"]


async def test_a_bsuid_belongs_to_its_portfolio(door: Door):
    await door.add_number(*OTHER_PORTFOLIO)
    here = text("a", wa_id=None, user_id="BR.1")
    there = text("b", wa_id=None, user_id="BR.1", number=OTHER_PORTFOLIO[2])
    there["entry"][0]["id"] = OTHER_PORTFOLIO[0]
    await door.deliver(here, there)
    assert await people(door) == 2


async def test_one_payload_that_names_two_customers_merges_them(door: Door):
    await door.deliver(text("a", wa_id="5511987654321"), text("SAIR", wa_id=None, user_id="BR.1"))
    assert await people(door) == 2
    older = await owner(door, "a")
    await door.deliver(text("c", wa_id="5511987654321", user_id="BR.1"))
    assert await people(door) == 1
    assert {row["customer_id"] for row in await door.all("SELECT customer_id FROM messages")} == {older}
    merged = await door.one("SELECT * FROM customers WHERE status = 'merged'")
    (event,) = await door.events("customer.merged")
    assert merged["merged_into"] == older and event["aggregate_id"] == merged["id"] and event["into"] == str(older)
    assert await door.value("SELECT customer_id FROM suppressions") == older, "the opt-out follows the person"
    assert await door.value("SELECT customer_id FROM consent_ledger") == older
    states = await door.all("SELECT state FROM conversations ORDER BY opened_at, id")
    assert sorted(row["state"] for row in states) == ["bot", "closed"], "one open conversation on a number"


async def test_no_table_that_names_a_customer_is_forgotten_by_a_merge(door: Door):
    from importlib import resources

    tables = await door.all(
        "SELECT DISTINCT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) "
        "WHERE c.column_name = 'customer_id' AND c.table_schema = 'public' AND t.table_type = 'BASE TABLE' "
        "AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.table_name::regclass)"
    )
    sql = resources.files("hub_api.chat").joinpath("merge.sql").read_text()
    followers = {"outbox"}  # of messages, by trigger
    for row in tables:
        assert (
            row["table_name"] in followers
            or f"UPDATE {row['table_name']} " in sql
            or f"INTO {row['table_name']} " in sql
        ), row["table_name"]


async def test_a_change_of_number_keeps_the_person_in_any_order_of_arrival(door: Door):
    at = now() - 1000
    bodies = [
        text("antes", wa_id="5511987654321", user_id="BR.1", at=at),
        changed_number("5511987654321", "5521999990000", at=at + 10, old_id="BR.1", new_id="BR.2"),
        text("depois", wa_id="5521999990000", user_id="BR.2", at=at + 20),
        text("só com o id", wa_id=None, user_id="BR.2", at=at + 30),
    ]
    for order in itertools.permutations(bodies):
        await door.forget()
        await door.deliver(*order)
        assert await people(door) == 1
        assert await owner(door, "antes") == await owner(door, "depois") == await owner(door, "só com o id")
        assert await door.value("SELECT phone FROM customers WHERE status <> 'merged'") == "+5521999990000"
        current = await door.all(
            "SELECT kind, value FROM customer_identities WHERE valid_to IS NULL ORDER BY kind, value"
        )
        assert [tuple(row) for row in current] == [
            ("bsuid", "BR.2"),
            ("phone", "+5521999990000"),
            ("wa_id", "5521999990000"),
        ]
        ended = await door.all("SELECT value FROM customer_identities WHERE valid_to IS NOT NULL ORDER BY value")
        assert [row["value"] for row in ended] == ["+5511987654321", "5511987654321", "BR.1"]


async def test_two_rotations_told_in_any_order_lead_to_one_person(door: Door):
    at = now() - 1000
    bodies = [
        text("antes", wa_id=None, user_id="BR.1", at=at),
        changed_id("BR.1", "BR.2", at=at + 10),
        changed_id("BR.2", "BR.3", at=at + 20),
    ]
    for order in itertools.permutations(bodies):
        await door.forget()
        await door.deliver(*order)
        await door.deliver(text("depois", wa_id=None, user_id="BR.3", at=at + 30))
        assert await people(door) == 1
        current = await door.all("SELECT value FROM customer_identities WHERE valid_to IS NULL")
        assert [row["value"] for row in current] == ["BR.3"]
        late = text("atrasada", wa_id=None, user_id="BR.1", at=at + 5)
        await door.deliver(late, changed_id("BR.1", "BR.2", at=at + 10))
        assert await people(door) == 1 and await owner(door, "atrasada") == await owner(door, "depois")


async def test_a_number_that_the_operator_gave_to_somebody_else_opens_nobodys_history(door: Door):
    at = now() - 1000
    await door.deliver(
        text("da primeira", wa_id="5511987654321", user_id="BR.1", at=at),
        text("do segundo", wa_id="5511987654321", user_id="BR.9", at=at + 500),
        text("da primeira, atrasada", wa_id="5511987654321", user_id="BR.1", at=at + 100),
    )
    assert await people(door) == 2
    first, second = await owner(door, "da primeira"), await owner(door, "do segundo")
    assert first != second and await owner(door, "da primeira, atrasada") == first
    assert (
        await door.value("SELECT customer_id FROM customer_identities WHERE kind = 'phone' AND valid_to IS NULL")
        == second
    )
    assert await door.value("SELECT phone FROM customers WHERE id = $1", first) is None


async def test_the_answer_to_our_request_for_the_number_joins_phone_and_bsuid(door: Door):
    await door.deliver(text("a", wa_id="5511987654321"), text("b", wa_id=None, user_id="BR.1"))
    message = {
        "from_user_id": "BR.1",
        "id": "wamid.CARD",
        "timestamp": str(now()),
        "type": "contacts",
        "contacts": [
            {"phones": [{"phone": "+55 11 98765-4321", "wa_id": "5511987654321"}], "origin": "contact_request"}
        ],
    }
    await door.deliver(webhook({"messages": [message]}))
    assert await people(door) == 1
    shared = {**message, "id": "wamid.FRIEND", "contacts": [{"phones": [{"wa_id": "5521999990000"}]}]}
    await door.deliver(webhook({"messages": [shared]}), text("c", wa_id="5521999990000"))
    assert await people(door) == 2, "a friend's card says nothing about the sender"


async def test_a_merge_follows_a_merge(door: Door):
    await door.add_number("102290000000001", "111000000000001", "106540000000002")
    for number in range(4):
        await door.deliver(text(f"m{number}", wa_id=None, user_id=f"BR.{number}", at=now() - 100 + number))
    for number in range(3):
        await door.deliver(changed_id(f"BR.{number}", f"BR.{number + 1}", at=now() + number))
    assert await people(door) == 1
    assert await door.value("SELECT count(DISTINCT customer_id) FROM messages") == 1
    assert await door.value("SELECT count(DISTINCT merged_into) FROM customers WHERE status = 'merged'") == 1
    assert NUMBER != "106540000000002"


@pytest.mark.parametrize("missing", [{}, {"wa_id": "", "user_id": ""}])
async def test_a_message_that_names_nobody_is_put_aside(door: Door, missing: dict[str, str]):
    message = {"id": "wamid.N", "timestamp": str(now()), "type": "text", "text": {"body": "oi"}} | {
        "from" if key == "wa_id" else "from_user_id": value for key, value in missing.items()
    }
    await door.deliver(webhook({"messages": [message]}))
    assert await people(door) == 0 and await door.value("SELECT count(*) FROM dead_letter") == 1
