"""The sender against the simulator, over HTTP: what leaves, in which order, and what is written down."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.config import PORTFOLIO_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from hub_api.whatsapp.send.sender import drain
from tests.support.process import free_port
from tests.support.sending import (
    add_our_number,
    add_people,
    called,
    drain_all,
    message,
    queue,
    services_with,
    states,
    template,
    text,
)


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


async def test_a_run_whose_time_is_over_leaves_its_last_calls_to_the_process(
    services: Services, settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    await services.db.execute("UPDATE whatsapp_numbers SET throughput_mps = 20")
    people = await add_people(services, number_id, 60)
    ids = [i for person in people for i in await queue(services, person, text(category="utility"))]
    async with services_with(settings) as process:
        assert await drain(process, people[0].shard), "there is more than a second's worth"
        assert "claimed" in await states(services, ids), "slots are given out ahead, and their calls go on"
    ended = await states(services, ids)
    assert set(ended) == {"accepted", "queued"}, "the end of the process waits for its calls and records them"
    assert ended.count("accepted") == len(called(sim))
    await drain_all(services)
    assert set(await states(services, ids)) == {"accepted"} and len(called(sim)) == len(ids)
