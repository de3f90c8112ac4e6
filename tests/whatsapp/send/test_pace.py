"""No schedule of sends breaks a limit: the pure functions, the script in Valkey and the claim in PostgreSQL, by chance."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.platform.services import Services
from hub_api.simulator.limits import take_pair
from hub_api.simulator.model import Pair
from hub_api.whatsapp.send import outbox
from hub_api.whatsapp.send.buckets import Buckets, Granted, Want, count_inbound
from hub_api.whatsapp.send.pace import AHEAD_S, Pace, fresh, pace_of, pair_free_at, reserve
from tests.support.sending import add_people, queue, template, text

HEADROOM = ((20, 0.2), (80, 0.15), (1000, 0.1))
LEVELS = st.sampled_from([1, 5, 20, 50, 80, 1000])
# Engines are the session's: each example brings people or numbers of its own.
REAL = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def busiest_second(times: Sequence[float]) -> int:
    """The most moments within any second, wherever it begins."""
    ordered, start, most = sorted(times), 0, 0
    for end, at in enumerate(ordered):
        while at - ordered[start] >= 1 - 1e-9:
            start += 1
        most = max(most, end - start + 1)
    return most


@given(
    mps=LEVELS,
    speed=st.floats(0.05, 1),
    rounds=st.lists(
        st.tuples(st.floats(0, 0.7), st.integers(0, 30), st.integers(0, 400), st.integers(0, 40), st.booleans()),
        min_size=1,
        max_size=60,
    ),
)
@settings(deadline=None)
def test_no_schedule_begins_more_calls_in_a_second_than_the_number_may(
    mps: int, speed: float, rounds: list[tuple[float, int, int, int, bool]]
) -> None:
    pace = pace_of(mps, HEADROOM, speed)
    assert pace.main + pace.catch_up + pace.reply_rate + pace.reply_burst <= mps
    now, used = 1000.0, []
    line = fresh(pace, now)
    for gap, urgent, bulk, inbound, forgotten in rounds:
        now += gap
        if forgotten:
            line = fresh(pace, now)
        slots = reserve(line, pace, now, urgent, bulk)
        assert len(slots.urgent) <= urgent and len(slots.bulk) <= bulk
        assert all(0 <= slot <= AHEAD_S + 1e-6 for slot in slots.urgent + slots.bulk)
        used += [now + slot for slot in slots.urgent + slots.bulk]
        line.main = max(line.main, now) + inbound / pace.main
    assert busiest_second(used) <= mps


@given(mps=LEVELS, speed=st.floats(0.2, 1), gaps=st.lists(st.floats(0.01, 0.25), min_size=50, max_size=50))
@settings(deadline=None)
def test_bulk_gets_all_that_the_headroom_leaves_when_it_asks_often_enough(
    mps: int, speed: float, gaps: list[float]
) -> None:
    pace, now = pace_of(mps, HEADROOM, speed), 1000.0
    line, given_out = fresh(pace, now), 0
    for gap in gaps:
        now += gap
        given_out += len(reserve(line, pace, now, 0, 10_000).bulk)
    # The first slot of a schedule nobody remembers comes one slot after the horizon.
    assert given_out >= pace.main * speed * sum(gaps) - speed - 1


def slots_of(want: Want, granted: Granted) -> list[float]:
    """Bulk slots in microseconds of Valkey's clock, exactly as it keeps them."""
    spacing = 1_000_000 / want.pace.main / want.pace.speed
    count = len(granted.slots.bulk)
    return [float(granted.end) - spacing * (count - n) for n in range(count)]


@given(
    mps=st.sampled_from([20, 80, 1000]),
    steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(1, 60), st.sampled_from("----if"))),
)
@REAL
async def test_two_processes_never_get_slots_closer_than_the_pace_even_when_valkey_forgets(
    services: Services, mps: int, steps: list[tuple[int, int, int, str]]
) -> None:
    number = f"{datetime.now(UTC).timestamp()}"
    pace = pace_of(mps, HEADROOM)
    processes, slots = (Buckets(services.redis), Buckets(services.redis)), []
    for process, urgent, bulk, also in steps:
        if also == "f":
            await services.redis.delete(f"pace:{number}")
        elif also == "i":
            await count_inbound(services.redis, {number: 3})
        want = Want(number, pace, urgent, bulk)
        granted = (await processes[process].reserve([want]))[number]
        assert len(granted.slots.urgent) <= pace.reply_burst + pace.reply_rate + pace.main * AHEAD_S + pace.catch_up + 1
        slots += slots_of(want, granted)
    assert slots == sorted(slots)
    assert all(later - earlier >= 1_000_000 / pace.main - 3 for earlier, later in pairwise(slots))


@given(
    attempts=st.lists(
        st.tuples(st.one_of(st.floats(0, 0.5), st.floats(0, 20), st.floats(0, 400)), st.floats(0, 0.99)), max_size=150
    )
)
@settings(deadline=None)
def test_no_schedule_of_claims_is_too_much_for_one_person(attempts: list[tuple[float, float]]) -> None:
    """Whatever the claims' times, and up to a second between claim and call: Meta refuses none of them."""
    start, meta = datetime(2026, 11, 26, tzinfo=UTC), Pair()
    now, burst_at, count = 0.0, None, None
    for gap, call_after in attempts:
        now += gap
        at = start + timedelta(seconds=now)
        if pair_free_at(burst_at, count, at):
            continue
        if burst_at is not None and at < burst_at + timedelta(seconds=5) and count is not None:
            count += 1
        else:
            burst_at, count = at, 1
        now += call_after  # the next claim comes after this call: one message of a person at a time
        assert take_pair(meta, now)


@given(gaps=st.lists(st.sampled_from([0.0, 1.0, 4.0, 6.5, 7.5, 12.5, 60.0, 280.0]), min_size=5, max_size=40))
@REAL
async def test_the_claim_judges_a_pair_as_the_pure_rule_does(
    services: Services, number_id: UUID, gaps: list[float]
) -> None:
    await services.db.execute("TRUNCATE messages, outbox")
    await services.db.execute("DELETE FROM pair_pace")
    [person] = await add_people(services, number_id, 1, first=_next_person())
    for gap in gaps:
        await services.db.execute("UPDATE pair_pace SET burst_at = burst_at - make_interval(secs => $1)", gap)
        [message_id] = await queue(services, person, text())
        row = await services.db.fetchrow("SELECT id, created_at FROM messages WHERE id = $1", message_id)
        pace = await services.db.fetchrow("SELECT burst_at, burst_count, clock_timestamp() AS now FROM pair_pace")
        free_at = pair_free_at(pace["burst_at"], pace["burst_count"], pace["now"]) if pace else None
        ids, times, low, high = outbox.keys([row])
        claimed = await services.db.fetch(outbox.queries.claim, ids, times, [person.id], [number_id], [None], low, high)
        assert bool(claimed) == (free_at is None), (gap, pace)
        await services.db.execute("UPDATE messages SET state = 'failed' WHERE state = 'claimed'")


@given(
    limit=st.integers(1, 6),
    steps=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["accept", "refuse", "doubt"]), st.integers(0, 15)), max_size=25
    ),
)
@REAL
async def test_no_schedule_of_claims_is_too_much_for_the_portfolio(
    services: Services, number_id: UUID, limit: int, steps: list[tuple[int, str, int]]
) -> None:
    portfolio = await services.db.fetchval("SELECT portfolio_id FROM whatsapp_portfolios")
    for table in ("messages", "outbox", "pair_pace", "quota_ledger"):
        await services.db.execute(f"DELETE FROM {table}")
    await services.db.execute("UPDATE whatsapp_portfolios SET messaging_limit = $1, quota_used = 0", limit)
    people = await add_people(services, number_id, 10, spoke=None, first=_next_person())
    now, counted = 0.0, {}  # hours; person -> when they last counted
    for who, outcome, hours in steps:
        now += hours
        await services.db.execute("UPDATE quota_ledger SET counted_at = counted_at - make_interval(hours => $1)", hours)
        await services.db.execute(
            "UPDATE quota_ledger SET previous_at = previous_at - make_interval(hours => $1)", hours
        )
        await services.db.execute("DELETE FROM pair_pace")
        counted = {person: at for person, at in counted.items() if now - at < 24}
        [message_id] = await queue(services, people[who], template())
        row = await services.db.fetchrow("SELECT id, created_at FROM messages WHERE id = $1", message_id)
        ids, times, low, high = outbox.keys([row])
        [claim] = await services.db.fetch(
            outbox.queries.claim, ids, times, [people[who].id], [number_id], [portfolio], low, high
        )
        fits = who in counted or len(counted) < limit
        assert (claim["attempt"] is not None) == fits
        if not fits:
            assert claim["free_from"] > datetime.now(UTC)
            await services.db.execute("UPDATE messages SET state = 'cancelled' WHERE id = $1", message_id)
            continue
        if outcome == "refuse":
            await services.db.execute(outbox.queries.give_quota_back, [portfolio], [people[who].id], ids)
        else:
            counted[who] = now
        if outcome == "accept":
            await services.db.execute(outbox.queries.confirm_quota, [portfolio], [people[who].id], ids)
        await services.db.execute("UPDATE messages SET state = 'failed' WHERE id = $1", message_id)
        used = await services.db.fetchval("SELECT quota_used FROM whatsapp_portfolios")
        rows = await services.db.fetchval("SELECT count(*) FROM quota_ledger")
        assert used == rows and used >= len(counted)


_people = iter(range(2_000_000, 9_000_000, 100))


def _next_person() -> int:
    """Phones that no example before had."""
    return next(_people)


def test_a_level_without_a_share_of_its_own_takes_the_next_lower_ones() -> None:
    assert pace_of(80, HEADROOM) == Pace(68, 3, 3, 3)
    assert pace_of(20, HEADROOM) == Pace(16, 1, 1, 1)
    assert pace_of(1000, HEADROOM) == Pace(900, 25, 25, 25)
    assert pace_of(200, HEADROOM).main == 170 and pace_of(5, HEADROOM).main == 4
