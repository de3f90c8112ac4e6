"""What leaves a row in the audit log: every write, looks at what is beyond the own queue, refusals of guessers.

Write routes come from the application: one added later fails here until it is audited, or stands among the exceptions with
a reason.
"""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from hub_api.auth import audit
from hub_api.auth.api_keys import create_key
from hub_api.auth.identify import count_sends
from hub_api.simulator.server import Simulator
from tests.auth.deeds import do
from tests.auth.people import add_conversation, add_person, add_team, bearer, call, clear_limits, login
from tests.auth.routes import all_routes
from tests.auth.scene import Scene, set_the_scene
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.simulator import test_config
from tests.support.waiting import eventually

WRITES = [route for route in all_routes() if route.method not in ("GET", "HEAD", "OPTIONS")]
# Writes without a row of their own, and why.
EXCEPTIONS = {
    "POST /api/v1/analytics/dashboards/{slug}/guest-token": "narrows for five minutes what the session shows anyway",
    "POST /api/v1/agents/me/heartbeat": "says that one is there, every ten seconds; the presence itself has its rows",
    "POST /api/v1/auth/refresh": "continues a session whose beginning is there; a token used twice ends it with a row",
    "POST /api/v1/auth/totp": "nothing is in force before `confirm`, which has a row",
    "POST /api/v1/conversations/{conversation_id}/read": "blue ticks: nothing is said and nothing kept",
    "POST /api/v1/media/{media_id}/link": "a look: noted when it is beyond the own queue",
    "POST /api/v1/campaigns/{campaign_id}/check": "keeps nothing; whom its samples showed is noted as a look",
    "POST /api/v1/segments/preview": "keeps nothing; whom it showed beyond the own queues is noted as a look",
    "POST /api/v1/segments/{segment_id}/snapshots": "asks the warehouse, which this hub has not: tests/analytics/test_segments.py",
    "POST /api/v1/whatsapp/accounts/{account_id}/templates/sync": "takes over what Meta says; the templates' history has it",
    "POST /api/v1/whatsapp/numbers/{number_id}/check": "takes over what Meta says; the number's history has it",
    "POST /api/v1/whatsapp/templates/preview": "keeps nothing",
    **{
        f"{method} /apps/{{app}}/{{path:path}}": "the app's deed, in its own log"
        for method in ("POST", "PUT", "PATCH", "DELETE")
    },
    "POST /openid/authorize": "leads to the same by GET, where the sign-in has its row",
    "POST /openid/token": "redeems a code whose sign-in has its row; a code used twice ends the grant with one",
    "POST /openid/revoke": "without a token of use nothing happens; with one the grant ends with its row",
    "POST /openid/logout": "without a session nothing happens; with one it ends with its row",
    "POST /openid/userinfo": "reads",
}


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Meta, mail and SMS."""
    async with Simulator(test_config(), smtp_port=0) as running:
        yield running


@pytest.fixture
async def scene(database_url: str, redis_url: str, sim: Simulator) -> AsyncIterator[Scene]:
    """A hub whose Meta and SMS are the simulator."""
    settings = make_settings(
        database_url, redis_url, meta_base_url=sim.url, sms_url=f"{sim.url}/_sim/sms", link_hosts=("www.example.com",)
    )
    async with running_hub(settings) as hub:
        yield await set_the_scene(hub, sim)


async def test_every_write_that_succeeds_leaves_a_row_with_who_what_and_where(scene: Scene):
    wrong = []
    for route in WRITES:
        if route.name in EXCEPTIONS:
            continue
        await clear_limits(scene.hub)
        fresh = await set_the_scene(scene.hub, scene.sim)
        await clear_limits(scene.hub)
        status, trace, text = await do(fresh, route)
        if status >= 300:
            wrong.append(f"{route.name}: {status} {text[:200]}: tell tests/auth/deeds.py how it succeeds")
            continue
        rows = await _rows(fresh.hub, trace)
        if not rows:
            wrong.append(f"{route.name}: {status} without an audit row")
        if any(row["action"].endswith(".sent") for row in rows) and count_sends not in route.calls:
            wrong.append(f"{route.name}: sends, and does not count itself: Depends(count_sends)")
        for row in rows:
            if not row["actor"] or row["address"] != "127.0.0.1" or not row["object_type"]:
                wrong.append(f"{route.name}: {dict(row)}")
            if route.permission != "public" and row["actor"].partition(":")[0] != "user":
                wrong.append(f"{route.name}: by {row['actor']}")
    assert not wrong, "\n".join(wrong)


def test_exceptions_are_routes_that_there_are():
    assert set(EXCEPTIONS) <= {route.name for route in WRITES}


async def _rows(hub: Hub, trace: str) -> list:
    """Rows of a request; some deeds are done after its answer."""
    try:
        return await eventually(lambda: hub.fetch("SELECT * FROM audit_log WHERE trace_id = $1", trace))
    except AssertionError:
        return []


async def test_a_look_beyond_the_own_queue_is_noted_once_an_hour_and_found_by_each_object(scene: Scene):
    hub = scene.hub
    other, queue = await add_team(hub, "longe")
    mine, _ = await add_team(hub, "perto")
    theirs = [await add_conversation(hub, queue, f"segredo {word}") for word in ("um", "dois")]
    shared = await add_conversation(hub, None, "de todos")
    supervisor, agent = await add_person(hub, "supervisor", mine), await add_person(hub, "agent", other)
    admin, auditor = await add_person(hub, "admin", mine), await add_person(hub, "admin")
    looks = [
        f"/api/v1/conversations/{theirs[0]['conversation']}",
        f"/api/v1/conversations/{theirs[0]['conversation']}/messages",
        f"/api/v1/customers/{theirs[0]['customer']}",
        f"/api/v1/conversations/{shared['conversation']}",
        "/api/v1/conversations",
        "/api/v1/messages/search?q=segredo",
        "/api/v1/customers?name=segredo",
    ]
    for person in (agent, supervisor, admin, admin):
        statuses = [(await call(hub, "GET", path, person.headers))[0] for path in looks]
        assert statuses == ([404, 404, 404, 200, 200, 200, 200] if person is supervisor else [200] * 7)
    rows = await hub.fetch("SELECT * FROM audit_log WHERE action = 'personal_data.viewed' ORDER BY id")
    assert {row["actor"] for row in rows} == {f"user:{admin.id}"}, "who looks at his own queues leaves no row"
    seen = [(row["object_type"], row["detail"]["what"]) for row in rows]
    assert seen == [
        ("conversation", "conversation"),
        ("conversation", "messages"),
        ("customer", "customer"),
        ("conversation", "list"),
        ("conversation", "search"),
        ("customer", "list"),
    ]
    assert str(shared["conversation"]) not in str([dict(row) for row in rows])
    asked = {"object_type": "customer", "object_id": str(theirs[1]["customer"])}
    _, found = await call(hub, "GET", "/api/v1/audit", auditor.headers, params=asked)
    assert [one["detail"]["what"] for one in found["items"]] == ["list"], "a list is found by each that it showed"


async def test_the_log_is_searched_by_actor_action_object_time_and_trace(scene: Scene):
    hub, auditor = scene.hub, scene.admin
    bia, caio = await add_person(hub, "admin"), await add_person(hub, "admin")
    for person, name in ((bia, "um"), (caio, "dois")):
        assert (await call(hub, "POST", "/api/v1/teams", person.headers, json={"name": name}))[0] == 201
    whole = (await call(hub, "GET", "/api/v1/audit", auditor.headers, params={"action": "team.created"}))[1]["items"]
    assert [one["actor"] for one in whole] == [f"user:{caio.id}", f"user:{bia.id}"]
    first, last = whole[1], whole[0]
    one_of_two = [
        {"actor": f"user:{bia.id}"},
        {"object_type": "team", "object_id": first["object_id"]},
        {"trace_id": first["trace_id"]},
        {"until": last["created_at"]},
    ]
    for question in one_of_two:
        question = {"action": "team.created", **question}
        _, found = await call(hub, "GET", "/api/v1/audit", auditor.headers, params=question)
        assert [one["id"] for one in found["items"]] == [first["id"]], question
    _, late = await call(
        hub, "GET", "/api/v1/audit", auditor.headers, params={"action": "team.created", "since": last["created_at"]}
    )
    assert [one["id"] for one in late["items"]] == [last["id"]]


async def test_the_log_names_people_keys_and_applications(scene: Scene):
    hub = scene.hub
    bia = await add_person(hub, "admin", name="Bia Lima")
    db = hub.services.db
    keys = [
        await create_key(db, name, ["teams:write"], user_id=user) for name, user in (("ERP", None), ("CRM", bia.id))
    ]
    for headers, name in (
        (bia.headers, "um"),
        *((bearer(key), name) for key, name in zip(keys, ("dois", "três"), strict=True)),
    ):
        assert (await call(hub, "POST", "/api/v1/teams", headers, json={"name": name}))[0] == 201
    await hub.fetch(
        "INSERT INTO openid_clients (id, name, redirect_uris, permission) VALUES ('loja', 'Loja', '{https://a.example}', 'x:y')"
    )
    others = [
        "openid_client:loja",
        "openid_client:gone",
        "system",
        f"customer:{bia.id}",
        f"user:{UUID(int=1)}",
        "user:broken",
    ]
    async with hub.services.transaction() as tx:
        for other in others:
            await audit.write(tx, other, "team.created", "team", None)
    _, found = await call(hub, "GET", "/api/v1/audit", scene.admin.headers, params={"action": "team.created"})
    named = {one["after"]["name"]: one["actor_name"] for one in found["items"] if one["after"]}
    assert named == {"um": "Bia Lima", "dois": "ERP", "três": "CRM · Bia Lima"}
    told = {one["actor"]: one["actor_name"] for one in found["items"] if not one["after"]}
    assert told == {"openid_client:loja": "Loja", **dict.fromkeys(others[1:])}
    assert [one["id"] for one in found["items"]] == sorted((one["id"] for one in found["items"]), reverse=True)


async def test_a_guesser_who_is_refused_leaves_one_row_a_minute(
    scene: Scene,
):
    bia = await add_person(scene.hub, signed_in=False)
    await clear_limits(scene.hub)
    answers = [(await login(scene.hub, bia.email, "errada"))[0] for _ in range(30)]
    assert answers.count(401) == 5 and answers.count(429) == 25
    rows = await scene.hub.fetch("SELECT * FROM audit_log WHERE action = 'signin.limited'")
    assert [(row["actor"], row["address"]) for row in rows] == [("anonymous", "127.0.0.1")]
    assert rows[0]["detail"]["tried"] == "signin" and bia.email not in str(rows[0]["detail"])
    assert rows[0]["detail"]["email"].endswith("@example.com")
