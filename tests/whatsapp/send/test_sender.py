"""The sender against the simulator, over HTTP: what leaves, in which order, and what is written down."""

import asyncio
from datetime import timedelta
from uuid import UUID

from hub_api.platform.services import Services
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from tests.support.sending import add_people, drain_all, message, queue, states, template, text


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
