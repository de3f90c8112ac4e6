"""What was claimed and may not have arrived: silence, lost connections, racing workers and statuses, dead senders."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from hub_api.chat import statuses
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.send import outbox, sender
from tests.support.process import free_port
from tests.support.sending import (
    add_people,
    drain_all,
    message,
    queue,
    services_with,
    states,
    template,
    text,
)
from tests.support.waiting import eventually


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
        given_back = "SELECT state = 'queued' AND attempt = 0 FROM messages WHERE id = $1"
        await eventually(
            lambda: services.db.fetchval(given_back, ids[1])
        )  # and not called later than a second after its claim
        await drain_all(services)
        assert await states(services, ids) == ["accepted", "accepted"]
    assert [call.opaque[-2:] for call in sim.core.ledger.calls] == [".1", ".1"]


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
