"""The sender against the simulator, over HTTP: what leaves, in which order, and what is written down."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from hub_api import roles
from hub_api.chat import consent, statuses
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.config import PORTFOLIO_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from hub_api.whatsapp.send import outbox, sender
from hub_api.whatsapp.send.decide import Drop, Send, decide
from tests.support.process import free_port
from tests.support.sending import (
    Person,
    add_our_number,
    add_people,
    drain_all,
    message,
    queue,
    states,
    template,
    text,
)
from tests.support.waiting import eventually


@asynccontextmanager
async def services_with(settings: Settings, **changes: Any) -> AsyncIterator[Services]:
    """Services of another process, or of one with other settings."""
    async with roles.services(settings.model_copy(update=changes), "test") as opened:
        yield opened


def called(sim: Simulator) -> list[str]:
    """The texts that the simulator accepted, in its order."""
    return [call.body["text"]["body"] for call in sim.core.ledger.calls if call.outcome == "accepted"]


async def test_a_queued_text_reaches_the_person_and_is_accepted_with_its_wamid(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    [message_id] = await queue(services, person, text("Seu protocolo é 2026"))
    await drain_all(services)
    [call] = sim.core.ledger.calls
    assert call.body["to"] == f"+{person.phone}"
    assert call.body["text"] == {"body": "Seu protocolo é 2026"}
    assert call.opaque == f"{message_id.hex}.1"
    row = await message(services, message_id)
    assert (row["state"], row["wamid"], row["attempt"]) == ("accepted", call.wamid, 1)
    assert row["accepted_at"] is not None
    key = await services.db.fetchrow("SELECT message_id, created_at FROM message_key WHERE wamid = $1", call.wamid)
    assert key["message_id"] == message_id and key["created_at"] == row["created_at"]
    event = await services.db.fetchrow(
        "SELECT payload, aggregate_version FROM events WHERE type = 'message.state_changed'"
    )
    assert (event["payload"]["from_state"], event["payload"]["to_state"]) == ("claimed", "accepted")
    assert event["aggregate_version"] == row["version"]


async def test_hundreds_of_messages_are_all_accepted_once(services: Services, number_id: UUID, sim: Simulator) -> None:
    people = await add_people(services, number_id, 150)
    ids = [i for person in people for i in await queue(services, person, text("um"), text("dois"))]
    await drain_all(services)
    assert set(await states(services, ids)) == {"accepted"}
    assert sim.core.ledger.accepted_calls == 300 and not sim.core.ledger.repeated()


async def test_one_persons_messages_leave_in_order_and_one_at_a_time(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    people = await add_people(services, number_id, 4)
    for person in people:
        await queue(services, person, *(text(f"{n}") for n in range(6)))
    sim.core.faults.add(Fault("delay", seconds=0.02))
    await drain_all(services)
    for person in people:
        calls = [call for call in sim.core.ledger.calls if call.address == f"+{person.phone}"]
        assert [call.body["text"]["body"] for call in calls] == ["0", "1", "2", "3", "4", "5"]
        gaps = [after.at - before.at for before, after in pairwise(calls)]
        assert min(gaps) >= 0.02, "a message left before the one before it was answered"


async def test_people_are_answered_before_bots_notices_and_campaigns(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    async with services_with(settings, outbox_shards=1, send_concurrency=1) as services:
        people = await add_people(services, number_id, 8)
        for priority, pair in zip((3, 2, 1, 0), zip(people[::2], people[1::2], strict=True), strict=True):
            for person in pair:
                await queue(services, person, text(f"prioridade {priority}", priority=priority))
        await drain_all(services)
    assert called(sim) == [f"prioridade {priority}" for priority in (0, 0, 1, 1, 2, 2, 3, 3)]


async def test_a_reply_does_not_wait_behind_a_campaigns_message_that_must_be_tried_again(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    sim.core.faults.add(Fault("error", code=4, times=1))
    [first] = await queue(services, person, text("promoção", category="marketing", priority=3))
    await drain_all(services)
    [reply, second] = await queue(
        services,
        person,
        text("Olá, sou a Bia", priority=0, author="agent"),
        text("mais promoção", category="marketing", priority=3),
    )
    await drain_all(services)
    assert await states(services, [first, reply, second]) == ["queued", "accepted", "queued"]


async def test_the_wa_id_is_called_exactly_as_it_was_received(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(
        services, number_id, 1, identities=[("phone", "+5531987654321"), ("wa_id", "553187654321")]
    )
    await queue(services, person, text())
    await drain_all(services)
    assert sim.core.ledger.calls[0].body["to"] == "+553187654321"


async def test_a_person_known_by_bsuid_only_is_called_in_recipient_and_never_in_to(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [user] = sim.core.world.register([NewUser("5511987650001", hides_phone=True)])
    [person] = await add_people(services, number_id, 1, identities=[("bsuid", user.bsuids[PORTFOLIO_ID])])
    [message_id] = await queue(services, person, text())
    await drain_all(services)
    [call] = sim.core.ledger.calls
    assert call.body["recipient"] == user.bsuids[PORTFOLIO_ID] and "to" not in call.body
    assert await states(services, [message_id]) == ["accepted"]


async def test_a_first_contact_by_phone_teaches_us_how_meta_spells_it(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    sim.core.world.register([NewUser("5531987654321", wa_id="553187654321")])
    [person] = await add_people(services, number_id, 1, identities=[("phone", "+5531987654321")])
    await queue(services, person, text())
    await drain_all(services)
    assert sim.core.ledger.calls[0].body["to"] == "+5531987654321"
    stored = await services.db.fetchval(
        "SELECT value FROM customer_identities WHERE customer_id = $1 AND kind = 'wa_id'", person.id
    )
    assert stored == "553187654321"


async def test_outside_the_24_h_window_only_a_template_goes_out(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    people = await add_people(services, number_id, 2, spoke=timedelta(hours=24, seconds=1))
    [silent] = await add_people(services, number_id, 1, spoke=None, first=10)
    [late] = await queue(services, people[0], text())
    [never] = await queue(services, silent, text())
    [notice] = await queue(services, people[1], template())
    await drain_all(services)
    assert await states(services, [late, never]) == ["failed", "failed"]
    row = await message(services, late)
    assert row["error_code"] == 131047 and "window closed" in row["error_title"] and row["attempt"] == 0
    assert [call.type for call in sim.core.ledger.calls] == ["template"]
    assert await states(services, [notice]) == ["accepted"]
    events = await services.db.fetch("SELECT aggregate_id, payload FROM events WHERE payload ->> 'to_state' = 'failed'")
    assert {event["aggregate_id"] for event in events} >= {late, never}
    assert all(e["payload"]["from_state"] == "queued" for e in events if e["aggregate_id"] in (late, never))


async def test_a_scheduled_message_waits_for_its_time(services: Services, number_id: UUID, sim: Simulator) -> None:
    [person] = await add_people(services, number_id, 1)
    later, now = await queue(services, person, text("depois"), text("agora"))
    await services.db.execute(
        "UPDATE messages SET not_before = now() + interval '1 hour' WHERE id = $1 AND state = 'queued'", later
    )
    await drain_all(services)
    assert await states(services, [later, now]) == ["queued", "accepted"]
    await services.db.execute("UPDATE messages SET not_before = now() WHERE id = $1", later)
    await drain_all(services)
    assert called(sim) == ["agora", "depois"]


async def test_what_waited_a_day_past_its_time_fails_instead_of_arriving_late(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    [message_id] = await queue(services, person, template())
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    await services.db.execute("UPDATE messages SET created_at = $2 WHERE id = $1", message_id, yesterday)
    await drain_all(services)
    assert await states(services, [message_id]) == ["failed"] and not sim.core.ledger.calls


async def test_a_message_without_a_number_of_ours_fails_with_the_reason(services: Services, sim: Simulator) -> None:
    [person] = await add_people(services, None, 1)
    [message_id] = await queue(services, person, text())
    await drain_all(services)
    row = await message(services, message_id)
    assert row["state"] == "failed" and "no WhatsApp number" in row["error_title"]


async def test_a_call_that_meta_accepted_but_never_answered_stays_unknown_and_is_not_sent_again(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    async with services_with(settings, send_timeout_s=1.0) as services:
        [person] = await add_people(services, number_id, 1)
        sim.core.faults.add(Fault("timeout", times=1))
        [message_id] = await queue(services, person, text("um"))
        await drain_all(services)
        assert await states(services, [message_id]) == ["unknown"]
        await drain_all(services)
        assert sim.core.ledger.counts([message_id.hex]) == {message_id.hex: 1}
        wamid = next(call.wamid for call in sim.core.ledger.calls if call.opaque.startswith(message_id.hex))
        async with services.transaction() as tx:
            update = statuses.StatusUpdate(wamid, "delivered", datetime.now(UTC), f"{message_id.hex}.1")
            await statuses.apply(tx, [update])
        assert await states(services, [message_id]) == ["delivered"]


async def test_a_connection_lost_before_meta_took_the_message_is_unknown_too(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    sim.core.faults.add(Fault("drop_before", times=1))
    [message_id] = await queue(services, person, text())
    await drain_all(services)
    assert await states(services, [message_id]) == ["unknown"] and sim.core.ledger.accepted_calls == 0


async def test_without_a_connection_messages_go_back_and_leave_once_when_it_returns(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    async with services_with(settings, meta_base_url=f"http://127.0.0.1:{free_port()}") as cut_off:
        people = await add_people(cut_off, number_id, 5)
        ids = [i for person in people for i in await queue(cut_off, person, text())]
        await drain_all(cut_off)
        assert await states(cut_off, ids) == ["queued"] * 5
        row = await message(cut_off, ids[0])
        assert row["not_before"] > datetime.now(UTC) - timedelta(seconds=1) and "no connection" in row["error_title"]
    async with services_with(settings) as services:

        async def all_sent() -> bool:
            await drain_all(services)
            return set(await states(services, ids)) == {"accepted"}

        await eventually(all_sent)
        assert (await message(services, ids[0]))["error_title"] is None
    assert set(sim.core.ledger.counts(i.hex for i in ids).values()) == {1}


async def test_two_workers_on_one_shard_send_each_message_once(
    settings: Settings, services: Services, number_id: UUID, sim: Simulator
) -> None:
    people = await add_people(services, number_id, 30)
    ids = [i for person in people for i in await queue(services, person, text("um"), text("dois"), text("três"))]
    async with services_with(settings) as other:
        await asyncio.gather(drain_all(services), drain_all(other), drain_all(services))
        await drain_all(other)
    assert set(await states(services, ids)) == {"accepted"}
    assert sim.core.ledger.accepted_calls == len(ids) and not sim.core.ledger.repeated()
    for person in people:
        texts = [c.body["text"]["body"] for c in sim.core.ledger.calls if c.address == f"+{person.phone}"]
        assert texts == ["um", "dois", "três"]


async def test_a_status_that_overtakes_the_answer_wins_and_the_wamid_is_kept(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    [message_id] = await queue(services, person, text())
    sim.core.faults.add(Fault("delay", seconds=0.4, times=1))
    draining = asyncio.create_task(drain_all(services))
    await eventually(lambda: states(services, [message_id]), timeout_s=5)
    await eventually(lambda: is_claimed(services, message_id))
    async with services.transaction() as tx:
        update = statuses.StatusUpdate("wamid.OVERTAKES", "sent", datetime.now(UTC), f"{message_id.hex}.1")
        await statuses.apply(tx, [update])
    await draining
    row = await message(services, message_id)
    assert row["state"] == "sent" and row["accepted_at"] is not None
    assert row["wamid"] == sim.core.ledger.calls[0].wamid


async def is_claimed(services: Services, message_id: UUID) -> bool:
    """Whether the message is being sent."""
    return await states(services, [message_id]) == ["claimed"]


async def test_a_status_parked_before_its_wamid_was_stored_is_applied_with_the_acceptance(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    [message_id] = await queue(services, person, text())
    sim.core.faults.add(Fault("timeout", seconds=0.4, times=1))  # Meta has it, and answers later
    draining = asyncio.create_task(drain_all(services))
    call = await eventually(lambda: sim.core.ledger.calls and sim.core.ledger.calls[0])
    async with services.transaction() as tx:  # failed statuses carry no opaque id: only the wamid can place them
        await statuses.apply(tx, [statuses.StatusUpdate(call.wamid, "delivered", datetime.now(UTC))])
    await draining
    assert await states(services, [message_id]) == ["delivered"]
    assert await services.db.fetchval("SELECT count(*) FROM parked_status") == 0


async def test_a_held_template_is_recorded_as_held(services: Services, number_id: UUID, sim: Simulator) -> None:
    [person] = await add_people(services, number_id, 1)
    answer = '{"contacts":[],"messages":[{"id":"wamid.H","message_status":"held_for_quality_assessment"}]}'
    sim.core.faults.add(Fault("http", status=200, body=answer, times=1))
    [message_id] = await queue(services, person, template())
    await drain_all(services)
    row = await message(services, message_id)
    assert (row["state"], row["wamid"]) == ("held", "wamid.H")


async def test_answers_without_meaning_leave_the_outcome_unknown(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    answers = [(200, "{}"), (200, "não é JSON"), (502, "<html>Bad Gateway</html>"), (200, '{"messages":[{"id":7}]}')]
    people = await add_people(services, number_id, len(answers))
    ids = []
    for person, (status, body) in zip(people, answers, strict=True):
        sim.core.faults.add(Fault("http", status=status, body=body, user=person.phone))
        ids += await queue(services, person, text())
    await drain_all(services)
    assert await states(services, ids) == ["unknown"] * 4


async def test_a_bare_429_of_a_proxy_is_a_refusal_and_tried_again(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    sim.core.faults.add(Fault("http", status=429, body="slow down", times=1))
    [message_id] = await queue(services, person, text())
    await drain_all(services)
    row = await message(services, message_id)
    assert row["state"] == "queued" and row["not_before"] > datetime.now(UTC) + timedelta(seconds=10)


async def test_a_claim_that_could_not_be_called_within_a_second_is_given_back_uncalled(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    async with services_with(settings, outbox_shards=1, send_concurrency=1, send_timeout_s=5.0) as services:
        first, second = await add_people(services, number_id, 2)
        sim.core.faults.add(Fault("delay", seconds=1.3, user=first.phone))
        ids = await queue(services, first, text()) + await queue(services, second, text())
        await sender.drain(services, 0)
        row = await message(services, ids[1])
        assert (row["state"], row["attempt"]) == ("queued", 0), "called later than a second after its claim"
        await drain_all(services)
        assert await states(services, ids) == ["accepted", "accepted"]
    assert [call.opaque[-2:] for call in sim.core.ledger.calls] == [".1", ".1"]


async def test_the_rate_of_a_number_stays_within_its_limit(settings: Settings, sim: Simulator) -> None:
    sim.core.set_limits(["throughput"])
    async with services_with(settings) as services:
        number_id = await add_our_number(services, throughput_mps=50)
        sim.core.world.numbers["106540000000001"].mps = 50
        people = await add_people(services, number_id, 90)
        ids = [i for person in people for i in await queue(services, person, text())]
        began = time.monotonic()
        await asyncio.gather(drain_all(services), drain_all(services))
        await drain_all(services)
        took = time.monotonic() - began
        assert set(await states(services, ids)) == {"accepted"}
    assert sim.core.ledger.refusals == {}
    assert took >= 90 / 50, "faster than Meta allows"
    busiest = max(
        sum(1 for other in sim.core.ledger.calls if call.at <= other.at < call.at + 1) for call in sim.core.ledger.calls
    )
    assert busiest <= 50


async def test_without_redis_sending_goes_on_slowly(settings: Settings, number_id: UUID, sim: Simulator) -> None:
    from pydantic import SecretStr

    away = SecretStr(f"redis://127.0.0.1:{free_port()}/0")
    async with services_with(settings, redis_url=away) as services:
        people = await add_people(services, number_id, 6)
        ids = [i for person in people for i in await queue(services, person, text())]
        began = time.monotonic()
        while set(await states(services, ids)) != {"accepted"}:
            await drain_all(services)
            assert time.monotonic() - began < 20
        assert time.monotonic() - began >= 6 / 5 - 0.5, "faster than the fallback allows"
    assert not sim.core.ledger.repeated()


async def test_an_opt_out_committed_in_mid_queue_stops_what_was_not_claimed(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    async with services_with(settings, outbox_shards=1, send_concurrency=2) as services:
        people = await add_people(services, number_id, 40)
        ids = [i for p in people for i in await queue(services, p, text("promo", category="marketing", priority=3))]
        sim.core.faults.add(Fault("delay", seconds=0.02))
        draining = asyncio.create_task(drain_all(services))
        await eventually(lambda: sim.core.ledger.accepted_calls >= 6)
        leaver, leaving = people[-1], ids[-1]
        async with services.transaction() as tx:
            await opt_out(tx, leaver)
        committed = time.time()
        await draining
        assert await states(services, [leaving]) == ["cancelled"]
        assert set(await states(services, ids[:-1])) == {"accepted"}
    assert not [c for c in sim.core.ledger.calls if c.address == f"+{leaver.phone}" and c.at > committed]


async def test_a_suppression_found_at_the_claim_cancels_marketing_and_lets_service_pass(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    ids = await queue(services, person, template("oferta_fibra", "marketing"), text("Sua fatura", category="service"))
    await services.db.execute(
        "INSERT INTO suppressions (customer_id, scope, reason) VALUES ($1, 'marketing', 'imported')", person.id
    )
    await drain_all(services)
    assert await states(services, ids) == ["cancelled", "accepted"]
    row = await message(services, ids[0])
    assert "wants no marketing" in row["error_title"] and "imported" in row["error_title"]
    [event] = await services.db.fetch("SELECT payload FROM events WHERE payload ->> 'to_state' = 'cancelled'")
    assert event["payload"]["from_state"] == "queued"


async def test_an_opt_out_under_way_keeps_its_customer_out_of_the_claim(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    staying, leaving = await add_people(services, number_id, 2)
    [stays] = await queue(services, staying, text("promo", category="marketing", priority=3))
    [leaves] = await queue(services, leaving, text("promo", category="marketing", priority=3))
    # As an insert into the ledger alone would hold the customer: the foreign key's lock, nothing stronger.
    async with services.db.acquire() as db, db.transaction():
        await db.execute(
            "INSERT INTO consent_ledger (id, customer_id, scope, granted, source, occurred_at) "
            "VALUES ($1, $2, 'marketing', false, 'api', now())",
            uuid7(),
            leaving.id,
        )
        await db.execute(
            "INSERT INTO suppressions (customer_id, scope, reason) VALUES ($1, 'marketing', 'api')", leaving.id
        )
        for shard in {staying.shard, leaving.shard}:
            await sender.drain(services, shard)
        assert await states(services, [stays, leaves]) == ["accepted", "queued"]
    await drain_all(services)
    assert await states(services, [leaves]) == ["cancelled"]
    assert sim.core.ledger.accepted_calls == 1


async def opt_out(tx: Any, person: Person) -> None:
    """What handling does with SAIR."""
    await consent.record(
        tx,
        person.id,
        "marketing",
        granted=False,
        source="customer_message",
        evidence={"message_id": str(uuid7())},
        occurred_at=datetime.now(UTC),
    )


async def test_a_message_of_a_merged_customer_goes_to_the_person_it_was_merged_into(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    survivor, merged = await add_people(services, number_id, 2)
    [message_id] = await queue(services, merged, text())
    await services.db.execute("UPDATE customer_identities SET valid_to = now() WHERE customer_id = $1", merged.id)
    await services.db.execute(
        "UPDATE customers SET status = 'merged', merged_into = $2 WHERE id = $1", merged.id, survivor.id
    )
    await drain_all(services)
    assert await states(services, [message_id]) == ["accepted"]
    assert sim.core.ledger.calls[0].address == f"+{survivor.phone}"


async def test_what_fails_beside_a_claim_leaves_nothing_claimed_that_nobody_calls(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    (late,) = await add_people(services, number_id, 1, spoke=timedelta(hours=25))
    (person,) = await add_people(services, number_id, 1, first=1)
    (gone,) = await queue(services, late, text("tarde demais"))
    (wanted,) = await queue(services, person, text("na hora"))
    await services.db.execute("UPDATE messages SET shard = 0")
    await services.db.execute(
        "CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = 'deadlock_detected'; END $$"
    )
    await services.db.execute(
        "CREATE TRIGGER collide BEFORE UPDATE ON messages FOR EACH ROW WHEN (NEW.state = 'failed') EXECUTE FUNCTION collide()"
    )
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await sender.drain(services, 0)
    assert await states(services, [gone, wanted]) == ["queued", "queued"]
    await services.db.execute("DROP TRIGGER collide ON messages")
    await drain_all(services)
    assert await states(services, [gone, wanted]) == ["failed", "accepted"]


async def test_a_claim_of_a_dead_sender_becomes_unknown_and_never_queued(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    people = await add_people(services, number_id, 2)
    ids = [i for person in people for i in await queue(services, person, text())]
    for message_id, age in zip(ids, (61, 30), strict=True):
        await services.db.execute(
            "UPDATE messages SET state = 'claimed', attempt = 1, claimed_at = now() - make_interval(secs => $2) "
            "WHERE id = $1",
            message_id,
            float(age),
        )
    assert await outbox.recover_stale_claims(services) == 1
    await drain_all(services)
    assert await states(services, ids) == ["unknown", "claimed"]
    assert not sim.core.ledger.calls


async def test_a_claim_looks_again_at_every_opt_out_that_came_after_its_decision(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    cases = [
        (scope, category)
        for scope in ("marketing", "utility", "all")
        for category in ("marketing", "utility", "service", "authentication")
    ]
    people = await add_people(services, number_id, len(cases))
    for (scope, category), person in zip(cases, people, strict=True):
        [message_id] = await queue(services, person, text(category=category))
        head = ([1], [person.shard], [number_id], [1], 1)
        [row] = await services.db.fetch(outbox.queries.candidates, *head)
        assert row["id"] == message_id and isinstance(decide(row), Send)
        await services.db.execute(
            "INSERT INTO suppressions (customer_id, scope, reason) VALUES ($1, $2, 'api')", person.id, scope
        )
        ids, times, low, high = outbox.keys([row])
        claimed = await services.db.fetch(outbox.queries.claim, ids, times, [person.id], [None], low, high)
        [again] = await services.db.fetch(outbox.queries.candidates, *head) or [None]
        stopped = not claimed
        assert stopped == (category in ("marketing", "utility") and scope in (category, "all")), (scope, category)
        assert stopped == (again is not None and isinstance(decide(again), Drop)), "claim and decision disagree"
        await services.db.execute("DELETE FROM messages")
    assert not sim.core.ledger.calls
