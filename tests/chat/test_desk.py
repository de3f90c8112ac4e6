"""What agents do beside answering, over HTTP: put off, spam, outcomes, notes with mentions, canned replies."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub_api.chat.assign import assign
from hub_api.chat.desk.canned import fill
from hub_api.chat.privacy import erase
from hub_api.chat.privacy.marks import Marks
from hub_api.chat.privacy.report import access_report
from hub_api.chat.privacy.rows import erase_rows
from hub_api.chat.routing.jobs import watch
from tests.auth.people import Person, add_conversation, add_person, add_team, call
from tests.chat.routing.lines import owner
from tests.support.hub import Hub

ALL = "/api/v1/conversations"


@pytest.fixture
async def bia(hub: Hub) -> Person:
    return await add_person(hub)


async def held(hub: Hub, who: Person, words: str = "minha internet caiu") -> UUID:
    """A conversation that the person has."""
    talk = (await add_conversation(hub, None, words))["conversation"]
    async with hub.services.transaction() as tx:
        await assign(tx, talk, who.id)
    return talk


def ahead(**more: float) -> str:
    return (datetime.now(UTC) + timedelta(**more)).isoformat()


async def shown(hub: Hub, who: Person, talk: UUID) -> dict[str, Any]:
    return (await call(hub, "GET", f"{ALL}/{talk}", who.headers))[1]


async def test_what_is_put_off_wakes_when_its_time_has_come(hub: Hub, bia: Person):
    talk = await held(hub, bia)
    assert (await call(hub, "PUT", f"{ALL}/{talk}/snooze", bia.headers, json={"until": ahead(hours=1)}))[0] == 204
    assert (await shown(hub, bia, talk))["snoozed_until"]
    await watch.function(hub.services)
    assert (await shown(hub, bia, talk))["snoozed_until"], "an hour is not over"
    await hub.fetch("UPDATE conversations SET snoozed_until = now() WHERE id = $1", talk)
    for _ in range(2):
        await watch.function(hub.services)
    assert (await shown(hub, bia, talk))["snoozed_until"] is None and await owner(hub.services, talk) == bia.id
    types = [
        row["type"] for row in await hub.fetch("SELECT type FROM events WHERE type ~ 'snoozed|woken' ORDER BY seq")
    ]
    assert types == ["conversation.snoozed", "conversation.woken"]


async def test_a_word_of_the_customer_or_another_agent_ends_it(hub: Hub, bia: Person):
    caio = await add_person(hub)
    for change in ("last_customer_message_at = now()", f"agent_id = '{caio.id}'"):
        talk = await held(hub, bia)
        await call(hub, "PUT", f"{ALL}/{talk}/snooze", bia.headers, json={"until": ahead(hours=1)})
        await hub.fetch(f"UPDATE conversations SET {change} WHERE id = $1", talk)
        assert (await shown(hub, bia, talk))["snoozed_until"] is None, change


async def test_only_what_somebody_has_is_put_off_and_only_to_a_time_ahead(hub: Hub, bia: Person):
    waiting = (await add_conversation(hub, None, "oi"))["conversation"]
    status, problem = await call(hub, "PUT", f"{ALL}/{waiting}/snooze", bia.headers, json={"until": ahead(hours=1)})
    assert (status, problem["code"]) == (409, "conflict")
    talk = await held(hub, bia)
    for until in (ahead(hours=-1), ahead(days=400), "2030-01-01T00:00:00"):
        assert (await call(hub, "PUT", f"{ALL}/{talk}/snooze", bia.headers, json={"until": until}))[0] == 422


async def test_spam_is_closed_without_asking_for_a_rating(hub: Hub, bia: Person):
    talk = await held(hub, bia)
    assert (await call(hub, "POST", f"{ALL}/{talk}/spam", bia.headers))[0] == 204
    after = await shown(hub, bia, talk)
    assert after["state"] == "closed" and after["spam_at"]
    assert await hub.fetchval("SELECT count(*) FROM bot_turn") == 0
    reason = "SELECT payload ->> 'reason' FROM events WHERE payload ->> 'to_state' = 'closed'"
    assert await hub.fetchval(reason) == "spam"


async def test_a_conversation_ends_with_an_outcome_that_is_in_use(hub: Hub, bia: Person):
    boss = await add_person(hub, "supervisor")
    path = "/api/v1/dispositions/visita"
    assert (await call(hub, "PUT", path, boss.headers, json={"name": "Visita agendada"}))[0] == 200
    assert (await call(hub, "PUT", path, bia.headers, json={"name": "X"}))[0] == 403
    talk = await held(hub, bia)
    status, problem = await call(hub, "POST", f"{ALL}/{talk}/resolve", bia.headers, json={"disposition": "outra"})
    assert (status, problem["code"]) == (422, "invalid")
    assert (await shown(hub, bia, talk))["state"] == "assigned", "nothing of it was done"
    _, after = await call(hub, "POST", f"{ALL}/{talk}/resolve", bia.headers, json={"disposition": "visita"})
    assert (after["state"], after["disposition"]) == ("resolved", "visita")
    told = await hub.fetchval("SELECT payload ->> 'disposition' FROM events WHERE type = 'conversation.disposed'")
    assert told == "visita"
    await call(hub, "PUT", path, boss.headers, json={"name": "Visita agendada", "active": False})
    other = await held(hub, bia)
    assert (await call(hub, "POST", f"{ALL}/{other}/close", bia.headers, json={"disposition": "visita"}))[0] == 422


async def test_a_queue_that_wants_an_outcome_gets_one_from_people(hub: Hub):
    team, queue = await add_team(hub, "norte")
    bia, boss = await add_person(hub, "agent", team), await add_person(hub, "supervisor", team)
    talk = (await add_conversation(hub, queue, "sinal"))["conversation"]
    await hub.fetch("UPDATE queues SET disposition_required = true WHERE key = $1", queue)
    other = (await add_conversation(hub, queue, "boleto"))["conversation"]
    assert (await call(hub, "POST", f"{ALL}/{other}/close", bia.headers, json={}))[0] == 200, "none is in use"
    await call(hub, "PUT", "/api/v1/dispositions/visita", boss.headers, json={"name": "Visita"})
    for how in ("resolve", "close"):
        status, problem = await call(hub, "POST", f"{ALL}/{talk}/{how}", bia.headers, json={})
        assert (status, problem["code"]) == (409, "disposition_required")
    assert (await shown(hub, bia, talk))["state"] == "queued", "nothing of it was done"
    assert (await call(hub, "POST", f"{ALL}/{talk}/resolve", bia.headers, json={"disposition": "visita"}))[0] == 200
    assert (await call(hub, "POST", f"{ALL}/{talk}/close", bia.headers, json={}))[0] == 200, "it has one already"
    spam = (await add_conversation(hub, queue, "propaganda"))["conversation"]
    assert (await call(hub, "POST", f"{ALL}/{spam}/spam", bia.headers))[0] == 204


async def test_a_note_reaches_who_is_mentioned_and_sees_the_conversation(hub: Hub):
    team, queue = await add_team(hub, "norte")
    bia, caio, stranger = (
        await add_person(hub, "agent", team),
        await add_person(hub, "agent", team),
        await add_person(hub),
    )
    talk = (await add_conversation(hub, queue, "oi"))["conversation"]
    body = {"text": "CPF 529.982.247-25, ligar à tarde", "mentions": [str(caio.id), str(stranger.id), str(caio.id)]}
    status, note = await call(hub, "POST", f"{ALL}/{talk}/notes", bia.headers, json=body)
    assert status == 201 and note["author"] == "Agent Souza" and len(note["mentions"]) == 2
    assert "529.982.247-25" not in note["text"] and "ligar à tarde" in note["text"]
    items = (await call(hub, "GET", f"{ALL}/{talk}/notes", caio.headers))[1]["items"]
    assert [one["id"] for one in items] == [note["id"]]
    mine = [
        (await call(hub, "GET", "/api/v1/notes/mentions", who.headers))[1]["items"] for who in (caio, stranger, bia)
    ]
    assert [len(one) for one in mine] == [1, 0, 0]
    assert (await call(hub, "POST", f"{ALL}/{talk}/notes", stranger.headers, json=body))[0] == 404
    nobody = {"text": "x", "mentions": [str(UUID(int=1))]}
    assert (await call(hub, "POST", f"{ALL}/{talk}/notes", bia.headers, json=nobody))[0] == 422
    assert await hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'out'") == 0, (
        "the customer never sees it"
    )
    event = await hub.fetchval("SELECT payload FROM events WHERE type = 'conversation.noted'")
    assert "text" not in event and str(caio.id) in event["mentions"]


async def test_a_canned_reply_is_found_by_its_shortcut_and_filled_for_the_conversation(hub: Hub, bia: Person):
    admin = await add_person(hub, "admin")
    new = {
        "shortcut": "boas-vindas",
        "title": "Boas-vindas",
        "text": "Olá {cliente}, sou {atendente}. Protocolo {protocolo}.",
    }
    status, made = await call(hub, "POST", "/api/v1/canned-replies", admin.headers, json=new)
    assert status == 201
    assert (await call(hub, "POST", "/api/v1/canned-replies", admin.headers, json=new))[1]["code"] == "conflict"
    found = (await call(hub, "GET", "/api/v1/canned-replies?shortcut=boas", bia.headers))[1]["items"]
    assert [one["shortcut"] for one in found] == ["boas-vindas"]
    assert (await call(hub, "GET", "/api/v1/canned-replies?shortcut=%25", bia.headers))[1]["items"] == []
    talk = await held(hub, bia)
    protocol = (await shown(hub, bia, talk))["protocol"]
    path = f"/api/v1/canned-replies/{made['id']}/text?conversation_id={talk}"
    text = (await call(hub, "GET", path, bia.headers))[1]["text"]
    assert text == f"Olá Cliente, sou Agent. Protocolo {protocol}."
    assert (await call(hub, "POST", "/api/v1/canned-replies", bia.headers, json=new))[0] == 403


async def test_a_reply_leaves_when_its_time_has_come_unless_the_customer_wrote_or_the_window_closed(
    hub: Hub, bia: Person
):
    talks = [await held(hub, bia) for _ in range(4)]
    for talk in talks:
        body = {"text": "Bom dia!", "send_at": ahead(hours=1)}
        assert (await call(hub, "POST", f"{ALL}/{talk}/scheduled-replies", bia.headers, json=body))[0] == 201
    sent, stopped, late, cancelled = talks
    path = f"{ALL}/{cancelled}/scheduled-replies"
    reply_id = (await call(hub, "GET", path, bia.headers))[1]["items"][0]["id"]
    assert [(await call(hub, "DELETE", f"{path}/{reply_id}", bia.headers))[0] for _ in range(2)] == [204, 409]
    await watch.function(hub.services)
    assert await hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'out'") == 0, "an hour is not over"
    await hub.fetch("UPDATE scheduled_replies SET send_at = now()")
    await hub.fetch("UPDATE conversations SET last_customer_message_at = now() WHERE id = $1", stopped)
    await hub.fetch(
        "UPDATE conversations SET last_customer_message_at = now() - interval '25 hours' WHERE id = $1", late
    )
    for _ in range(2):
        await watch.function(hub.services)
    found = [(await call(hub, "GET", f"{ALL}/{talk}/scheduled-replies", bia.headers))[1]["items"][0] for talk in talks]
    assert [(one["state"], one["failure"]) for one in found] == [
        ("sent", None), ("failed", "customer_wrote"), ("failed", "window_closed"), ("cancelled", None),
    ]  # fmt: skip
    message = await hub.fetch("SELECT id, author, author_id, content FROM messages WHERE direction = 'out'")
    assert [tuple(row) for row in message] == [(UUID(found[0]["message_id"]), "agent", bia.id, "Bom dia!")]
    assert (await shown(hub, bia, sent))["state"] == "waiting_customer"


async def test_a_reply_that_could_not_leave_then_is_refused_now(hub: Hub, bia: Person):
    talk = await held(hub, bia)
    for send_at, code in (
        (ahead(hours=25), "window_closed"),
        (ahead(hours=-1), "invalid"),
        (ahead(days=31), "invalid"),
    ):
        body = {"text": "Bom dia!", "send_at": send_at}
        assert (await call(hub, "POST", f"{ALL}/{talk}/scheduled-replies", bia.headers, json=body))[1]["code"] == code


async def test_priority_and_tags_are_set_and_a_new_priority_counts_in_the_line(hub: Hub, bia: Person):
    first, second = [(await add_conversation(hub, None, "oi"))["conversation"] for _ in range(2)]
    body = {"priority": 4, "tags": ["vip", "fibra", "vip"]}
    assert (await call(hub, "PATCH", f"{ALL}/{second}/labels", bia.headers, json=body))[0] == 204
    line = (await call(hub, "GET", f"{ALL}?state=queued", bia.headers))[1]["items"]
    assert [(one["id"], one["tags"]) for one in line] == [(str(second), ["vip", "fibra"]), (str(first), [])]
    stale = await call(hub, "PATCH", f"{ALL}/{second}/labels", {**bia.headers, "If-Match": '"1"'}, json={"priority": 1})
    assert (stale[0], stale[1]["code"]) == (412, "stale")
    event = await hub.fetchval("SELECT payload FROM events WHERE type = 'conversation.prioritised'")
    assert (event["from_priority"], event["priority"], event["reason"]) == (1, 4, "by_hand")


async def test_a_macro_does_all_of_its_steps_or_none(hub: Hub, bia: Person):
    admin = await add_person(hub, "admin")
    await call(hub, "PUT", "/api/v1/dispositions/visita", admin.headers, json={"name": "Visita agendada"})
    steps = {
        "reply": "Marcado, {cliente}!",
        "add_tags": ["visita"],
        "priority": 3,
        "resolve": True,
        "disposition": "visita",
    }
    status, macro = await call(hub, "POST", "/api/v1/macros", admin.headers, json={"name": "Visita", "steps": steps})
    assert status == 201
    talk, late = await held(hub, bia), await held(hub, bia)
    status, done = await call(hub, "POST", f"{ALL}/{talk}/macros/{macro['id']}", bia.headers)
    after = await shown(hub, bia, talk)
    assert status == 200 and (after["state"], after["priority"], after["tags"]) == ("resolved", 3, ["visita"])
    assert after["disposition"] == "visita"
    assert (
        await hub.fetchval("SELECT content FROM messages WHERE id = $1", UUID(done["message_id"]))
        == "Marcado, Cliente!"
    )
    await call(hub, "PUT", "/api/v1/dispositions/visita", admin.headers, json={"name": "Visita", "active": False})
    before = await shown(hub, bia, late)
    status, problem = await call(hub, "POST", f"{ALL}/{late}/macros/{macro['id']}", bia.headers)
    assert (status, problem["code"]) == (422, "invalid")
    assert await shown(hub, bia, late) == before
    for wrong in ({}, {"resolve": True, "transfer_to": "x"}, {"disposition": "visita"}):
        body = {"name": "X", "steps": wrong}
        assert (await call(hub, "POST", "/api/v1/macros", admin.headers, json=body))[0] == 422, wrong


async def test_an_erasure_takes_notes_and_replies_that_wait_along(hub: Hub, bia: Person):
    talk, other = await held(hub, bia), await held(hub, bia)
    for one in (talk, other):
        await call(hub, "POST", f"{ALL}/{one}/notes", bia.headers, json={"text": "mora perto da praça"})
        body = {"text": "Bom dia!", "send_at": ahead(hours=1)}
        await call(hub, "POST", f"{ALL}/{one}/scheduled-replies", bia.headers, json=body)
    person = await hub.fetchval("SELECT customer_id FROM conversations WHERE id = $1", talk)
    erasure_id = await erase.request(hub.services, "system", person, "request")
    secret = hub.services.settings.secret_key.get_secret_value()
    async with hub.services.transaction() as tx:
        report = await access_report(tx, "system", person)
    assert [note["text"] for note in report["conversations"][0]["notes"]] == ["mora perto da praça"]
    async with hub.services.transaction() as tx:
        _, counts = await erase_rows(tx, secret, erasure_id, person, datetime.now(UTC), Marks())
    assert (counts["notes"], counts["scheduled_replies"]) == (1, 1)
    for table in ("notes", "scheduled_replies"):
        assert [row["conversation_id"] for row in await hub.fetch(f"SELECT conversation_id FROM {table}")] == [other]


def test_what_is_not_known_is_left_out_of_a_canned_reply():
    known = {"cliente": "", "protocolo": "20261126"}
    assert fill("Olá {cliente}, protocolo {protocolo} {x}", known) == "Olá, protocolo 20261126 {x}"
