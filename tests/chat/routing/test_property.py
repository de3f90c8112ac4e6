"""Routing whatever happens: arrivals, presence, transfers, endings, killed passes and two routers at once, on PostgreSQL."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub_api import roles
from hub_api.chat.agents.heartbeat import LOST_AFTER_S
from hub_api.chat.agents.presence import notice_lost, set_presence
from hub_api.chat.conversations import ForbiddenMove
from hub_api.chat.resolve import resolve
from hub_api.chat.routing.claim import serve_line
from hub_api.chat.routing.jobs import route
from hub_api.chat.transfer import transfer
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.services import Services
from hub_api.settings import Settings
from tests.chat.routing import lines

LINES = ("geral", "fibra")
PRESENCES = st.sampled_from(["online", "online", "away", "offline"])
which = st.integers(0, 1000)
CLEAN = (
    "TRUNCATE conversations, customers, agents, users, queues, assignments, messages, events, outbox, audit_log CASCADE"
)


class Routing(RuleBasedStateMachine):
    """One hub with two routers; every step ends with a pass, and then all rules hold."""

    one: Services
    two: Services
    runner: asyncio.Runner

    @initialize(capacities=st.lists(st.integers(1, 2), min_size=3, max_size=3))
    def begin(self, capacities):
        self.runner.run(self._begin(capacities))

    async def _begin(self, capacities):
        db = self.one.db
        await db.execute(CLEAN)
        self.queues = [
            await lines.add_queue(self.one, "geral"),
            await lines.add_queue(self.one, "fibra", skills={"fibra": 2}),
        ]
        skills = ({}, {"fibra": 2}, {"fibra": 5})
        self.agents = [await lines.add_agent(self.one, n, has) for n, has in zip(capacities, skills, strict=True)]
        self.talks = []
        self.since, self.before = datetime.now(UTC), {}

    def do(self, *acts, then=()):
        """The acts one after the other, then what happens all at once, and the pass that follows."""
        self.runner.run(self._do(acts, then))

    async def _do(self, acts, then):
        for act in acts:
            await act
        self.before, self.since = await lines.waiting(self.one), datetime.now(UTC)
        await asyncio.gather(*then)
        await route.function(self.one)

    @rule(queue=st.integers(0, 1), priorities=st.lists(st.integers(1, 3), min_size=1, max_size=4))
    def arrive(self, queue, priorities):
        self.do(then=[self._arrive(queue, one) for one in priorities])

    async def _arrive(self, queue, priority):
        self.talks.append(await lines.add_waiting(self.one, self.queues[queue], priority))

    @rule()
    def arrive_nowhere(self):
        self.do(self._nowhere())

    async def _nowhere(self):
        self.talks.append(await lines.add_waiting(self.one, None))

    @rule(agent=st.integers(0, 2), presence=PRESENCES)
    def change_presence(self, agent, presence):
        self.do(self._presence(agent, presence))

    async def _presence(self, agent, presence, services=None):
        async with (services or self.one).transaction() as tx:
            await set_presence(tx, self.agents[agent], presence)

    @rule(agent=st.integers(0, 2))
    def lose(self, agent):
        self.do(self._lose(agent))

    async def _lose(self, agent):
        gone = datetime.now(UTC) - timedelta(seconds=LOST_AFTER_S + 1)
        await self.two.db.execute(
            "UPDATE agent_heartbeats SET seen_at = $2 WHERE user_id = $1", self.agents[agent], gone
        )
        await notice_lost(self.two)

    @precondition(lambda self: self.talks)
    @rule(talk=which, queue=st.sampled_from(LINES))
    def hand_on(self, talk, queue):
        self.do(self._step(transfer, talk, queue))

    @precondition(lambda self: self.talks)
    @rule(talk=which)
    def end(self, talk):
        self.do(self._step(resolve, talk))

    async def _step(self, step, talk, *more):
        with suppress(ForbiddenMove):
            async with self.two.transaction() as tx:
                await step(tx, self.talks[talk % len(self.talks)], *more)

    @rule(delay_ms=st.integers(0, 40), queue=st.integers(0, 1), count=st.integers(1, 4))
    def kill_a_pass(self, delay_ms, queue, count):
        self.do(*self._much_to_do(queue, count), then=(self._killed(delay_ms), route.function(self.one)))

    def _much_to_do(self, queue, count):
        """People wait in both lines, and everybody is there: nobody has looked yet."""
        arrivals = [self._arrive(one, 1) for one in (queue, 1 - queue) for _ in range(count)]
        return [*arrivals, *(self._presence(agent, "online") for agent in range(3))]

    async def _killed(self, delay_ms):
        """A router whose connections to PostgreSQL die under it."""
        passing = asyncio.ensure_future(route.function(self.two))
        await asyncio.sleep(delay_ms / 1000)
        await self.one.db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hub-two' AND datname = current_database()"
        )
        with suppress(*RETRYABLE):
            await passing
        while not await self._all_answer():
            await asyncio.sleep(0)

    async def _all_answer(self):
        """Whether every connection of that router works: one that died is found out by who uses it next, who would fail."""
        try:
            await asyncio.gather(
                *(self.two.db.fetchval("SELECT pg_sleep(0.01)") for _ in range(self.two.db.get_max_size()))
            )
        except RETRYABLE:
            return False
        return True

    @rule(
        queue=st.integers(0, 1), count=st.integers(1, 4), agents=st.lists(st.integers(0, 2), max_size=2, unique=True),
        presence=PRESENCES, talks=st.lists(which, max_size=3), to=st.sampled_from(LINES),
    )  # fmt: skip
    def all_at_once(self, queue, count, agents, presence, talks, to):
        """Routers on both lines among arrivals, people who come and go, transfers and endings."""
        steps = [self._step(transfer, talk, to) if talk % 2 else self._step(resolve, talk) for talk in talks]
        people = [self._presence(agent, presence, self.two) for agent in agents]
        routers = [self._serve(self.one, queue), self._serve(self.two, 1 - queue), self._serve(self.two, queue)]
        arrivals = [self._arrive(queue, 1), self._arrive(queue, 2)]
        self.do(*self._much_to_do(queue, count), then=(*routers, *steps, *people, *arrivals))

    async def _serve(self, services, queue):
        row = await services.db.fetchrow("SELECT * FROM queues WHERE id = $1", self.queues[queue])
        more = True
        while more:
            _, more = await serve_line(services, row)

    @invariant()
    def all_rules_hold(self):
        if hasattr(self, "talks"):
            self.runner.run(self._check())

    async def _check(self):
        await lines.owned_by_one(self.one)
        await lines.within_capacity(self.one)
        await lines.nobody_left_behind(self.one)
        await lines.in_order(self.one, self.before, self.since)


def test_no_race_gives_a_conversation_twice_or_leaves_one_behind(settings: Settings):
    with asyncio.Runner() as runner:
        opened = [roles.services(settings, name) for name in ("one", "two")]
        Routing.runner = runner
        Routing.one, Routing.two = (runner.run(one.__aenter__()) for one in opened)
        try:
            run_state_machine_as_test(
                Routing,
                settings=how(
                    max_examples=10,
                    stateful_step_count=15,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            for one in reversed(opened):
                runner.run(one.__aexit__(None, None, None))
