"""The sender's pace against a simulator that enforces Meta's limits: pairs, quotas, lanes, levels, a lost Valkey."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub_api import roles
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.config import PHONE_NUMBER_ID, PORTFOLIO_ID, WABA_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.accounts import add_number
from hub_api.whatsapp.send import sender
from tests.support.hub import make_settings
from tests.support.sending import (
    add_our_number,
    add_people,
    at_rest,
    drain_all,
    message,
    queue,
    states,
    template,
    text,
)
from tests.support.valkey import EmbeddedValkey
from tests.support.waiting import eventually

DAY = timedelta(days=1)


@asynccontextmanager
async def other_process(settings: Settings, **changes: Any) -> AsyncIterator[Services]:
    """Services with pools and callers of their own."""
    async with roles.services(settings.model_copy(update=changes), "test") as opened:
        yield opened


async def add_fleet(services: Services, sim: Simulator, count: int, mps: int) -> list[UUID]:
    """`count` numbers of the first account, at `mps` with us and at Meta, rested."""
    await add_our_number(services, throughput_mps=mps)
    ids = [str(int(PHONE_NUMBER_ID) + n) for n in range(count)]
    await at_rest(services, *ids)
    made = []
    for n, phone_number_id in enumerate(ids):
        sim.core.world.numbers[phone_number_id].mps = mps
        made.append(
            await add_number(
                services,
                waba_id=WABA_ID,
                phone_number_id=phone_number_id,
                display_phone_number=f"5511300{n:05d}",
                throughput_mps=mps,
            )
        )
    return made


async def drain_until(services: Services, ids: Sequence[UUID], wanted: set[str], timeout_s: float = 60) -> None:
    """Drain shards as the sweep would ring for them, until the messages are in one of the wanted states."""

    async def settled() -> bool:
        await drain_all(services)
        return set(await states(services, ids)) <= wanted

    await eventually(settled, timeout_s=timeout_s, every_s=0.05)


def busiest_second(sim: Simulator, phone_number_id: str) -> int:
    """The most calls that came from a number within any one second."""
    times = sorted(c.at for c in sim.core.ledger.calls if c.number_id == phone_number_id)
    return max(sum(1 for other in times[i:] if other < at + 1) for i, at in enumerate(times))


# --- pairs


async def test_a_burst_to_one_person_leaves_at_once_and_then_waits_as_if_it_had_been_paced(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    sim.core.set_limits(["pair", "throughput"])
    person, other = await add_people(services, number_id, 2)
    ids = await queue(services, person, *(text(f"{n}") for n in range(60)))
    [unaffected] = await queue(services, other, text("outra pessoa"))
    await drain_all(services)
    found = Counter(await states(services, ids))
    assert found["accepted"] >= 5 and found["accepted"] <= 45 and found["accepted"] + found["queued"] == 60
    assert await states(services, [unaffected]) == ["accepted"]
    first, later = [i for i, s in zip(ids, await states(services, ids), strict=True) if s == "queued"][:2]
    waits = await message(services, first)
    burst = await services.db.fetchrow("SELECT burst_at, burst_count FROM pair_pace WHERE customer_id = $1", person.id)
    assert burst["burst_count"] == found["accepted"]
    assert waits["put_off"] == "pair"
    assert waits["not_before"] == burst["burst_at"] + timedelta(seconds=6 * burst["burst_count"] + 1)
    assert (await message(services, later))["not_before"] is None, "one of a person's messages is looked at, not all"
    # The time passes, for us and at Meta: the next one goes, and it is the next in order.
    passed = timedelta(seconds=6 * burst["burst_count"] + 1)
    await services.db.execute("UPDATE pair_pace SET burst_at = burst_at - $1::interval", passed)
    await services.db.execute("UPDATE messages SET not_before = now() WHERE put_off = 'pair'")
    for user in sim.core.world.users.values():
        for pair in user.pairs.values():
            pair.burst_at -= passed.total_seconds()
    await drain_all(services)
    assert await states(services, [first]) == ["accepted"]
    assert (await message(services, first))["put_off"] is None
    texts = [int(c.body["text"]["body"]) for c in sim.core.ledger.calls if c.address == f"+{person.phone}"]
    assert texts == sorted(texts) and sim.core.ledger.refusals == {}


async def test_the_pair_limit_is_known_to_every_process_and_outlives_redis(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    sim.core.set_limits(["pair"])
    async with other_process(settings) as first, other_process(settings) as second:
        [person] = await add_people(first, number_id, 1)
        ids = await queue(first, person, *(text(f"{n}") for n in range(50)))
        await asyncio.gather(*(sender.drain(services, person.shard) for services in (first, second) for _ in range(2)))
        await first.redis.flushall()
        await eventually(lambda: _all_waiting(first, second, person.shard, ids), timeout_s=30)
    assert sim.core.ledger.refusals == {}, "a pair was called too often"
    assert not sim.core.ledger.repeated()


async def _all_waiting(first: Services, second: Services, shard: int, ids: Sequence[UUID]) -> bool:
    """Both processes look once more; whether the rest is put off."""
    await asyncio.gather(sender.drain(first, shard), sender.drain(second, shard))
    return bool(await first.db.fetchval("SELECT count(*) FROM messages WHERE put_off = 'pair'"))


# --- the portfolio's quota


async def test_two_processes_never_message_more_users_outside_the_window_than_the_portfolio_may(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    async with other_process(settings) as first, other_process(settings) as second:
        await first.db.execute("UPDATE whatsapp_portfolios SET messaging_limit = 25")
        cold = await add_people(first, number_id, 60, spoke=None)
        warm = await add_people(first, number_id, 10, first=100)
        ids = [i for p in cold for i in await queue(first, p, template())]
        replies = [i for p in warm for i in await queue(first, p, text(), template())]
        await asyncio.gather(drain_all(first), drain_all(second))
        await drain_all(first)
        found = Counter(await states(first, ids))
        assert found == {"accepted": 25, "queued": 35}
        assert set(await states(first, replies)) == {"accepted"}, "the window's messages count on no quota"
        waiting = await first.db.fetch("SELECT not_before - now() AS wait FROM messages WHERE put_off = 'quota'")
        assert len(waiting) == 35 and all(timedelta(minutes=50) < row["wait"] <= timedelta(hours=1) for row in waiting)
        assert await first.db.fetchval("SELECT quota_used FROM whatsapp_portfolios") == 25
        assert await first.db.fetchval("SELECT count(*) FROM quota_ledger WHERE message_id IS NULL") == 25
        # A day later ten places are free again; who counts already needs none.
        await first.db.execute(
            "UPDATE quota_ledger SET counted_at = counted_at - interval '24 hours' WHERE customer_id IN "
            "(SELECT customer_id FROM quota_ledger ORDER BY customer_id LIMIT 10)"
        )
        known = await first.db.fetchval("SELECT max(customer_id::text)::uuid FROM quota_ledger")
        [again] = await queue(first, next(p for p in cold if p.id == known), template())
        await first.db.execute("UPDATE messages SET not_before = now() WHERE put_off = 'quota'")
        await asyncio.gather(drain_all(first), drain_all(second))
        await drain_all(second)
        assert Counter(await states(first, ids)) == {"accepted": 35, "queued": 25}
        assert await states(first, [again]) == ["accepted"]
        assert await first.db.fetchval("SELECT quota_used FROM whatsapp_portfolios") == 25
    assert not sim.core.ledger.repeated()


async def test_a_refusal_gives_its_place_back_and_silence_keeps_it(
    settings: Settings, number_id: UUID, sim: Simulator
) -> None:
    async with other_process(settings, send_timeout_s=1.0) as services:
        await services.db.execute("UPDATE whatsapp_portfolios SET messaging_limit = 3")
        refused, silent, known, _ = await add_people(services, number_id, 4, spoke=None)
        earlier = datetime.now(UTC) - timedelta(hours=5)
        await services.db.execute(
            "INSERT INTO quota_ledger (portfolio_id, customer_id, counted_at) VALUES ($1, $2, $3)",
            PORTFOLIO_ID,
            known.id,
            earlier,
        )
        await services.db.execute("UPDATE whatsapp_portfolios SET quota_used = 1")
        sim.core.faults.add(Fault("error", code=132005, user=refused.phone))
        sim.core.faults.add(Fault("error", code=132005, user=known.phone))
        sim.core.faults.add(Fault("timeout", user=silent.phone))
        ids = [i for p in (refused, silent, known) for i in await queue(services, p, template())]
        await drain_all(services)
        assert await states(services, ids) == ["failed", "unknown", "failed"]
        rows = {r["customer_id"]: r for r in await services.db.fetch("SELECT * FROM quota_ledger")}
        assert set(rows) == {silent.id, known.id}
        assert rows[known.id]["counted_at"] == earlier and rows[known.id]["message_id"] is None
        assert await services.db.fetchval("SELECT quota_used FROM whatsapp_portfolios") == 2


# --- templates


async def test_of_a_template_that_meta_is_judging_only_a_small_share_goes_until_one_is_released(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    account = await services.db.fetchval("SELECT id FROM whatsapp_accounts")
    await services.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status) "
        "VALUES (gen_random_uuid(), $1, 'boas_vindas', 'pt_BR', 'UTILITY', 'APPROVED')",
        account,
    )
    people = await add_people(services, number_id, 60)
    answer = '{"contacts":[],"messages":[{"id":"wamid.H","message_status":"held_for_quality_assessment"}]}'
    sim.core.faults.add(Fault("http", status=200, body=answer, times=1))
    [held] = await queue(services, people[0], template())
    await drain_all(services)
    assert await states(services, [held]) == ["held"]
    ids = [i for p in people[1:] for i in await queue(services, p, template())]
    await drain_all(services)
    found = Counter(await states(services, ids))
    assert found["accepted"] <= 12 and found["queued"] >= 47, "most of it waits"
    assert await services.db.fetchval("SELECT count(*) FROM messages WHERE put_off = 'template'") == found["queued"]
    await services.db.execute("UPDATE messages SET state = 'delivered' WHERE id = $1", held)
    await services.db.execute("UPDATE messages SET not_before = now() WHERE put_off = 'template'")
    await drain_all(services)
    assert set(await states(services, ids)) == {"accepted"} and sim.core.ledger.counts([held.hex])[held.hex] <= 1


async def test_a_template_that_its_breaker_stopped_waits_until_then(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    until = datetime.now(UTC) + timedelta(minutes=7)
    await services.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status, stopped_until) "
        "SELECT gen_random_uuid(), id, 'boas_vindas', 'pt_BR', 'UTILITY', 'APPROVED', $1 FROM whatsapp_accounts",
        until,
    )
    [person] = await add_people(services, number_id, 1)
    notice, reply = await queue(services, person, template(), text("resposta"))
    await drain_all(services)
    row = await message(services, notice)
    assert (row["state"], row["put_off"], row["not_before"]) == ("queued", "template", until)
    assert await states(services, [reply]) == ["accepted"]


# --- lanes and levels


async def test_replies_on_any_shard_overtake_bulk_on_all_numbers(settings: Settings, sim_of_ten: Simulator) -> None:
    sim = sim_of_ten
    async with other_process(settings, meta_base_url=sim.url) as services:
        numbers = await add_fleet(services, sim, 10, 20)
        everybody = [await add_people(services, n, 150, first=1000 * i) for i, n in enumerate(numbers)]
        for people in everybody:
            for person in people:
                await queue(services, person, template())
        replies: list[UUID] = []
        stop = asyncio.Event()

        async def work() -> None:
            shard = 0
            while not stop.is_set():
                await sender.drain(services, shard)
                shard = (shard + 1) % settings.outbox_shards

        working = asyncio.create_task(work())
        await eventually(lambda: sim.core.ledger.accepted_calls > 50)
        for n in range(20):  # one after the other, as people answer
            people = everybody[n % 10]
            person = (await add_people(services, numbers[n % 10], 1, first=500_000 + n))[0]
            replies += await queue(services, person, text("resposta", priority=0, author="agent"))
            await asyncio.sleep(0.05)
            assert people
        await eventually(lambda: _accepted(services, replies))
        bulk_left = await services.db.fetchval("SELECT count(*) FROM messages WHERE state = 'queued'")
        stop.set()
        await working
        assert bulk_left > 100, "there was bulk to overtake all the time"
        waits = sorted(
            r["wait"]
            for r in await services.db.fetch(
                "SELECT extract(epoch FROM claimed_at - created_at)::float8 AS wait FROM messages WHERE id = ANY($1)",
                replies,
            )
        )
        assert waits[18] < 3.0, waits  # behind the bulk it would be nine seconds
    assert sim.core.ledger.refusals == {} and not sim.core.ledger.repeated()


async def _accepted(services: Services, ids: Sequence[UUID]) -> bool:
    return set(await states(services, ids)) == {"accepted"}


@pytest.fixture
async def sim_of_ten() -> AsyncIterator[Simulator]:
    """Ten numbers with Meta's throughput and pair limits."""
    from tests.support.simulator import test_config

    async with Simulator(test_config(enforce_limits=frozenset({"throughput", "pair"}), numbers=10)) as running:
        yield running


@pytest.mark.parametrize(("mps", "usable"), [(20, 16), (80, 68), (1000, 900)])
async def test_bulk_uses_what_the_headroom_leaves_and_inbound_messages_are_subtracted(
    settings: Settings, mps: int, usable: int
) -> None:
    from hub_api.whatsapp.send.buckets import Buckets, Want, count_inbound
    from hub_api.whatsapp.send.pace import pace_of

    assert pace_of(mps, settings.reply_headroom).main == usable
    async with other_process(settings) as services:
        await at_rest(services, "n")
        want = Want("n", pace_of(mps, settings.reply_headroom), 0, 10_000)
        buckets, began, slots = Buckets(services.redis), time.monotonic(), 0
        inbound = usable // 4  # a second
        told = 0
        asked = answered = lost = 0.0  # of the newest turn; Redis decided between the two
        while answered < 2.0:
            before, asked = asked, time.monotonic() - began
            slots += len((await buckets.reserve([want]))["n"].slots.bulk)
            answered = time.monotonic() - began
            lost += max(0.0, answered - before - 0.3)  # what nobody asks for in time is given to nobody
            if answered >= 1.0 and not told:
                told = inbound
                await count_inbound(services.redis, {"n": inbound})
            await asyncio.sleep(0.02)
        least, most = (usable * (passed + 0.3) - inbound for passed in (asked - lost, answered))
        assert 0.95 * least - 2 <= slots <= most + want.pace.catch_up + 2


async def test_a_valkey_that_loses_everything_in_mid_run_doubles_no_rate(
    database_url: str, sim_of_ten: Simulator
) -> None:
    sim = sim_of_ten
    with EmbeddedValkey() as valkey:
        settings = make_settings(database_url, valkey.url(), meta_base_url=sim.url, send_timeout_s=10.0)
        async with other_process(settings) as services:
            [number] = await add_fleet(services, sim, 1, 80)
            people = await add_people(services, number, 240)
            ids = [i for p in people for i in await queue(services, p, template())]
            draining = asyncio.create_task(drain_until(services, ids, {"accepted"}))
            await eventually(lambda: sim.core.ledger.accepted_calls > 60)
            await services.redis.flushall()
            await eventually(lambda: sim.core.ledger.accepted_calls > 100)
            valkey.kill9()
            await asyncio.sleep(0.5)
            valkey.start()
            await draining
    assert sim.core.ledger.refusals == {} and not sim.core.ledger.repeated()
    assert busiest_second(sim, PHONE_NUMBER_ID) <= 80
