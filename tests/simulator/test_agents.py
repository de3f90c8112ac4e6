"""Virtual agents: present, given conversations by the router, silent where a person took over, nothing taken from the line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random

import pytest

from hub_api.chat.assign import assign
from hub_api.chat.routing.jobs import route
from hub_api.simulator.agents import USUAL_OUTCOME, work
from hub_api.simulator.demo import SLOTS, open_desk
from hub_api.simulator.history.run import AGENTS
from tests.auth.people import add_conversation, add_person, add_team
from tests.support.hub import Hub
from tests.support.waiting import eventually


@pytest.fixture
async def staff(hub: Hub) -> AsyncIterator[set[str]]:
    """The agents at work, a thousand times as quick; ids of their users."""
    desk = await open_desk(hub.services.settings, hub.url)
    assert await open_desk(hub.services.settings, hub.url) == desk, "the same keys at every start"
    quick = type(desk)(desk.api_url, desk.clerks, 0.001, (1e9, 1e9))
    working = asyncio.create_task(work(quick, Random(1)))
    yield {clerk.user_id for clerk in desk.clerks}
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def test_they_serve_what_they_are_given_and_leave_the_rest(hub: Hub, staff: set[str]):
    _, queue = await add_team(hub, "demo")
    await hub.fetch("UPDATE queues SET team_id = NULL WHERE key = $1", queue)
    online = "SELECT count(*) = $1 FROM agents WHERE presence = 'online' AND capacity = $2"
    await eventually(lambda: hub.fetchval(online, len(AGENTS), SLOTS), 30)
    await eventually(lambda: hub.fetchval("SELECT count(*) = $1 FROM agent_heartbeats", len(AGENTS)), 30)
    await hub.fetch("INSERT INTO dispositions (key, name) VALUES ($1, 'Resolvido')", USUAL_OUTCOME)
    talk = (await add_conversation(hub, queue, "sem sinal"))["conversation"]
    await asyncio.sleep(0.2)
    assert await hub.fetchval("SELECT state FROM conversations WHERE id = $1", talk) == "queued", "nobody pulls"
    await route.function(hub.services)
    done = "SELECT state = 'resolved' AND disposition = 'resolvido' FROM conversations WHERE id = $1"
    await eventually(lambda: hub.fetchval(done, talk), 30)
    said = await hub.fetch("SELECT author_id FROM messages WHERE conversation_id = $1 AND author = 'agent'", talk)
    assert (
        len(said) >= 3
        and {str(row["author_id"]) for row in said} <= staff
        and len({row["author_id"] for row in said}) == 1
    )

    bia = await add_person(hub)
    mine = (await add_conversation(hub, queue, "boleto"))["conversation"]
    async with hub.services.transaction() as tx:
        await assign(tx, mine, bia.id)
    await asyncio.sleep(0.2)
    assert (
        await hub.fetchval("SELECT count(*) FROM messages WHERE conversation_id = $1 AND author = 'agent'", mine) == 0
    )
