"""Scenario 28, small: two people in every store, one is erased and stays away, the other does not notice."""

import subprocess
from datetime import UTC, datetime
from typing import Any

import asyncpg
from pydantic import SecretStr

from hub_api.analytics.relay import relay_until_empty
from hub_api.chat.privacy import erase, receipt
from hub_api.chat.privacy.reapply import reapply
from hub_api.embedded.postgres import installed_programs
from hub_api.platform.clickhouse import connect
from hub_api.platform.crypto import decrypt
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import prepare_connection
from hub_api.settings import Settings
from hub_api.whatsapp.deadletters import replay
from tests.privacy.conftest import People, Person
from tests.support.data import OURS
from tests.support.postgres import Databases
from tests.whatsapp.door import Door, opened, status, text


async def erased(people: People) -> dict[str, Any]:
    """Erase the first person; the finished row."""
    erasure_id = await erase.request(people.door.services, "system", people.gone.id, "request")
    await erase.work_on(people.door.services, erasure_id)
    row = dict(await erase.find_erasure(people.door.services, erasure_id))
    assert row["state"] == "done", row["survivors"]
    return row


async def hits(settings: Settings, door: Door, person: Person) -> dict[str, int]:
    """Rows of any table of both stores and keys of Redis that hold something of the person: the test's own search."""
    found: dict[str, int] = {}
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    tables = await db.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT relispartition"
    )
    for (table,) in tables:
        for row in await db.fetch(f'SELECT * FROM "{table}"'):
            line = " ".join(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in row.values())
            if any(secret in line for secret in person.secrets()):
                found[table] = found.get(table, 0) + 1
    await db.close()
    client = connect(settings.clickhouse_url)
    names = f"SELECT concat(database, '.', name) FROM system.tables WHERE {OURS} AND engine LIKE '%MergeTree'"
    for (table,) in client.query(names).result_rows:
        text_of = client.raw_query(f"SELECT * FROM {table} FORMAT JSONEachRow").decode()
        found[table] = sum(any(s in line for s in person.secrets()) for line in text_of.splitlines())
    client.close()
    async for key in door.services.redis.scan_iter():
        if person.wa_id.encode() in key:
            found["redis"] = found.get("redis", 0) + 1
    return {table: count for table, count in found.items() if count}


def run(program: str, *arguments: str, input: bytes | None = None) -> bytes:
    """Output of a program of PostgreSQL."""
    done = subprocess.run([installed_programs() / program, *arguments], check=False, input=input, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


async def test_one_person_leaves_every_store_and_the_other_stays(people: People) -> None:
    before = await hits(people.settings, people.door, people.gone)
    other = await hits(people.settings, people.door, people.stays)
    expected = {"customers", "customer_identities", "messages", "message_key", "webhook_event", "dead_letter", "events"}
    expected |= {"contracts", "service_tickets", "consent_ledger", "parked_status"}
    expected |= {"raw.events", "bronze.events", "silver.messages"}
    assert expected <= before.keys(), "the test must have something to erase in each store"

    row = await erased(people)

    assert await hits(people.settings, people.door, people.gone) == {}
    assert await hits(people.settings, people.door, people.stays) == other
    assert row["survivors"] == {}
    assert row["counts"]["postgresql"]["messages"] == 3 and row["counts"]["warehouse"]["silver.messages"] == 1
    states = await people.door.all("SELECT state FROM messages WHERE customer_id = $1", people.gone.id)
    assert sorted(one["state"] for one in states) == ["cancelled", "received", "received"]


async def test_what_the_law_keeps_is_listed_and_readable_with_the_key_only(people: People) -> None:
    row = await erased(people)
    kept = await people.door.one("SELECT * FROM kept_records")
    assert kept["keep_until"].year == datetime.now(UTC).year + 2
    assert "Decreto 11.034/2022" in kept["legal_basis"]
    plain = decrypt(people.settings.secret_key.get_secret_value(), bytes(kept["sealed"]))
    assert people.gone.words in plain and f"+{people.gone.wa_id}" in plain and people.stays.wa_id not in plain
    (law,) = row["receipt"]["content"]["kept_by_law"]
    assert law["records"] == 1


async def test_the_receipt_is_signed_and_names_nobody(people: People) -> None:
    signed = (await erased(people))["receipt"]
    assert receipt.is_genuine(signed)
    assert not any(secret in str(signed) for secret in people.gone.secrets())
    signed["content"]["survivors"] = {"postgresql:messages": 1}
    assert not receipt.is_genuine(signed)
    changed = await people.door.value(
        "SELECT count(*) FROM audit_log WHERE action IN ('privacy.erased', 'privacy.erasure_requested')"
    )
    assert changed == 2


async def test_a_redelivery_and_a_late_status_bring_nobody_back(people: People) -> None:
    yesterday = int(datetime.now(UTC).timestamp()) - 86_400
    await erased(people)
    gone = people.gone
    who = {"wa_id": gone.wa_id, "user_id": gone.bsuid, "name": gone.name}
    again = text(gone.words, wamid=gone.wamids[0], at=yesterday, **who)
    unseen = text(gone.words, wamid="wamid.never.seen", at=yesterday + 9, **who)  # lost then, delivered now
    read = status(gone.wamids[1], "read", recipient_id=gone.wa_id, recipient_user_id=gone.bsuid)
    await people.door.deliver(again, unseen, read)
    gone.wamids.append("wamid.never.seen")
    assert await hits(people.settings, people.door, gone) == {}


async def test_a_replayed_dead_letter_brings_nobody_back(people: People) -> None:
    old = datetime.now(UTC)
    await erased(people)
    # As an operator would who exported letters before and puts them back.
    payload = b'{"data":{"from":"%s","id":"wamid.replayed","timestamp":"%d","type":"text","text":{"body":"oi"}}}' % (
        people.gone.wa_id.encode(), int(old.timestamp()) - 60,
    )  # fmt: skip
    number = await people.door.one("SELECT phone_number_id FROM whatsapp_numbers")
    await people.door.db.execute(
        "INSERT INTO dead_letter (id, source, webhook_id, received_at, kind, phone_number_id, contact_key, reason, payload) "
        "VALUES ($1, 'handle', $1, $2, 'message', $3, $4, 'test', $5)",
        uuid7(), old, number["phone_number_id"], people.gone.wa_id, payload,
    )  # fmt: skip
    customers = await people.door.value("SELECT count(*) FROM customers")
    assert await replay(people.door.services) >= 1
    await people.door.handle()
    assert await people.door.value("SELECT count(*) FROM customers") == customers
    assert await people.door.value("SELECT count(*) FROM messages WHERE wamid = 'wamid.replayed'") == 0


async def test_who_writes_after_the_erasure_is_a_new_customer(people: People) -> None:
    await erased(people)
    gone = people.gone
    await people.door.deliver(
        text("voltei", wa_id=gone.wa_id, user_id=gone.bsuid, name=gone.name, at=int(datetime.now(UTC).timestamp()) + 5)
    )
    new = await people.door.one("SELECT customer_id FROM customer_identities WHERE value = $1", gone.wa_id)
    assert new["customer_id"] != gone.id
    assert await people.door.value("SELECT count(*) FROM messages WHERE customer_id = $1", new["customer_id"]) == 1
    assert await people.door.value("SELECT status FROM customers WHERE id = $1", gone.id) == "erased"


async def test_the_relay_and_the_reconciliation_find_both_sides_equal_afterwards(people: People) -> None:
    await erased(people)
    await relay_until_empty(people.settings)
    db = await asyncpg.connect(people.settings.database_url.get_secret_value())
    await prepare_connection(db)
    ours = {row["id"]: row["payload"] for row in await db.fetch("SELECT id, payload::text AS payload FROM events")}
    await db.close()
    client = connect(people.settings.clickhouse_url)
    theirs = dict(client.query("SELECT id, payload FROM raw.events").result_rows)
    client.close()
    assert ours == theirs


async def test_a_restored_backup_is_erased_again_before_it_serves(people: People, databases: Databases) -> None:
    script = run("pg_dump", "--dbname", people.settings.database_url.get_secret_value())
    await erased(people)
    url = databases.create(empty=True)
    run("psql", "--quiet", "-v", "ON_ERROR_STOP=1", "--dbname", url, input=script)
    restored = people.settings.model_copy(update={"database_url": SecretStr(url)})
    async with opened(restored, restored=True) as door:
        assert "customers" in await hits(restored, door, people.gone)
        assert await reapply(door.services) == 1
        assert await hits(restored, door, people.gone) == {}
        assert "customers" in await hits(restored, door, people.stays)
        assert await reapply(door.services) == 0
        yesterday = int(datetime.now(UTC).timestamp()) - 86_400
        await door.deliver(text("oi", wamid=people.gone.wamids[0], wa_id=people.gone.wa_id, at=yesterday))
        assert await hits(restored, door, people.gone) == {}
    databases.drop(url)
