"""Promises of service on real conversations: due times, warnings and breaches, once each, through restarts."""

from typing import Any
from uuid import UUID

import pytest

from hub_api.chat.assign import assign
from hub_api.chat.outgoing import text
from hub_api.chat.reply import reply
from hub_api.chat.resolve import resolve
from hub_api.chat.sla import watch
from hub_api.chat.sla.jobs import look
from tests.auth.people import Person, add_person, call
from tests.chat.routing.lines import add_agent, add_queue, add_waiting
from tests.support.hub import Hub

POLICIES = "/api/v1/sla/policies"


@pytest.fixture
async def admin(hub: Hub) -> Person:
    return await add_person(hub, "admin")


async def promise(hub: Hub, who: Person, target: str, seconds: int, **more: Any) -> dict[str, Any]:
    body = {"name": target, "target": target, "seconds": seconds, "clock": "calendar", **more}
    status, made = await call(hub, "POST", POLICIES, who.headers, json=body)
    assert status == 201, made
    return made


async def clocks(hub: Hub, who: Person, talk: UUID) -> dict[str, Any]:
    await look.function(hub.services)
    items = (await call(hub, "GET", f"/api/v1/conversations/{talk}/sla", who.headers))[1]["items"]
    return {one["target"]: one for one in items}


async def told(hub: Hub) -> list[tuple[str, str]]:
    await look.function(hub.services)
    rows = await hub.fetch(
        "SELECT type, payload ->> 'target' AS target FROM events WHERE type LIKE '%.sla_%' ORDER BY seq"
    )
    return [(row["type"].rpartition("_")[2], row["target"]) for row in rows]


async def later(hub: Hub, seconds: float) -> None:
    """As if so much time had passed since everything."""
    await look.function(hub.services)
    for column in ("started_at", "running_since", "due_at", "warn_at"):
        await hub.fetch(f"UPDATE sla_clocks SET {column} = {column} - make_interval(secs => $1)", seconds)


async def test_a_first_answer_in_time_breaks_nothing(hub: Hub, admin: Person):
    await promise(hub, admin, "first_response", 60, warn_before_s=10)
    queue, agent = await add_queue(hub.services, "geral"), await add_agent(hub.services)
    talk = await add_waiting(hub.services, queue)
    running = (await clocks(hub, admin, talk))["first_response"]
    assert running["due_at"] and running["policy"] == "first_response"
    async with hub.services.transaction() as tx:
        await assign(tx, talk, agent)
        await reply(tx, talk, text("Oi!", author="agent", author_id=agent))
    await later(hub, 100)
    ended = (await clocks(hub, admin, talk))["first_response"]
    assert ended["ended_at"] and ended["due_at"] is None and ended["breached_at"] is None
    assert await told(hub) == []


async def test_it_warns_once_and_then_is_broken_once_whoever_looks(hub: Hub, admin: Person):
    await promise(hub, admin, "first_response", 60, warn_before_s=10)
    talk = await add_waiting(hub.services, await add_queue(hub.services, "geral"))
    await later(hub, 55)
    assert await told(hub) == [("warned", "first_response")]
    await later(hub, 10)
    for _ in range(2):
        assert await told(hub) == [("warned", "first_response"), ("breached", "first_response")]
    kept = (await clocks(hub, admin, talk))["first_response"]
    assert kept["breached_at"] == kept["due_at"]
    event = await hub.fetchval("SELECT payload FROM events WHERE type = 'conversation.sla_breached'")
    assert event["queue"] == "geral" and event["priority"] == 1 and event["agent_id"] is None


async def test_what_came_due_while_nobody_looked_is_told_when_somebody_does(hub: Hub, admin: Person):
    await promise(hub, admin, "first_response", 60)
    queue, agent = await add_queue(hub.services, "geral"), await add_agent(hub.services)
    talk = await add_waiting(hub.services, queue, ago_s=100)
    async with hub.services.transaction() as tx:  # answered too late, and no look in between
        await assign(tx, talk, agent)
        await reply(tx, talk, text("Oi!", author="agent", author_id=agent))
    assert await told(hub) == [("breached", "first_response")]


async def test_a_resolution_stands_while_the_customer_is_waited_for(hub: Hub, admin: Person):
    await promise(hub, admin, "resolution", 3600)
    queue, agent = await add_queue(hub.services, "geral"), await add_agent(hub.services)
    talk = await add_waiting(hub.services, queue)
    async with hub.services.transaction() as tx:
        await assign(tx, talk, agent)
        await reply(tx, talk, text("Oi!", author="agent", author_id=agent))
    await later(hub, 7200)
    standing = (await clocks(hub, admin, talk))["resolution"]
    assert standing["due_at"] is None and standing["running_since"] is None and standing["ended_at"] is None
    assert await told(hub) == []
    async with hub.services.transaction() as tx:
        await resolve(tx, talk)
    assert (await clocks(hub, admin, talk))["resolution"]["ended_at"]


async def test_a_new_or_stricter_promise_counts_for_open_conversations_and_the_most_special_one(
    hub: Hub, admin: Person
):
    queue = await add_queue(hub.services, "geral")
    talk = await add_waiting(hub.services, queue, ago_s=30)
    usual = await promise(hub, admin, "first_response", 600)
    before = (await clocks(hub, admin, talk))["first_response"]
    assert before["seconds"] == 600
    body = {"name": "curto", "target": "first_response", "seconds": 300, "clock": "calendar"}
    assert (await call(hub, "PUT", f"{POLICIES}/{usual['id']}", admin.headers, json=body))[0] == 200
    assert (await clocks(hub, admin, talk))["first_response"]["due_at"] < before["due_at"]
    await promise(hub, admin, "first_response", 20, queue="geral", name="geral")
    own = (await clocks(hub, admin, talk))["first_response"]
    assert own["policy"] == "geral" and own["seconds"] == 20
    assert await told(hub) == [("breached", "first_response")]
    # The clock goes by the other promise now, so the first can be deleted, and the other not.
    items = (await call(hub, "GET", POLICIES, admin.headers))[1]["items"]
    gone = [(await call(hub, "DELETE", f"{POLICIES}/{one['id']}", admin.headers))[0] for one in items]
    assert gone == [204, 409]


async def test_without_promises_nothing_is_noted(hub: Hub, admin: Person):
    await add_waiting(hub.services, await add_queue(hub.services, "geral"))
    assert await hub.fetchval("SELECT count(*) FROM sla_marks") == 0


async def test_a_look_that_fails_in_the_middle_loses_and_repeats_nothing(hub: Hub, admin: Person, monkeypatch):
    await promise(hub, admin, "first_response", 60)
    await add_waiting(hub.services, await add_queue(hub.services, "geral"), ago_s=100)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(watch, "columns", broken)
        with pytest.raises(RuntimeError):
            await watch.follow_marks(hub.services)
    assert await hub.fetchval("SELECT count(*) FROM sla_marks") == 1
    for _ in range(2):
        assert await told(hub) == [("breached", "first_response")]
