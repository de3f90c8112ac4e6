"""Routing case by case: who gets what and why, overflow, escalation, what is told, the external hook."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from hub_api import roles
from hub_api.chat.assign import assign
from hub_api.chat.routing.jobs import route, watch
from hub_api.chat.transfer import transfer
from hub_api.events import AgentPresenceChanged, ConversationOpened, ConversationStateChanged
from hub_api.flow import fan_out
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services
from hub_api.settings import Settings
from tests.chat.routing.lines import add_agent, add_queue, add_waiting, owner, state
from tests.support.hours import ALWAYS, awake_zone, closed_now
from tests.support.hub import make_settings


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """In a zone where what is always open is open now."""
    return make_settings(database_url, redis_url, timezone=awake_zone())


async def moves(services: Services) -> list[tuple[str, str | None]]:
    rows = await services.db.fetch(
        "SELECT type, payload ->> 'reason' AS reason FROM events WHERE aggregate_type = 'conversation' ORDER BY seq"
    )
    return [tuple(row) for row in rows]


async def test_an_assignment_keeps_its_reason_and_what_was_known_of_each_candidate(services: Services):
    queue = await add_queue(services, "geral")
    busy, free = await add_agent(services, 2), await add_agent(services, 4)
    async with services.transaction() as tx:
        await assign(tx, await add_waiting(services, queue), busy)
    talk = await add_waiting(services, queue, ago_s=30)
    await route.function(services)
    kept = await services.db.fetchrow("SELECT * FROM assignments WHERE conversation_id = $1", talk)
    assert (kept["agent_id"], kept["reason"], kept["strategy"], kept["queue_id"]) == (
        free,
        "least_busy",
        "least_busy",
        queue,
    )
    assert 29 < kept["waited_s"] < 60
    assert [(one["agent_id"], one["load"], one["capacity"]) for one in kept["candidates"]] == [
        (str(free), 0, 4),
        (str(busy), 1, 2),
    ]
    told = await services.db.fetchval(
        "SELECT payload FROM events WHERE type = 'conversation.assigned' AND aggregate_id = $1", talk
    )
    assert told["reason"] == "least_busy" and told["candidates"] == 2 and told["agent_id"] == str(free)
    assert told["queue"] == "geral"


async def test_the_line_is_served_by_priority_and_then_by_who_came_first(services: Services):
    queue = await add_queue(services, "geral")
    late, early, urgent = [await add_waiting(services, queue, p, ago_s=s) for p, s in ((1, 5), (1, 50), (4, 1))]
    agent = await add_agent(services, 2)
    await route.function(services)
    assert [await owner(services, one) for one in (urgent, early, late)] == [agent, agent, None]


async def test_who_fits_nobody_holds_up_nobody_and_is_served_when_somebody_fits(services: Services):
    queue = await add_queue(services, "geral", languages=["pt_BR", "es"])
    odd = await add_waiting(services, queue, ago_s=9, wanted_skills={"fibra": 3})
    foreign = await add_waiting(services, queue, ago_s=8, wanted_language="en")
    plain = await add_waiting(services, queue)
    agent = await add_agent(services, 3, {"fibra": 2})
    await route.function(services)
    assert [await owner(services, one) for one in (odd, foreign, plain)] == [None, None, agent]
    expert = await add_agent(services, 3, {"fibra": 3})
    await route.function(services)
    assert [await owner(services, one) for one in (odd, foreign)] == [expert, None]


async def test_a_team_serves_its_queue_and_others_do_not(services: Services):
    team = uuid7()
    await services.db.execute("INSERT INTO teams (id, name) VALUES ($1, 'norte')", team)
    queue = await add_queue(services, "norte", team_id=team)
    stranger = await add_agent(services)
    talk = await add_waiting(services, queue)
    await route.function(services)
    assert await owner(services, talk) is None
    await services.db.execute("INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)", team, stranger)
    await route.function(services)
    assert await owner(services, talk) == stranger


async def test_the_customers_last_agent_is_preferred(services: Services):
    queue = await add_queue(services, "geral", strategy="last_agent")
    _, known = await add_agent(services), await add_agent(services, 2)
    first = await add_waiting(services, queue)
    customer = await services.db.fetchval("SELECT customer_id FROM conversations WHERE id = $1", first)
    async with services.transaction() as tx:
        await assign(tx, first, known)
    await services.db.execute("UPDATE conversations SET state = 'closed' WHERE id = $1", first)
    again = await add_waiting(services, queue, customer=customer)
    await route.function(services)
    assert await owner(services, again) == known
    assert (
        await services.db.fetchval("SELECT reason FROM assignments WHERE conversation_id = $1", again) == "last_agent"
    )


async def test_a_transfer_keeps_the_place_in_line(services: Services):
    one, two = await add_queue(services, "um"), await add_queue(services, "dois")
    old, new = await add_waiting(services, one, ago_s=100), await add_waiting(services, two, ago_s=10)
    agent = await add_agent(services)
    async with services.transaction() as tx:
        await assign(tx, old, agent)
        await transfer(tx, old, "dois")
    await route.function(services)
    assert [await owner(services, talk) for talk in (old, new)] == [agent, None]


async def test_what_waits_in_no_queue_goes_to_the_default_one(services: Services):
    await add_queue(services, "antiga")
    queue = await add_queue(services, "padrao", is_default=True)
    talk = await add_waiting(services, None)
    agent = await add_agent(services)
    await route.function(services)
    assert await owner(services, talk) == agent
    assert await services.db.fetchval("SELECT queue_id FROM conversations WHERE id = $1", talk) == queue
    assert ("conversation.state_changed", "default_queue") in await moves(services)


async def test_who_waits_too_long_goes_to_the_neighbour_and_keeps_his_place(services: Services):
    helper = await add_queue(services, "ajuda")
    queue = await add_queue(services, "cheia", overflow_queue_id=helper, overflow_after_s=60, **ALWAYS)
    old, new = await add_waiting(services, queue, ago_s=61), await add_waiting(services, queue, ago_s=20)
    line_at = await services.db.fetchval("SELECT line_at FROM conversations WHERE id = $1", old)
    await watch.function(services)
    rows = await services.db.fetch("SELECT id, queue_id, line_at FROM conversations ORDER BY line_at")
    assert [(row["id"], row["queue_id"]) for row in rows] == [(old, helper), (new, queue)]
    assert rows[0]["line_at"] == line_at
    await watch.function(services)  # its time in the new queue has only begun
    assert await moves(services) == [("conversation.state_changed", "overflow")]


async def test_nobody_overflows_at_night(services: Services):
    helper = await add_queue(services, "ajuda")
    queue = await add_queue(
        services, "cheia", overflow_queue_id=helper, overflow_after_s=60, business_hours=closed_now()
    )
    await add_waiting(services, queue, ago_s=61)
    await watch.function(services)
    assert await moves(services) == []


async def test_who_waits_too_long_becomes_urgent_once(services: Services):
    queue = await add_queue(services, "geral", escalate_after_s=60, escalate_to=4, **ALWAYS)
    old, new = await add_waiting(services, queue, ago_s=61), await add_waiting(services, queue, ago_s=10)
    for _ in range(2):
        await watch.function(services)
    rows = await services.db.fetch("SELECT priority FROM conversations WHERE id = ANY($1) ORDER BY line_at", [old, new])
    assert [row["priority"] for row in rows] == [4, 1]
    assert await moves(services) == [("conversation.prioritised", "waited")]


async def told(services: Services) -> list[str]:
    return [row["content"] for row in await services.db.fetch("SELECT content FROM messages ORDER BY created_at, id")]


async def test_who_waits_is_told_his_place_once_and_who_is_served_is_not(services: Services):
    words = "Você é o {position}º. Espera: {wait}."
    queue = await add_queue(services, "geral", waiting_text=words, **ALWAYS)
    await add_agent(services)
    for ago_s in (30, 20, 10):
        await add_waiting(services, queue, ago_s=ago_s)
    for _ in range(2):
        await route.function(services)
    assert sorted(await told(services)) == [
        "Você é o 1º. Espera: cerca de 60 minutos.",
        "Você é o 2º. Espera: cerca de 120 minutos.",
    ]
    message = await services.db.fetchrow("SELECT author, category, state FROM messages LIMIT 1")
    assert tuple(message) == ("system", "service", "queued")


async def test_outside_hours_the_opening_is_told_and_outside_the_window_nothing(services: Services):
    queue = await add_queue(
        services,
        "geral",
        waiting_text="não",
        closed_text="Voltamos {opens}.",
        business_hours=closed_now("03:00-03:01"),
        holidays_closed=False,
    )
    await add_waiting(services, queue)
    await add_waiting(services, queue, ago_s=25 * 3600)
    await route.function(services)
    (said,) = await told(services)
    assert said.startswith("Voltamos ") and said.endswith("às 03:00.")


async def test_by_hand_an_agent_may_get_more_and_the_router_gives_him_none_then(services: Services):
    queue = await add_queue(services, "geral")
    agent = await add_agent(services, 1)
    talks = [await add_waiting(services, queue) for _ in range(3)]
    for talk in talks[:2]:
        async with services.transaction() as tx:
            await assign(tx, talk, agent)
    await route.function(services)
    assert await state(services, talks[2]) == "queued"


class Router:
    """Somebody's program that names agents."""

    def __init__(self) -> None:
        self.answer: Any = {"agent_id": None}
        self.asked: list[Any] = []
        self.delay_s = 0.0

    async def name(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        await asyncio.sleep(self.delay_s)
        return web.json_response(self.answer)


@pytest.fixture
async def router() -> AsyncIterator[tuple[Router, str]]:
    asked = Router()
    app = web.Application()
    app.router.add_post("/route", asked.name)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield asked, f"127.0.0.1:{port}"
    await runner.cleanup()


async def test_the_hook_names_the_agent_and_nonsense_or_silence_leaves_it_to_the_strategy(settings: Settings, router):
    asked, address = router
    allowed = settings.model_copy(update={"outbound_hosts": (address,)})
    async with roles.services(allowed, "test") as services:
        queue = await add_queue(services, "geral", hook_url=f"http://{address}/route", hook_timeout_ms=2_000)
        agents = [await add_agent(services, 9) for _ in range(2)]
        named = max(agents)  # the strategy would take the other

        async def routed() -> tuple[Any, str]:
            await services.db.execute("UPDATE conversations SET state = 'closed' WHERE state <> 'closed'")
            await services.db.execute("UPDATE assignments SET released_at = '2020-01-01' WHERE released_at IS NULL")
            await services.db.execute("UPDATE agents SET presence_at = '2020-01-01', last_assigned_at = NULL")
            talk = await add_waiting(services, queue, 3)
            await route.function(services)
            row = await services.db.fetchrow(
                "SELECT agent_id, reason FROM assignments WHERE conversation_id = $1", talk
            )
            return tuple(row)

        asked.answer = {"agent_id": str(named)}
        assert await routed() == (named, "hook")
        question = asked.asked[0]
        assert question["queue"] == "geral" and question["conversation"]["priority"] == 3
        assert {one["agent_id"] for one in question["candidates"]} == {str(one) for one in agents}
        for answer in ({"agent_id": None}, {"agent_id": "x"}, [], {"agent_id": str(queue)}, {"agent_id": 7}):
            asked.answer = answer
            assert await routed() == (min(agents), "least_busy")
        asked.answer, asked.delay_s = {"agent_id": str(named)}, 4.0
        assert await routed() == (min(agents), "least_busy")


async def test_the_hook_reaches_no_network_of_ours(services: Services, router):
    asked, address = router
    queue = await add_queue(services, "geral", hook_url=f"http://{address}/route")
    agent, talk = await add_agent(services), await add_waiting(services, queue)
    await route.function(services)
    assert await owner(services, talk) == agent and asked.asked == []


def test_what_may_free_a_slot_or_fill_a_line_rings_the_router():
    roles.load_jobs()
    about = {"aggregate_id": uuid7(), "aggregate_version": 1, "occurred_at": datetime.now(UTC)}
    moved = {**about, "customer_id": uuid7(), "reason": "x"}
    opened = {**about, "customer_id": uuid7(), "protocol": "1", "channel": "whatsapp"}
    present = {**about, "agent_id": uuid7(), "from_presence": "away"}
    rings = [
        ConversationStateChanged(**moved, from_state="bot", to_state="queued"),
        ConversationStateChanged(**moved, from_state="assigned", to_state="resolved"),
        ConversationStateChanged(**moved, from_state="assigned", to_state="closed"),
        ConversationOpened(**opened, state="queued"),
        AgentPresenceChanged(**present, presence="online"),
    ]
    silent = [
        ConversationStateChanged(**moved, from_state="assigned", to_state="waiting_customer"),
        ConversationOpened(**opened, state="bot"),
        AgentPresenceChanged(**present, presence="break"),
    ]
    for event in rings:
        assert (route, ()) in fan_out([event]), event
    assert not any(job is route for job, _ in fan_out(silent))
