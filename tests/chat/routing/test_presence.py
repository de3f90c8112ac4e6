"""Presence over HTTP and WebSocket, and what becomes of the work of who is gone."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from hub_api.chat import conversations
from hub_api.chat.agents.presence import notice_lost, return_stranded, set_presence
from hub_api.chat.assign import assign
from hub_api.chat.outgoing import text
from hub_api.chat.reply import reply
from hub_api.chat.routing.jobs import route
from hub_api.platform.services import Services
from tests.auth.people import Person, add_conversation, add_person, add_team, call
from tests.chat.routing.lines import add_agent, add_queue, add_waiting, owner, state
from tests.support.hub import Hub
from tests.support.waiting import eventually

ME = "/api/v1/agents/me"


async def be(hub: Hub, person: Person, presence: str, **more: Any) -> Any:
    return await call(hub, "PUT", f"{ME}/presence", person.headers, json={"presence": presence, **more})


async def test_an_agent_comes_online_gets_a_conversation_and_gives_it_back_when_he_goes(hub: Hub):
    queue = await add_queue(hub.services, "geral")
    talk = await add_waiting(hub.services, queue, ago_s=60)
    bia = await add_person(hub)
    status, shown = await be(hub, bia, "online")
    assert status == 200 and shown["presence"] == "online" and shown["capacity"] == 3
    await route.function(hub.services)
    assert (await call(hub, "GET", ME, bia.headers))[1]["load"] == 1
    await be(hub, bia, "away")
    assert await owner(hub.services, talk) == bia.id, "who is away keeps what he has"
    await be(hub, bia, "offline")
    assert await state(hub.services, talk) == "queued"
    waited = await hub.fetchval("SELECT extract(epoch FROM now() - line_at) FROM conversations WHERE id = $1", talk)
    assert waited > 59, "it is where it was in line"
    told = await hub.fetch(
        "SELECT payload FROM events WHERE type = 'agent.presence_changed' ORDER BY aggregate_version"
    )
    assert [one["payload"]["presence"] for one in told] == ["online", "away", "offline"]
    assert [one["payload"]["from_presence"] for one in told] == ["offline", "online", "away"]


async def test_a_break_has_a_reason_and_brings_nothing_new(hub: Hub):
    bia, queue = await add_person(hub), await add_queue(hub.services, "geral")
    status, problem = await be(hub, bia, "break")
    assert (status, problem["code"]) == (422, "invalid")
    status, shown = await be(hub, bia, "break", reason="almoço")
    assert status == 200 and shown["presence_reason"] == "almoço"
    talk = await add_waiting(hub.services, queue)
    await route.function(hub.services)
    assert await owner(hub.services, talk) is None


async def test_a_program_without_a_user_is_not_present(hub: Hub):
    status, problem = await call(hub, "PUT", f"{ME}/presence", hub.auth, json={"presence": "online"})
    assert (status, problem["code"]) == (409, "not_present")


@pytest.mark.parametrize("by", ["rest", "socket"])
async def test_a_heartbeat_keeps_one_there(hub: Hub, by: str):
    bia = await add_person(hub)
    await be(hub, bia, "online")
    await hub.fetch("UPDATE agent_heartbeats SET seen_at = now() - interval '29 seconds'")
    if by == "rest":
        status, beat = await call(hub, "POST", f"{ME}/heartbeat", bia.headers)
        assert (status, beat) == (200, {"beat_every_s": 10})
    else:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{hub.url}/ws/presence", headers=bia.headers) as ws,
        ):
            await ws.send_str("{}")
            assert await ws.receive_json() == {"beat_every_s": 10}
    await eventually(lambda: _seen(hub))
    await notice_lost(hub.services)
    assert (await call(hub, "GET", ME, bia.headers))[1]["presence"] == "online"


async def _seen(hub: Hub) -> bool:
    return await hub.fetchval("SELECT seen_at > now() - interval '10 seconds' FROM agent_heartbeats")


async def lose(services: Services, agent: UUID) -> None:
    gone = datetime.now(UTC) - timedelta(seconds=26)
    await services.db.execute("UPDATE agent_heartbeats SET seen_at = $2 WHERE user_id = $1", agent, gone)
    await notice_lost(services)


async def working(services: Services, agent: UUID, queue: UUID) -> tuple[UUID, UUID, UUID]:
    """A conversation that he has not answered, one in which he talks, and one that waits for its customer."""
    talks = [await add_waiting(services, queue, ago_s=9) for _ in range(3)]
    for talk in talks:
        async with services.transaction() as tx:
            await assign(tx, talk, agent)
    for talk in talks[1:]:
        async with services.transaction() as tx:
            await reply(tx, talk, text("Oi!", author="agent", author_id=agent))
    await writes(services, talks[1])
    return talks[0], talks[1], talks[2]


async def writes(services: Services, talk: UUID) -> None:
    """The customer answers."""
    async with services.transaction() as tx:
        await conversations.move(tx, talk, "assigned", reason="customer_message")


async def states(services: Services, *talks: UUID) -> list[str]:
    return [await state(services, talk) for talk in talks]


async def test_a_lost_connection_gives_back_what_waits_and_what_is_talked_in_by_the_queues_rule(services: Services):
    at_once = await add_queue(services, "devolve")
    kept = await add_queue(services, "guarda", on_lost="keep", keep_minutes=5)
    agent = await add_agent(services, 9)
    one, two = await working(services, agent, at_once), await working(services, agent, kept)
    await lose(services, agent)
    row = await services.db.fetchrow("SELECT presence, presence_reason FROM agents WHERE user_id = $1", agent)
    assert tuple(row) == ("offline", "connection_lost")
    assert await states(services, *one) == ["queued", "queued", "waiting_customer"]
    assert await states(services, *two) == ["queued", "assigned", "waiting_customer"]
    await return_stranded(services)
    assert await owner(services, two[1]) == agent, "five minutes are not over"
    await services.db.execute("UPDATE agents SET presence_at = now() - interval '6 minutes'")
    await services.db.execute(
        "UPDATE conversations SET assigned_at = now() - interval '7 minutes' WHERE agent_id = $1", agent
    )
    await return_stranded(services)
    assert await states(services, *two) == ["queued", "queued", "waiting_customer"]
    await writes(services, two[2])
    await return_stranded(services)
    assert await states(services, one[2], two[2]) == ["waiting_customer", "queued"], "nobody waits for who is gone"
    open_ones = await services.db.fetch("SELECT conversation_id FROM assignments WHERE released_at IS NULL")
    assert [row["conversation_id"] for row in open_ones] == [one[2]]


async def test_what_is_given_to_an_absent_agent_by_hand_stays_his(services: Services):
    queue, agent = await add_queue(services, "geral"), await add_agent(services, 9, online=False)
    talk = await add_waiting(services, queue)
    async with services.transaction() as tx:
        await assign(tx, talk, agent)
    await return_stranded(services)
    assert await owner(services, talk) == agent


async def test_who_comes_back_in_time_goes_on_with_what_was_kept(services: Services):
    queue = await add_queue(services, "guarda", on_lost="keep", keep_minutes=5)
    agent = await add_agent(services, 9)
    _, talked, _ = await working(services, agent, queue)
    await lose(services, agent)
    async with services.transaction() as tx:
        await set_presence(tx, agent, "online")
    await services.db.execute("UPDATE agents SET presence_at = now() - interval '6 minutes'")
    await return_stranded(services)
    assert await owner(services, talked) == agent


async def test_a_deactivated_user_loses_all_his_work(services: Services):
    queue = await add_queue(services, "guarda", on_lost="keep", keep_minutes=5)
    agent = await add_agent(services, 9)
    talks = await working(services, agent, queue)
    await services.db.execute("UPDATE users SET active = false WHERE id = $1", agent)
    await notice_lost(services)
    assert await states(services, *talks) == ["queued", "queued", "waiting_customer"]


async def test_a_supervisor_sees_his_people_and_sets_what_they_can_take(hub: Hub):
    from tests.auth.people import add_team

    team, _ = await add_team(hub, "norte")
    other, _ = await add_team(hub, "sul")
    boss, bia, caio = (
        await add_person(hub, "supervisor", team),
        await add_person(hub, "agent", team),
        await add_person(hub, "agent", other),
    )
    status, page = await call(hub, "GET", "/api/v1/agents", boss.headers)
    assert status == 200 and {one["user_id"] for one in page["items"]} == {str(boss.id), str(bia.id)}
    profile = {"capacity": 2, "skills": {"fibra": 4}, "languages": ["pt_BR", "es"]}
    path = f"/api/v1/agents/{bia.id}"
    assert (await call(hub, "PUT", path, boss.headers, json=profile))[1]["skills"] == {"fibra": 4}
    stale = await call(hub, "PUT", path, {**boss.headers, "If-Match": '"1"'}, json=profile)
    assert (stale[0], stale[1]["code"]) == (412, "stale")
    assert (await call(hub, "PUT", f"/api/v1/agents/{caio.id}", boss.headers, json=profile))[0] == 404
    assert (await call(hub, "PUT", path, boss.headers, json={**profile, "skills": {"fibra": 6}}))[0] == 422
    assert (await call(hub, "GET", "/api/v1/agents", bia.headers))[0] == 403


async def test_many_beats_at_once_are_one_write(services: Services):
    from hub_api.chat.agents.heartbeat import open_heartbeats

    agents = await asyncio.gather(*(add_agent(services, online=False) for _ in range(5)))
    beats = await services.shared(open_heartbeats)
    for agent in (*agents, UUID(int=5)):
        beats.beat(agent)
    await beats.write()
    assert await services.db.fetchval("SELECT count(*) FROM agent_heartbeats") == 5, "who is no agent has no beat"


async def test_a_supervisor_sends_his_people_away_and_nobody_into_the_line(hub: Hub) -> None:
    team, key = await add_team(hub, "fibra")
    bia, boss = await add_person(hub, "agent", team), await add_person(hub, "supervisor", team)
    foreign = await add_person(hub, "agent", (await add_team(hub, "loja"))[0])
    await be(hub, bia, "online")
    talk = await add_conversation(hub, key, "sinal", bia.id)
    await hub.services.db.execute("UPDATE conversations SET assigned_at = now() - interval '1 hour'")
    path = f"/api/v1/agents/{bia.id}/presence"
    status, shown = await call(hub, "PUT", path, boss.headers, json={"presence": "break", "reason": "reunião"})
    assert status == 200 and (shown["presence"], shown["presence_reason"]) == ("break", "reunião")
    assert (await call(hub, "PUT", path, boss.headers, json={"presence": "online"}))[0] == 422
    assert (await call(hub, "PUT", path, bia.headers, json={"presence": "away"}))[0] == 403
    away = f"/api/v1/agents/{foreign.id}/presence"
    assert (await call(hub, "PUT", away, boss.headers, json={"presence": "offline"}))[0] == 404
    assert (await call(hub, "PUT", path, boss.headers, json={"presence": "offline"}))[0] == 200
    assert await hub.fetchval("SELECT state FROM conversations WHERE id = $1", talk["conversation"]) == "queued"
    rows = await hub.fetch("SELECT before, after FROM audit_log WHERE action = 'agent.presence_forced' ORDER BY id")
    assert [(row["before"]["presence"], row["after"]["presence"]) for row in rows] == [
        ("online", "break"), ("break", "offline"),
    ]  # fmt: skip
