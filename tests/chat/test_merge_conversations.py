"""Two open conversations become one by hand: what is read, who has it, who may, and what is told to whoever has it open."""

from typing import Any
from uuid import UUID

import pytest

from hub_api.chat.assign import assign
from hub_api.platform.ids import uuid7
from tests.auth.people import Person, actions, add_conversation, add_person, add_team, call
from tests.chat.routing.lines import owner
from tests.chat.test_live import connected, spoken
from tests.support.hub import Hub
from tests.support.sending import add_our_number

ALL = "/api/v1/conversations"


@pytest.fixture
async def bia(hub: Hub) -> Person:
    return await add_person(hub)


async def beside(hub: Hub, first: dict[str, UUID], words: str, agent: UUID | None = None) -> dict[str, UUID]:
    """Another open conversation of the same customer: she wrote to another of our numbers."""
    made = await add_conversation(hub, None, words)
    number_id = await add_our_number(hub.services)
    await hub.fetch("UPDATE conversations SET number_id = $1 WHERE id = $2", number_id, made["conversation"])
    for table in ("messages", "conversations"):
        column = "conversation_id" if table == "messages" else "id"
        await hub.fetch(
            f"UPDATE {table} SET customer_id = $1 WHERE {column} = $2", first["customer"], made["conversation"]
        )
    if agent:
        await give(hub, made["conversation"], agent)
    return made | {"customer": first["customer"]}


async def give(hub: Hub, talk: UUID, agent: UUID) -> None:
    async with hub.services.transaction() as tx:
        await assign(tx, talk, agent)


async def merge(hub: Hub, who: Person, kept: UUID, other: UUID | str, **more: Any) -> tuple[int, dict[str, Any]]:
    return await call(hub, "POST", f"{ALL}/{kept}/merge", who.headers, json={"other": str(other), **more})


async def shown(hub: Hub, who: Person, talk: UUID, what: str = "") -> Any:
    return (await call(hub, "GET", f"{ALL}/{talk}{what}", who.headers))[1]


async def test_both_are_read_as_one_in_order_and_both_protocols_stay(hub: Hub, bia: Person):
    first = await add_conversation(hub, None, "minha internet caiu")
    await give(hub, first["conversation"], bia.id)
    second = await beside(hub, first, "ainda sem internet", bia.id)
    kept, other = first["conversation"], second["conversation"]
    third = await spoken(hub.services.db, first, "alguém?")
    await hub.fetch(
        "UPDATE conversations SET priority = 4, tags = '{vip}', unanswered_since = opened_at WHERE id = $1", other
    )
    await call(hub, "POST", f"{ALL}/{other}/notes", bia.headers, json={"text": "ligou duas vezes"})
    protocol = (await shown(hub, bia, other))["protocol"]

    status, after = await merge(hub, bia, kept, protocol)
    assert status == 200 and after["merged_protocols"] == [protocol]
    assert (after["state"], after["priority"], after["tags"]) == ("assigned", 4, ["vip"]) and after["unanswered_since"]
    ended = await shown(hub, bia, other)
    assert (ended["state"], ended["merged_into"], ended["protocol"]) == ("closed", str(kept), protocol)
    told = (await shown(hub, bia, kept, "/messages"))["items"]
    assert [one["id"] for one in told] == [str(third), str(second["message"]), str(first["message"])]
    assert [one["conversation_id"] for one in told] == [str(kept), str(other), str(kept)]
    assert [one["text"] for one in (await shown(hub, bia, kept, "/notes"))["items"]] == ["ligou duas vezes"]
    # Page by page the same, once each.
    cursor, paged = "", []
    while cursor is not None:
        page = await shown(hub, bia, kept, f"/messages?limit=1{cursor and '&cursor=' + cursor}")
        paged += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert paged == [one["id"] for one in told]
    assert "conversation.merged" in await actions(hub)
    open_slots = "SELECT count(*) FROM assignments WHERE agent_id = $1 AND released_at IS NULL"
    assert await hub.fetchval(open_slots, bia.id) == 1, "the slot of the other is free"
    row = (await hub.fetch("SELECT * FROM events WHERE type = 'conversation.merged'"))[0]
    assert row["aggregate_id"] == kept and row["payload"]["merged_id"] == str(other)


async def test_what_follows_a_merge_is_one_step_away(hub: Hub, bia: Person):
    first = await add_conversation(hub, None, "a")
    second, third = await beside(hub, first, "b"), await add_conversation(hub, None, "c")
    boss = await add_person(hub, "admin")
    assert (await merge(hub, boss, second["conversation"], first["conversation"]))[0] == 200
    status, after = await merge(hub, boss, third["conversation"], second["conversation"], same_person=True)
    assert status == 200 and len(after["merged_protocols"]) == 2
    into = await hub.fetch("SELECT DISTINCT merged_into FROM conversations WHERE merged_into IS NOT NULL")
    assert [row["merged_into"] for row in into] == [third["conversation"]]
    assert len((await shown(hub, boss, third["conversation"], "/messages"))["items"]) == 3


async def test_nobody_who_had_one_of_them_loses_it(hub: Hub, bia: Person):
    first = await add_conversation(hub, None, "na fila")
    second = await beside(hub, first, "com a Bia", bia.id)
    status, after = await merge(hub, bia, first["conversation"], second["conversation"])
    assert (status, after["state"], after["agent_id"]) == (200, "assigned", str(bia.id))
    assert await owner(hub.services, first["conversation"]) == bia.id


async def test_who_waits_keeps_the_better_place_and_who_sleeps_is_woken(hub: Hub, bia: Person):
    first = await add_conversation(hub, None, "com o robô")
    await hub.fetch("UPDATE conversations SET state = 'closed' WHERE id = $1", first["conversation"])
    bot = await beside(hub, first, "oi")
    await hub.fetch("UPDATE conversations SET state = 'bot', line_at = NULL WHERE id = $1", bot["conversation"])
    waiting = await add_conversation(hub, None, "espero")
    since = (
        "UPDATE conversations SET customer_id = $1, line_at = now() - interval '1 hour' WHERE id = $2 RETURNING line_at"
    )
    line_at = await hub.fetchval(since, first["customer"], waiting["conversation"])
    assert (await merge(hub, bia, bot["conversation"], waiting["conversation"]))[0] == 200
    row = (await hub.fetch("SELECT state, line_at FROM conversations WHERE id = $1", bot["conversation"]))[0]
    assert (row["state"], row["line_at"]) == ("queued", line_at)


async def test_two_customers_are_merged_by_who_may_and_says_so(hub: Hub):
    team, queue = await add_team(hub, "norte")
    bia, boss = await add_person(hub, "agent", team), await add_person(hub, "supervisor", team)
    older = await add_conversation(hub, queue, "sou a Ana")
    newer = await add_conversation(hub, queue, "aqui é a Ana, do outro número")
    await hub.fetch(
        "UPDATE customers SET created_at = now() - interval '1 day', name = NULL WHERE id = $1", older["customer"]
    )
    kept, other = newer["conversation"], older["conversation"]
    assert (await merge(hub, bia, kept, other))[0] == 403
    status, problem = await merge(hub, boss, kept, other)
    assert (status, problem["code"]) == (409, "other_customer")
    assert await hub.fetchval("SELECT count(*) FROM customers WHERE merged_into IS NOT NULL") == 0
    status, after = await merge(hub, boss, kept, other, same_person=True)
    assert (status, after["state"], after["customer_id"]) == (200, "queued", str(older["customer"]))
    assert after["customer_name"] == "Cliente aqui é a Ana, do outro número", "what the older did not know of itself"
    assert len((await shown(hub, boss, kept, "/messages"))["items"]) == 2
    merged = await hub.fetchval("SELECT merged_into FROM customers WHERE id = $1", newer["customer"])
    assert merged == older["customer"]
    assert {"customer.merged", "conversation.merged"} <= set(await actions(hub))


async def test_only_two_open_ones_that_one_sees_are_merged(hub: Hub, bia: Person):
    first = await add_conversation(hub, None, "a")
    second = await beside(hub, first, "b")
    status, problem = await merge(hub, bia, first["conversation"], first["conversation"])
    assert (status, problem["code"]) == (422, "invalid")
    assert (await merge(hub, bia, first["conversation"], uuid7()))[0] == 404
    _, foreign = await add_team(hub, "sul")
    hidden = await add_conversation(hub, foreign, "c")
    assert (await merge(hub, bia, first["conversation"], hidden["conversation"]))[0] == 404
    await call(hub, "POST", f"{ALL}/{second['conversation']}/close", bia.headers, json={})
    for pair in ((first, second), (second, first)):
        status, problem = await merge(hub, bia, pair[0]["conversation"], pair[1]["conversation"])
        assert (status, problem["code"]) == (409, "conversation_state")


async def test_who_has_it_open_is_told_of_what_comes_to_the_other(hub: Hub):
    boss = await add_person(hub, "admin")
    first = await add_conversation(hub, None, "a")
    second = await beside(hub, first, "b")
    async with connected(hub, boss) as client:
        await client.subscribe()
        await client.subscribe(first["conversation"])
        await merge(hub, boss, first["conversation"], second["conversation"])
        await client.until("conversation", **{"stream": "inbox"})
        await client.quiet()
        assert any(one["data"].get("merged_protocols") for one in client.frames if one["type"] == "conversation"), (
            "the protocols of both"
        )
        late = await spoken(hub.services.db, second, "uma palavra atrasada")
        assert (await client.until("message", id=first["conversation"]))["data"]["id"] == str(late)
