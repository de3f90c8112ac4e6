"""Failover: what waits at a stopped number leaves from another, once and in order, and comes back when it heals."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub_api.chat.outgoing import Draft
from hub_api.platform.services import Services
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.accounts import add_number
from hub_api.whatsapp.pool import states as pool
from hub_api.whatsapp.pool.move import rebalance
from tests.support.sending import add_people, drain_all, queue, states, template, text

NOW = timedelta(0)


@pytest.fixture
async def others(services: Services, number_id: UUID, sim: Simulator) -> list[UUID]:
    """Two more numbers of the same account, known to Meta."""
    made = []
    for index in (2, 3):
        display, meta_id = f"55113000100{index}", f"10654000000000{index}"
        first = sim.core.world.numbers[PHONE_NUMBER_ID]
        sim.core.world.add_number(replace(first, id=meta_id, display=display))
        made.append(
            await add_number(
                services, waba_id=WABA_ID, phone_number_id=meta_id, display_phone_number=display, throughput_mps=1000
            )
        )
    return made


async def settle_stop(services: Services) -> None:
    """Let the time pass after which no claim can still have a stopped number's messages in hand."""
    await services.db.execute("UPDATE whatsapp_numbers SET state_at = state_at - interval '10 minutes'")


async def test_templates_of_a_stopped_number_move_and_replies_stay(
    services: Services, number_id: UUID, others: list[UUID], sim: Simulator
) -> None:
    people = await add_people(services, number_id, 12)
    templates = [
        i for person in people for i in await queue(services, person, template(), template("oferta_fibra", "marketing"))
    ]
    replies = [i for person in people for i in await queue(services, person, text())]
    await pool.pause(services, "test", number_id, reason="obra")
    assert await rebalance(services) == 0, "moved while a claim could still have them in hand"
    await settle_stop(services)
    assert await rebalance(services) == len(templates)
    assert await rebalance(services) == 0
    await drain_all(services)
    assert set(await states(services, templates)) == {"accepted"} and set(await states(services, replies)) == {"queued"}
    used = Counter(
        row["number_id"] for row in await services.db.fetch("SELECT number_id FROM messages WHERE type = 'template'")
    )
    assert set(used) == set(others) and min(used.values()) >= 8, "the two others did not share it"
    assert sim.core.ledger.accepted_calls == len(templates)


async def test_nothing_moves_where_no_other_number_can_send_or_the_account_is_stopped(
    services: Services, number_id: UUID, others: list[UUID]
) -> None:
    people = await add_people(services, number_id, 3)
    for person in people:
        await queue(services, person, template())
    for one in (number_id, *others):
        await pool.pause(services, "test", one, reason="obra")
    await settle_stop(services)
    assert await rebalance(services) == 0
    await pool.resume(services, "test", others[0])
    await services.db.execute("UPDATE whatsapp_accounts SET state = 'restricted'")
    assert await rebalance(services) == 0
    await services.db.execute("UPDATE whatsapp_accounts SET state = 'active'")
    assert await rebalance(services) == 3


async def test_what_was_moved_comes_back_when_the_number_heals(
    services: Services, number_id: UUID, others: list[UUID]
) -> None:
    people = await add_people(services, number_id, 5)
    ids = [i for person in people for i in await queue(services, person, template())]
    await pool.pause(services, "test", number_id, reason="obra")
    await settle_stop(services)
    assert await rebalance(services) == 5
    await pool.resume(services, "test", number_id)
    assert await rebalance(services) == 0, "thrown back at once"
    await settle_stop(services)
    assert await rebalance(services) == 5
    rows = await services.db.fetch("SELECT DISTINCT number_id, moved_from FROM messages WHERE id = ANY($1)", ids)
    assert [tuple(row) for row in rows] == [(number_id, None)]


async def test_a_template_with_an_uploaded_file_waits_at_the_number_that_has_the_file(
    services: Services, number_id: UUID, others: list[UUID]
) -> None:
    people = await add_people(services, number_id, 2)
    [plain] = await queue(services, people[0], template())
    header = {"type": "header", "parameters": [{"type": "document", "document": {"id": "990001"}}]}
    body = {"name": "boas_vindas", "language": {"code": "pt_BR"}, "components": [header]}
    [bound] = await queue(services, people[1], Draft("template", body, "fatura", category="utility", priority=2))
    await pool.pause(services, "test", number_id, reason="obra")
    await settle_stop(services)
    assert await rebalance(services) == 1
    rows = await services.db.fetch("SELECT id FROM messages WHERE number_id = $1", number_id)
    assert [row["id"] for row in rows] == [bound] and plain != bound


async def test_a_short_pause_is_waited_for(services: Services, number_id: UUID, others: list[UUID]) -> None:
    [person] = await add_people(services, number_id, 1)
    await queue(services, person, template())
    until = datetime.now(UTC) + timedelta(minutes=1)
    await pool.pause(services, "test", number_id, reason="131057", until=until)
    await settle_stop(services)
    assert await rebalance(services) == 0


async def test_a_draining_number_gives_its_templates_away_and_sends_its_replies(
    services: Services, number_id: UUID, others: list[UUID]
) -> None:
    people = await add_people(services, number_id, 4)
    templates = [i for person in people for i in await queue(services, person, template())]
    [reply] = await queue(services, people[0], text())
    await pool.drain(services, "test", number_id, reason="vai embora")
    await settle_stop(services)
    await rebalance(services)
    await drain_all(services)
    assert set(await states(services, [*templates, reply])) == {"accepted"}
    left = await services.db.fetch("SELECT id FROM messages WHERE number_id = $1", number_id)
    assert [row["id"] for row in left] == [reply]
    await pool.remove(services, "test", number_id, reason="foi embora")


async def test_numbers_that_stop_and_heal_while_all_sends_lose_and_double_nothing(
    services: Services, number_id: UUID, others: list[UUID], sim: Simulator
) -> None:
    """Senders, movers and operators at once: each message reaches Meta once, each customer's in the order queued."""
    people = await add_people(services, number_id, 40)
    ids = [i for _ in range(3) for person in people for i in await queue(services, person, template())]
    chance = random.Random(3)
    sending = asyncio.create_task(_until_accepted(services, ids))
    while not sending.done():
        victim = chance.choice([number_id, *others])
        await pool.pause(services, "test", victim, reason="falha")
        await services.db.execute(
            "UPDATE whatsapp_numbers SET state_at = now() - interval '3 seconds' WHERE id = $1", victim
        )
        await rebalance(services, healthy_for=NOW)
        await asyncio.sleep(0.05)
        await pool.resume(services, "test", victim)
        await rebalance(services, healthy_for=NOW)
    await sending
    assert set(await states(services, ids)) == {"accepted"}
    assert sim.core.ledger.accepted_calls == len(ids)
    rows = await services.db.fetch("SELECT customer_id, id FROM messages ORDER BY accepted_at, id")
    by_customer: dict[UUID, list[UUID]] = {}
    for row in rows:
        by_customer.setdefault(row["customer_id"], []).append(row["id"])
    assert all(order == sorted(order) for order in by_customer.values()), "a customer's messages were turned round"


async def _until_accepted(services: Services, ids: list[UUID], deadline_s: float = 60) -> None:
    async with asyncio.timeout(deadline_s):
        while set(await states(services, ids)) != {"accepted"}:
            await drain_all(services)
            await asyncio.sleep(0.02)
