"""The speed policy over days of synthetic feedback, and applied to numbers."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub_api.platform.services import Services
from hub_api.whatsapp.pool import tally
from hub_api.whatsapp.pool.speed import set_speeds
from hub_api.whatsapp.pool.speed_policy import CAPS, FLOOR, STEP_EVERY, STEP_UP, Speed, Window, next_speed
from hub_api.whatsapp.pool.tally import Tally

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
TICK = timedelta(minutes=5)


@dataclass
class World:
    """A number of which some messages go wrong, looked at every five minutes."""

    seed: int = 1
    at: datetime = START
    speed: Speed = field(default_factory=Speed)
    counted: list[np.ndarray] = field(default_factory=lambda: [np.zeros(6, dtype=int)])  # sums up to each tick
    speeds: list[float] = field(default_factory=list)

    def live(
        self,
        hours: float,
        *,
        errors: float = 0.0,
        blocks: float = 0.0,
        opt_outs: float = 0.0,
        quality: str = "GREEN",
        per_tick: int = 400,
    ) -> None:
        chance = np.random.default_rng([self.seed, len(self.speeds)])
        for _ in range(round(timedelta(hours=hours) / TICK)):
            sent = round(per_tick * self.speed.factor)
            drawn = [int(chance.binomial(sent, rate)) for rate in (errors, blocks, opt_outs)]
            self.counted.append(self.counted[-1] + np.array([sent, *drawn, sent, sent // 2]))
            self.at += TICK
            fell = (self.at - self.speed.fell_at) // timedelta(hours=1) if self.speed.fell_at else 168
            windows = [self.sum(hours) for hours in (1, 24, 168, min(fell, 168))]
            self.speed = next_speed(self.speed, *windows, quality, self.at)
            self.speeds.append(self.speed.factor)

    def sum(self, hours: int) -> Window:
        ticks = min(12 * hours, len(self.counted) - 1)
        return Window(*(int(count) for count in self.counted[-1] - self.counted[-1 - ticks]))


def turns(speeds: list[float]) -> int:
    """How often the speed went from falling to rising or back."""
    moves = [b - a for a, b in pairwise(speeds) if a != b]
    return sum((a < 0) != (b < 0) for a, b in pairwise(moves))


def test_a_bad_day_slows_the_number_and_good_days_bring_it_back_step_by_step() -> None:
    world = World()
    world.live(24, errors=0.02, blocks=0.01, opt_outs=0.003)
    assert set(world.speeds) == {1.0}, "usual losses slowed it"
    world.live(6, blocks=0.20)
    assert world.speed.factor < 0.1 and "bloqueios" in (world.speed.reason or "")
    fallen = world.speed.factor
    world.live(3)
    assert world.speed.factor <= fallen * STEP_UP, "recovered before it had been calm"
    world.live(48)
    assert world.speed.factor == 1.0 and turns(world.speeds) == 1
    rises = [b / a for a, b in pairwise(world.speeds) if b > a]
    assert max(rises) <= STEP_UP + 1e-9, "it jumped up"


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    errors=st.floats(0, 0.3),
    blocks=st.floats(0, 0.15),
    opt_outs=st.floats(0, 0.06),
    per_tick=st.sampled_from([1, 5, 20, 100, 400, 4000]),
)
@example(seed=1, errors=0.10, blocks=0.0, opt_outs=0.02, per_tick=400)
@example(seed=2, errors=0.05, blocks=0.025, opt_outs=0.01, per_tick=400)
@example(seed=3, errors=0.0, blocks=0.0, opt_outs=0.01, per_tick=20)
def test_steady_feedback_makes_it_turn_once_in_three_days_at_most(
    seed: int, errors: float, blocks: float, opt_outs: float, per_tick: int
) -> None:
    world = World(seed)
    world.live(9 * 24, errors=errors, blocks=blocks, opt_outs=opt_outs, per_tick=per_tick)
    for day in range(7):
        three_days = world.speeds[day * 288 : (day + 3) * 288]
        assert turns(three_days) <= 1, (day, three_days)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), rate=st.floats(0.08, 0.5), hours=st.integers(2, 48))
def test_whatever_slowed_it_once_that_is_over_it_comes_back_in_one_go(seed: int, rate: float, hours: int) -> None:
    world = World(seed)
    world.live(24)
    world.live(hours, blocks=rate)
    assert world.speed.factor < 1
    world.live(48)
    assert world.speed.factor == 1.0 and turns(world.speeds) == 1


def test_quality_caps_the_speed_at_once_and_its_recovery_is_gentle() -> None:
    world = World()
    world.live(1)
    world.live(1, quality="YELLOW")
    assert world.speeds[12] == CAPS["YELLOW"]
    world.live(2, quality="RED")
    assert world.speed.factor == CAPS["RED"]
    world.live(2)
    assert world.speed.factor == CAPS["RED"], "rose at once"
    world.live(40)
    assert world.speed.factor == 1.0


def test_few_bad_messages_prove_nothing_and_unread_ones_stop_the_recovery() -> None:
    few = Window(sent=10, errors=2)
    assert next_speed(Speed(), few, few, few, few, "GREEN", START).factor == 1.0
    slow = Speed(0.5, START, START)
    day, week = Window(1000, delivered=1000, read=100), Window(7000, delivered=7000, read=4000)
    later = START + timedelta(hours=5)
    assert next_speed(slow, day, day, week, day, "GREEN", later) == slow
    assert next_speed(slow, day, week, week, day, "GREEN", later).factor > 0.5


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3000),
            st.floats(0, 1),
            st.floats(0, 1),
            st.sampled_from(["GREEN", "YELLOW", "RED", "UNKNOWN"]),
        ),
        max_size=200,
    ),
    st.floats(FLOOR, 1.0),
)
def test_for_any_feedback_it_stays_within_bounds_and_steps_up_at_most_once_an_hour(
    feedback: list[tuple[int, float, float, str]], start: float
) -> None:
    speed, at = Speed(start), START
    for sent, errors, blocks, quality in feedback:
        window = Window(sent, int(sent * errors), int(sent * blocks))
        at += timedelta(minutes=20)
        after = next_speed(speed, window, window, window, window, quality, at)
        assert FLOOR <= after.factor <= 1
        if after.factor > speed.factor:
            assert after.factor <= speed.factor * STEP_UP + 1e-9 and after.factor <= CAPS.get(quality, 1.0)
            assert speed.changed_at is None or at - speed.changed_at >= STEP_EVERY
        speed = after


async def test_the_clock_slows_a_number_that_people_stop_and_leaves_the_other(
    services: Services, number_id: UUID
) -> None:
    async with services.transaction() as tx:
        await tally.count(tx, [Tally(number_id, "accepted", count=1000), Tally(number_id, "opt_out", count=80)])
    await set_speeds(services)
    row = await services.db.fetchrow("SELECT speed, speed_reason FROM whatsapp_numbers")
    assert row["speed"] < 0.5 and row["speed_reason"] == "pedidos de descadastro"
    await set_speeds(services)
    assert await services.db.fetchval("SELECT speed FROM whatsapp_numbers") == row["speed"], "two looks were two steps"


async def test_sums_keep_what_was_counted(services: Services, number_id: UUID) -> None:
    async with services.transaction() as tx:
        for _ in range(30):
            await tally.count(
                tx, [Tally(number_id, "accepted", "a/pt_BR", count=2), Tally(number_id, "failed", code=131026)]
            )
    await services.db.execute("UPDATE send_tally SET at = at - interval '10 minutes' * (ctid::text::point)[1]")
    for _ in range(3):
        await tally.add_up(services)
    rows = await services.db.fetch("SELECT outcome, sum(count) AS n FROM send_tally GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in rows] == [("accepted", 60), ("failed", 30)]
    assert await services.db.fetchval("SELECT count(*) FROM send_tally WHERE grain = 0") < 5
