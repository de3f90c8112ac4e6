"""Queues as data over HTTP: rules, circles, teams, versions."""

from typing import Any

from tests.auth.people import Person, actions, add_person, add_team, call
from tests.chat.routing.lines import add_waiting
from tests.support.hub import Hub

QUEUES = "/api/v1/queues"


async def make(hub: Hub, who: Person, key: str, **rules: Any) -> tuple[int, Any]:
    return await call(hub, "POST", QUEUES, who.headers, json={"key": key, "name": key.title(), **rules})


async def test_a_queue_is_made_changed_and_deleted_and_each_leaves_a_row(hub: Hub):
    admin = await add_person(hub, "admin")
    status, made = await make(hub, admin, "suporte", skills={"fibra": 3}, strategy="weighted")
    assert status == 201 and made["skills"] == {"fibra": 3} and made["waiting"] == 0 and made["overflow_queue"] is None
    assert "{position}" in made["waiting_text"]
    assert (await make(hub, admin, "suporte"))[1]["code"] == "conflict"
    status, changed = await call(
        hub, "PUT", f"{QUEUES}/suporte", {**admin.headers, "If-Match": f'"{made["version"]}"'}, json={"name": "Suporte"}
    )
    assert status == 200 and changed["skills"] == {} and changed["version"] == made["version"] + 1
    status, stale = await call(
        hub, "PUT", f"{QUEUES}/suporte", {**admin.headers, "If-Match": f'"{made["version"]}"'}, json={"name": "X"}
    )
    assert (status, stale["code"]) == (412, "stale")
    assert (await call(hub, "DELETE", f"{QUEUES}/suporte", admin.headers))[0] == 204
    assert (await call(hub, "GET", f"{QUEUES}/suporte", admin.headers))[0] == 404
    assert [one for one in await actions(hub) if one.startswith("queue.")] == [
        "queue.created",
        "queue.changed",
        "queue.deleted",
    ]


async def test_a_queue_with_a_history_is_not_deleted(hub: Hub):
    admin = await add_person(hub, "admin")
    await make(hub, admin, "suporte")
    await add_waiting(hub.services, await hub.fetchval("SELECT id FROM queues"), ago_s=60)
    status, problem = await call(hub, "DELETE", f"{QUEUES}/suporte", admin.headers)
    assert (status, problem["code"]) == (409, "conflict")
    shown = (await call(hub, "GET", f"{QUEUES}/suporte", admin.headers))[1]
    assert shown["waiting"] == 1 and shown["oldest_waiting_at"]


async def test_overflows_never_lead_in_a_circle(hub: Hub):
    admin = await add_person(hub, "admin")
    await make(hub, admin, "c")
    await make(hub, admin, "b", overflow_queue="c", overflow_after_s=60)
    await make(hub, admin, "a", overflow_queue="b", overflow_after_s=60)
    for target in ("a", "b", "c"):
        body = {"name": "C", "overflow_queue": target, "overflow_after_s": 60}
        status, problem = await call(hub, "PUT", f"{QUEUES}/c", admin.headers, json=body)
        assert (status, problem["code"]) == (422, "invalid"), target
    assert (await call(hub, "GET", f"{QUEUES}/c", admin.headers))[1]["overflow_queue"] is None


async def test_what_makes_no_sense_is_refused(hub: Hub):
    admin = await add_person(hub, "admin")
    wrong: list[dict[str, Any]] = [
        {"overflow_queue": "x"}, {"escalate_to": 3}, {"business_hours": "sempre"}, {"skills": {"fibra": 9}},
        {"strategy": "whim"}, {"hook_url": "http://10.0.0.1/"}, {"hook_url": "https://127.0.0.1/"}, {"key": "Com Espaço"},
    ]  # fmt: skip
    for rules in wrong:
        assert (await make(hub, admin, **{"key": "a", **rules}))[0] == 422, rules
    assert await hub.fetchval("SELECT count(*) FROM queues") == 0


async def test_there_is_one_default_queue(hub: Hub):
    admin = await add_person(hub, "admin")
    await make(hub, admin, "a", is_default=True)
    await make(hub, admin, "b", is_default=True)
    items = (await call(hub, "GET", QUEUES, admin.headers))[1]["items"]
    assert [(one["key"], one["is_default"]) for one in items] == [("a", False), ("b", True)]


async def test_a_supervisor_changes_the_queues_of_his_teams_only(hub: Hub):
    team, own = await add_team(hub, "norte")
    _, other = await add_team(hub, "sul")
    admin, boss = await add_person(hub, "admin"), await add_person(hub, "supervisor", team)
    await make(hub, admin, "geral")
    rules = {"name": "Outro", "strategy": "round_robin"}
    assert [
        (await call(hub, "PUT", f"{QUEUES}/{key}", boss.headers, json=rules))[0] for key in (own, other, "geral")
    ] == [200, 404, 403]
    assert (await make(hub, boss, "nova"))[0] == 403
    assert (await make(hub, boss, "nova", team_id=str(team)))[0] == 201
    keys = [one["key"] for one in (await call(hub, "GET", QUEUES, boss.headers))[1]["items"]]
    assert set(keys) == {own, "geral", "nova"}


async def test_who_serves_sees_queues_without_the_address_of_their_hook(hub: Hub):
    admin, agent = await add_person(hub, "admin"), await add_person(hub)
    await make(hub, admin, "geral", hook_url="https://router.example.com/secret")
    assert (await call(hub, "GET", f"{QUEUES}/geral", admin.headers))[1]["hook_url"]
    assert (await call(hub, "GET", f"{QUEUES}/geral", agent.headers))[1]["hook_url"] is None
    assert (await make(hub, agent, "x"))[0] == 403


async def test_nothing_is_handed_to_a_queue_that_is_not_active(hub: Hub):
    admin = await add_person(hub, "admin")
    await make(hub, admin, "velha", active=False)
    await make(hub, admin, "nova")
    talk = await add_waiting(hub.services, await hub.fetchval("SELECT id FROM queues WHERE key = 'nova'"))
    path = f"/api/v1/conversations/{talk}/transfer"
    assert (await call(hub, "POST", path, admin.headers, json={"queue": "velha"}))[0] == 404
