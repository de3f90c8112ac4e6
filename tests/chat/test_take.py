"""What agents take by themselves, what they hand on with a note, and whom they know by name."""

import asyncio
from datetime import UTC, datetime, timedelta

from hub_api.platform.ids import uuid7
from tests.auth.people import add_conversation, add_person, add_team, call
from tests.support.hub import Hub

ALL = "/api/v1/conversations"


async def test_the_next_one_is_the_first_in_line_and_two_who_ask_at_once_get_two(hub: Hub):
    bia, caio = await add_person(hub), await add_person(hub)
    first, urgent, last = [(await add_conversation(hub, None, words))["conversation"] for words in ("a", "b", "c")]
    for minutes, talk in enumerate((last, urgent, first)):
        at = datetime.now(UTC) - timedelta(minutes=10 * (minutes + 1))
        await hub.fetch("UPDATE conversations SET line_at = $2 WHERE id = $1", talk, at)
    await hub.fetch("UPDATE conversations SET priority = 5 WHERE id = $1", urgent)
    answers = await asyncio.gather(
        *(call(hub, "POST", f"{ALL}/next", who.headers, json={}) for who in (bia, caio)),
    )
    assert {told["conversation"]["id"] for _, told in answers} == {str(urgent), str(first)}
    assert {told["conversation"]["agent_id"] for _, told in answers} == {str(bia.id), str(caio.id)}
    assert {row["reason"] for row in await hub.fetch("SELECT reason FROM assignments")} == {"taken_next"}
    status, told = await call(hub, "POST", f"{ALL}/next", bia.headers, json={"queue": "outra"})
    assert (status, told) == (200, {"conversation": None})
    assert (await call(hub, "POST", f"{ALL}/next", bia.headers, json={}))[1]["conversation"]["id"] == str(last)
    assert (await call(hub, "POST", f"{ALL}/next", bia.headers, json={}))[1]["conversation"] is None


async def test_the_next_one_is_never_of_a_team_that_one_is_not_in(hub: Hub):
    team, queue = await add_team(hub, "outros")
    await add_conversation(hub, queue, "segredo")
    stranger, member = await add_person(hub), await add_person(hub, "agent", team)
    assert (await call(hub, "POST", f"{ALL}/next", stranger.headers, json={}))[1]["conversation"] is None
    assert (await call(hub, "POST", f"{ALL}/next", member.headers, json={}))[1]["conversation"]["queue"] == queue


async def test_who_gets_a_conversation_finds_the_note_of_who_handed_it_on(hub: Hub):
    bia, caio = await add_person(hub), await add_person(hub)
    _, queue = await add_team(hub, "nota")
    talk = (await add_conversation(hub, None, "fatura"))["conversation"]
    body = {"agent_id": str(caio.id), "note": "Já conferi o CPF."}
    assert (await call(hub, "POST", f"{ALL}/{talk}/assign", bia.headers, json=body))[0] == 200
    found = (await call(hub, "GET", "/api/v1/notes/mentions", caio.headers))[1]["items"]
    assert [(one["text"], one["author_id"]) for one in found] == [("Já conferi o CPF.", str(bia.id))]
    body = {"queue": queue, "note": "Precisa de visita."}
    assert (await call(hub, "POST", f"{ALL}/{talk}/transfer", caio.headers, json=body))[0] == 200
    texts = [row["text"] for row in await hub.fetch("SELECT text FROM notes ORDER BY id")]
    assert texts == ["Já conferi o CPF.", "Precisa de visita."]


async def test_a_list_tells_when_the_next_promise_is_due(hub: Hub):
    bia = await add_person(hub)
    talk = (await add_conversation(hub, None, "prazo"))["conversation"]
    (one,) = (await call(hub, "GET", ALL, bia.headers))[1]["items"]
    assert one["sla_due_at"] is None
    policy, due = uuid7(), datetime.now(UTC) + timedelta(minutes=2)
    await hub.fetch(
        "INSERT INTO sla_policies (id, name, target, seconds) VALUES ($1, 'Primeira', 'first_response', 120)", policy
    )
    for target, at in (("first_response", due), ("resolution", due + timedelta(hours=4))):
        await hub.fetch(
            "INSERT INTO sla_clocks (conversation_id, target, policy_id, started_at, running_since, due_at) "
            "VALUES ($1, $2, $3, now(), now(), $4)",
            talk, target, policy, at,
        )  # fmt: skip
    for path in (f"{ALL}?state=queued", ALL):
        (one,) = (await call(hub, "GET", path, bia.headers))[1]["items"]
        assert datetime.fromisoformat(one["sla_due_at"]) == due


async def test_colleagues_know_each_others_name_and_presence_and_no_more(hub: Hub):
    team, _ = await add_team(hub, "longe")
    bia, eva = await add_person(hub), await add_person(hub, "supervisor", team)
    gone = await add_person(hub, signed_in=False, active=False)
    await call(hub, "PUT", "/api/v1/agents/me/presence", eva.headers, json={"presence": "online"})
    found, cursor = [], ""
    while cursor is not None:
        path = f"/api/v1/agents/colleagues?limit=1{f'&cursor={cursor}' if cursor else ''}"
        status, told = await call(hub, "GET", path, bia.headers)
        assert status == 200
        found, cursor = found + told["items"], told["next_cursor"]
    known = {one["user_id"]: one for one in found}
    assert known[str(eva.id)] == {"user_id": str(eva.id), "name": "Supervisor Souza", "presence": "online"}
    assert str(bia.id) in known and str(gone.id) not in known
