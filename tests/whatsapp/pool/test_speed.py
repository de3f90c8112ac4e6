"""The speed policy over days of synthetic feedback, and applied to numbers."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
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
    """A number at 64 messages a second of which some go wrong, looked at every five minutes."""

    seed: int = 1
    at: datetime = START
    speed: Speed = field(default_factory=Speed)
    ticks: list[Window] = field(default_factory=list)
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
        chance = random.Random(self.seed + len(self.ticks))
        for _ in range(round(timedelta(hours=hours) / TICK)):
            sent = round(per_tick * self.speed.factor)
            drawn = [sum(chance.random() < rate for _ in range(sent)) for rate in (errors, blocks, opt_outs)]
            self.ticks.append(Window(sent, *drawn, delivered=sent, read=sent // 2))
            self.at += TICK
            self.speed = next_speed(self.speed, self.sum(1), self.sum(24), self.sum(168), quality, self.at)
            self.speeds.append(self.speed.factor)

    def sum(self, hours: int) -> Window:
        last = self.ticks[-12 * hours :]
        names = ("sent", "errors", "blocks", "opt_outs", "delivered", "read")
        return Window(**{name: sum(getattr(tick, name) for tick in last) for name in names})

    @property
    def turns(self) -> int:
        """How often the speed went from falling to rising or back."""
        moves = [b - a for a, b in pairwise(self.speeds) if a != b]
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
    assert world.speed.factor == 1.0 and world.turns == 1
    rises = [b / a for a, b in pairwise(world.speeds) if b > a]
    assert max(rises) <= STEP_UP + 1e-9, "it jumped up"


def test_a_rate_at_the_limit_makes_it_turn_once_a_day_at_most() -> None:
    for seed in range(5):
        world = World(seed)
        world.live(72, errors=0.10, opt_outs=0.02)
        assert world.turns <= 3, (seed, world.turns)


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
    assert next_speed(Speed(), few, few, few, "GREEN", START).factor == 1.0
    slow = Speed(0.5, START, START)
    day, week = Window(1000, delivered=1000, read=100), Window(7000, delivered=7000, read=4000)
    later = START + timedelta(hours=5)
    assert next_speed(slow, day, day, week, "GREEN", later) == slow
    assert next_speed(slow, day, week, week, "GREEN", later).factor > 0.5


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
        after = next_speed(speed, window, window, window, quality, at)
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
