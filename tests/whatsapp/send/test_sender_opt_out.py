"""An opt-out against the claim: before it, under way beside it, after its decision."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.chat import consent
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.send import outbox, sender
from hub_api.whatsapp.send.decide import Drop, Send, decide
from tests.support.sending import (
    Person,
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
        claimed = await services.db.fetch(outbox.queries.claim, ids, times, [person.id], [number_id], [None], low, high)
        [again] = await services.db.fetch(outbox.queries.candidates, *head) or [None]
        stopped = not claimed
        assert stopped == (category in ("marketing", "utility") and scope in (category, "all")), (scope, category)
        assert stopped == (again is not None and isinstance(decide(again), Drop)), "claim and decision disagree"
        await services.db.execute("TRUNCATE messages, outbox")
    assert not sim.core.ledger.calls
