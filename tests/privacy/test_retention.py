"""What is past its time ends in every store; what a legal hold keeps stays, and nothing younger is touched."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub_api.chat.privacy import erase, holds, retention
from hub_api.errors import Invalid
from hub_api.platform.ids import uuid7
from tests.auth.people import add_person, call
from tests.privacy.conftest import People, Person
from tests.privacy.test_erasure import hits
from tests.privacy.test_erasure_door import hub_command
from tests.support.hub import running_hub

TEXTS = {"messages", "events", "message_key", "raw.events", "bronze.events", "silver.messages"}


async def age(people: People, person: Person, days: int) -> None:
    """As if the person had been served and had gone this long ago."""
    at, db = datetime.now(UTC) - timedelta(days=days), people.door.db
    await db.execute("UPDATE messages SET state = 'cancelled' WHERE customer_id = $1 AND state = 'queued'", person.id)
    await db.execute(
        "UPDATE conversations SET state = 'closed', closed_at = $2, last_message_at = $2, opened_at = $2, ai_summary = $3 "
        "WHERE customer_id = $1",
        person.id, at, person.words,
    )  # fmt: skip
    # Triggers keep updated_at; this one has not been touched since.
    await db.execute("ALTER TABLE customers DISABLE TRIGGER USER")
    await db.execute("UPDATE customers SET updated_at = $2 WHERE id = $1", person.id, at)
    await db.execute("ALTER TABLE customers ENABLE TRIGGER USER")


async def texts(people: People, person: Person) -> set[str]:
    """Tables in which the person's own words or wamids stand."""
    only = Person("–", "–––––––", "–", person.words, person.wamids[:2])
    only.secrets = lambda: [person.words, *person.wamids[:2]]  # type: ignore[method-assign]
    return set(await hits(people.settings, people.door, only))


async def test_old_conversations_lose_their_texts_in_both_stores_and_young_ones_do_not(people: People) -> None:
    await age(people, people.gone, 1827)
    await age(people, people.stays, 1825)
    young = await texts(people, people.stays)
    assert await texts(people, people.gone) >= TEXTS
    counted = await retention.due(people.door.services)
    assert (counted["conversations"], counted["people"]) == (1, 0), "a contract in force keeps the person"
    assert (await retention.apply(people.door.services))["conversations"] == 1
    assert not TEXTS & await texts(people, people.gone)
    assert await texts(people, people.stays) == young
    assert (
        await people.door.value("SELECT ai_summary FROM conversations WHERE customer_id = $1", people.gone.id) is None
    )
    detail = await people.door.value("SELECT detail FROM audit_log WHERE action = 'privacy.retention_applied'")
    assert detail == {"conversations": 1}
    assert not any((await retention.apply(people.door.services)).values()), "nothing is left for a second run"


async def test_a_person_without_contract_is_erased_whole(people: People) -> None:
    await age(people, people.gone, 2000)
    await people.door.db.execute(
        "UPDATE contracts SET ended_on = now() - interval '2000 days' WHERE external_id = 'c1'"
    )
    ended = await retention.apply(people.door.services)
    assert (ended["people"], ended["ended_contracts"]) == (1, 1)
    (row,) = await people.door.all("SELECT id, reason FROM erasures")
    assert row["reason"] == "purpose_ended"
    await erase.work_on(people.door.services, row["id"])
    left = await hits(people.settings, people.door, people.gone)
    assert left == {}, left


async def test_a_legal_hold_stops_the_end_and_the_erasure_until_it_is_released(people: People) -> None:
    await age(people, people.gone, 2000)
    conversation = await people.door.value("SELECT id FROM conversations WHERE customer_id = $1", people.gone.id)
    body = {
        "customer_id": str(people.gone.id),
        "conversation_id": str(conversation),
        "reason": "Processo 1",
        "legal_basis": "LGPD art. 7º, VI",
    }
    path = "/api/v1/privacy/holds"
    async with running_hub(people.settings) as hub:
        admin, boss = await add_person(hub, "admin"), await add_person(hub, "supervisor")
        assert (await call(hub, "POST", path, boss.headers, json=body))[0] == 403
        assert (await call(hub, "POST", path, admin.headers, json={**body, "conversation_id": str(uuid7())}))[0] == 404
        status, hold = await call(hub, "POST", path, admin.headers, json=body)
        assert status == 201 and hold["released_at"] is None
        status, listed = await call(hub, "GET", f"{path}?in_force=true&customer_id={people.gone.id}", admin.headers)
        assert [one["id"] for one in listed["items"]] == [hold["id"]]
        before = await texts(people, people.gone)
        assert not any((await retention.apply(people.door.services)).values())
        assert await texts(people, people.gone) == before
        erasure = {"customer_id": str(people.gone.id)}
        status, refused = await call(hub, "POST", "/api/v1/privacy/erasures", admin.headers, json=erasure)
        assert (status, refused["code"], refused["holds"]) == (409, "legal_hold", [hold["id"]])

        assert (await call(hub, "POST", f"{path}/{hold['id']}/release", admin.headers))[0] == 200
        assert (await call(hub, "POST", f"{path}/{hold['id']}/release", admin.headers))[0] == 409
        status, shown = await call(hub, "GET", "/api/v1/privacy/retention", admin.headers)
        assert {one["key"]: one["due"] for one in shown["items"]}["conversations"] == 1
        assert (await retention.apply(people.door.services))["conversations"] == 1
        assert (await call(hub, "POST", "/api/v1/privacy/erasures", admin.headers, json=erasure))[0] == 202
        assert (await call(hub, "POST", path, admin.headers, json=body))[0] == 409, "it would hold nothing"
    actions = await people.door.all("SELECT action FROM audit_log WHERE action LIKE 'privacy.hold%' ORDER BY id")
    assert [row["action"] for row in actions] == ["privacy.hold_placed", "privacy.hold_released"]


async def test_a_hold_placed_while_retention_runs_keeps_the_files(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await age(people, people.gone, 2000)
    services, ended = people.door.services, []

    async def note(_: object, conversations: list[UUID]) -> int:
        ended.extend(conversations)
        return len(conversations)

    monkeypatch.setattr(retention, "ENDERS", {"files": note})
    async with services.transaction() as tx:
        await tx.db.execute("SELECT FROM customers WHERE id = $1 FOR UPDATE", people.gone.id)
        run = asyncio.create_task(retention.apply(services))
        async with asyncio.timeout(60):
            while not await people.door.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.02)
        await holds.place(tx, "system", people.gone.id, None, "Processo 1", "LGPD art. 7º, VI")
    assert (await run)["conversations"] == 0
    assert ended == [], "no file of a held conversation ends"
    kept = "SELECT count(*) FROM messages WHERE customer_id = $1 AND content IS NOT NULL"
    assert await people.door.value(kept, people.gone.id) > 0


async def test_a_run_that_dies_before_the_files_are_gone_is_taken_up(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await age(people, people.gone, 1827)
    calls: list[list[UUID]] = []

    async def away_at_first(_: object, conversations: list[UUID]) -> int:
        calls.append(conversations)
        if len(calls) == 1:
            raise ConnectionError("the store of files is away")
        return len(conversations)

    monkeypatch.setattr(retention, "ENDERS", {"files": away_at_first})
    with pytest.raises(ConnectionError):
        await retention.apply(people.door.services)
    assert (await retention.apply(people.door.services))["conversations"] == 1
    assert len(calls) == 2 and calls[0] == calls[1]
    assert await people.door.value("SELECT metadata FROM conversations WHERE id = $1", calls[0][0]) == {}
    assert (await retention.due(people.door.services))["conversations"] == 0


async def test_a_contract_keeps_the_person_it_names_and_a_hold_keeps_the_contract_that_has_only_a_phone(
    people: People,
) -> None:
    await age(people, people.gone, 2000)
    db, services = people.door.db, people.door.services
    sooner = people.settings.model_copy(update={"retention_days": (("people", 730),)})
    await db.execute("UPDATE contracts SET ended_on = now() - interval '800 days' WHERE external_id = 'c1'")
    assert (await retention.due(dataclasses.replace(services, settings=sooner)))["people"] == 0, (
        "its contract is kept for five years, and names him"
    )

    phone = await people.door.value("SELECT phone FROM customers WHERE id = $1", people.gone.id)
    await db.execute(
        "UPDATE contracts SET ended_on = now() - interval '2000 days', customer_id = NULL, phone = $1 WHERE external_id = 'c1'",
        phone,
    )
    assert (await retention.due(services))["ended_contracts"] == 1
    async with services.transaction() as tx:
        await holds.place(tx, "system", people.gone.id, None, "Processo 1", "LGPD art. 7º, VI")
    assert (await retention.due(services))["ended_contracts"] == 0


async def test_channel_updates_letters_and_old_numbers_end_by_age(people: People) -> None:
    db, old = people.door.db, datetime.now(UTC) - timedelta(days=800)
    for at in (old, datetime.now(UTC)):
        await db.execute(
            "INSERT INTO channel_update (id, webhook_id, field, value, created_at) VALUES ($1, $1, 'user_preferences', '{}', $2)",
            uuid7(), at,
        )  # fmt: skip
    await db.execute("UPDATE dead_letter SET created_at = $1 WHERE contact_key = $2", old, people.gone.bsuid)
    await db.execute(
        "UPDATE customer_identities SET valid_to = $1, valid_from = $1 WHERE value = $2", old, people.gone.bsuid
    )
    ended: dict[str, Any] = await retention.apply(people.door.services)
    assert {key: count for key, count in ended.items() if count} == {
        "channel_updates": 1, "open_dead_letters": 1, "ended_identities": 1,
    }  # fmt: skip


async def test_the_command_counts_before_it_ends(people: People) -> None:
    await age(people, people.gone, 1827)
    counted = json.loads(hub_command(people.settings, "retention", "--dry-run", "--json").stdout)
    assert {row["key"]: row["due"] for row in counted}["conversations"] == 1
    done = hub_command(people.settings, "retention", "--json")
    assert done.returncode == 0, done.stderr
    assert {row["key"]: row["ended"] for row in json.loads(done.stdout)}["conversations"] == 1


@pytest.mark.parametrize("wanted", [(("conversations", 100),), (("unknown", 9000),)])
def test_less_than_the_law_asks_for_and_unknown_kinds_are_refused(settings: Any, wanted: Any) -> None:
    changed = settings.model_copy(update={"retention_days": wanted})
    with pytest.raises(Invalid, match="HUB_RETENTION_DAYS"):
        retention.rules(changed)
