"""Every route × every role, every id of another team, every write with fields nobody may set.

All three are made from the application's own routes and OpenAPI description: a route added later is covered as it is.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from hub_api.auth.api_keys import create_key
from hub_api.auth.permissions import ALL, BUILTIN, PERMISSIONS
from tests.auth.people import Person, add_conversation, add_person, add_team, bearer, call, clear_limits
from tests.auth.routes import FRAMEWORK, ROLES, Route, all_routes, other_routes, read_table, resolve
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse

ROUTES = all_routes()
REFRESH_TABLE = "run `python -m tests.auth.routes` and read the difference before you commit it"
# Fields with which an object could be taken over or a caller raise himself.
PLANTED = ("role", "team_id", "is_admin", "id", "permissions", "user_id", "created_at", "password_hash")


def test_the_table_has_every_route_and_its_permission():
    assert {route.name: route.permission for route in ROUTES} == {
        name: permission for name, (permission, _) in read_table().items()
    }, REFRESH_TABLE


def test_every_permission_is_in_the_catalogue():
    named = {route.permission for route in ROUTES} - {"public"}
    assert None not in named, f"without require(): {[route.name for route in ROUTES if route.permission is None]}"
    assert named <= set(PERMISSIONS), f"add to auth/permissions.py: {sorted(named - set(PERMISSIONS))}"
    assert {one for role in BUILTIN.values() for one in role.permissions} <= set(PERMISSIONS)


def test_nothing_is_mounted_beside_the_api():
    assert other_routes() <= FRAMEWORK


def test_every_write_has_a_body_that_names_its_fields():
    loose = [route.name for route in ROUTES if (schema := route.body_schema) and not _closed(schema, route.schemas)]
    assert not loose, f'these bodies take unknown fields; give their models extra="forbid": {loose}'


def _closed(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    options = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return all(resolve(one, schemas).get("additionalProperties") is False for one in options)


@dataclass
class World:
    """Two teams; `ours` are people of the first, one a role; `theirs` are ids of the second, with a word that only it has."""

    hub: Hub
    ours: dict[str, Person]
    theirs: dict[str, UUID]
    queue: str
    secret: str
    own: dict[str, UUID]


@pytest.fixture
async def hub(database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse) -> AsyncIterator[Hub]:
    """A hub with a warehouse: routes that ask it answer."""
    async with running_hub(make_settings(database_url, redis_url, clickhouse_url=warehouse_server.url())) as running:
        yield running


@pytest.fixture
async def world(hub: Hub) -> World:
    """A team of people of every role, and another team with everything that the tests reach for."""
    ours, _ = await add_team(hub, "nossa")
    other, queue = await add_team(hub, "outra")
    people = {role: await add_person(hub, role, ours) for role in ROLES}
    stranger = await add_person(hub, "agent", other)
    secret = "quiproquo"
    foreign = await add_conversation(hub, queue, secret, stranger.id)
    own = await add_conversation(hub, "fila-nossa", "nosso")
    session = await hub.fetchval("SELECT id FROM sessions WHERE user_id = $1", stranger.id)
    theirs = {
        "conversation": foreign["conversation"],
        "customer": foreign["customer"],
        "message": foreign["message"],
        "user": stranger.id,
        "session": session,
        "team": other,
    }
    return World(hub, people, theirs, queue, secret, own)


async def test_each_role_may_call_what_the_table_says_and_nothing_else(world: World):
    table, wrong = read_table(), []
    for route in ROUTES:
        permission, roles = table[route.name]
        if permission == "public":
            continue
        if (await call(world.hub, route.method, route.url()))[0] != 401:
            wrong.append(f"{route.name}: open without a credential")
        for role in ROLES:
            person = await _fresh(world, role, route)
            status, body = await call(world.hub, route.method, route.url(), person.headers)
            refused = status == 403 and "permission" in (body or {})
            if status == 401 or status >= 500 or refused == (role in roles):
                wrong.append(f"{route.name} as {role}: {status}, and the table says {sorted(roles)}")
    assert not wrong, "\n".join(wrong)


async def _fresh(world: World, role: str, route: Route) -> Person:
    """The role's person; another one for routes that end the caller's own sessions."""
    if route.path.endswith(("/logout", "/auth/password", "/auth/sessions")) and route.method != "GET":
        return await add_person(world.hub, role)
    return world.ours[role]


async def test_an_api_key_may_call_what_its_scopes_say(world: World):
    wrong = []
    none = await create_key(world.hub.services.db, "none", [])
    everything = await create_key(world.hub.services.db, "all", [ALL])
    for route in ROUTES:
        if route.permission == "public":
            continue
        if (await call(world.hub, route.method, route.url(), bearer(none)))[0] != 403:
            wrong.append(f"{route.name}: open to a key without scopes")
        if (await call(world.hub, route.method, route.url(), bearer(everything)))[0] in (401, 403):
            wrong.append(f"{route.name}: closed to a key with all scopes")
    assert not wrong, "\n".join(wrong)


async def test_no_id_of_another_team_opens_anything(world: World):
    """Every route with an id, called by our agent and supervisor with every id of the other team: 403, 404, or no rows."""
    before, reached = await _state(world.hub), []
    for route in ROUTES:
        if not route.parameters or route.permission == "public":
            continue
        for name in route.parameters:
            for what, foreign in world.theirs.items():
                for role in ("agent", "supervisor"):
                    url = route.url(**{name: foreign, "key": world.queue})
                    status, body = await call(world.hub, route.method, url, world.ours[role].headers, **route.request())
                    shape = status == 422 and not any("body" in e["field"] for e in (body or {}).get("errors", ()))
                    empty = route.method == "GET" and status == 200 and body.get("items") == []
                    if status not in (403, 404) and not shape and not empty:
                        reached.append(f"{route.name} with the {what}'s id as {role}: {status}")
    assert not reached, "\n".join(reached)
    assert await _state(world.hub) == before


# Routes that tell of every team on purpose, and why.
OF_ALL_TEAMS = {"GET /api/v1/agents/colleagues": "who works here: a name and a presence, for notes and handing on"}


async def test_lists_and_searches_show_nothing_of_another_team(world: World):
    """Every GET without an id, as it is and with everything that could single out the other team's rows."""
    leaks, found = [], 0
    tokens = [str(value) for value in world.theirs.values()]
    for role in ("agent", "supervisor"):
        for route in ROUTES:
            if route.method != "GET" or route.parameters or route.permission == "public" or route.name in OF_ALL_TEAMS:
                continue
            values = (*tokens, world.queue, world.secret, "queued", "assigned")
            for params in ({}, *_aimed(route, values)):
                query = {**route.request().get("params", {}), **params}
                status, body = await call(world.hub, "GET", route.url(), world.ours[role].headers, params=query)
                text = str(body)
                found += status == 200 and str(world.own["conversation"]) in text
                echoed = [value for value in tokens if value in str(params) and status != 200]
                if any(token in text and token not in echoed for token in (*tokens, f"Cliente {world.secret}")):
                    leaks.append(f"{route.name} {params} as {role}: {text[:200]}")
    assert not leaks, "\n".join(leaks)
    assert found, "not even our own conversation is shown: the test looks at nothing"


def _aimed(route: Route, values: Sequence[str]) -> Iterator[dict[str, str | list[str]]]:
    """The route's query parameters, each with every value that its schema takes; a list of values takes all of them at once."""
    for one in route.operation.get("parameters", ()):
        schema = resolve(one["schema"], route.schemas)
        is_list = schema.get("type") == "array"
        taken = [
            value for value in values if _fits(resolve(schema["items"], route.schemas) if is_list else schema, value)
        ]
        if one["in"] == "query" and taken:
            yield from [{one["name"]: taken}] if is_list else [{one["name"]: value} for value in taken]


def _fits(schema: dict[str, Any], value: str) -> bool:
    if "enum" in schema or "const" in schema:
        return value in (schema.get("enum") or [schema["const"]])
    if schema.get("format") == "uuid":
        return value.count("-") == 4
    return schema.get("type") == "string" and schema.get("format") not in ("date", "date-time")


async def test_fields_that_nobody_may_set_are_refused_by_every_write(world: World):
    """Mass assignment: each planted field in each JSON body, also in the objects inside, is 422, and nothing changes."""
    admin, before, taken = world.ours["admin"].headers, await _state(world.hub), []
    for route in ROUTES:
        schema = route.body_schema
        if schema is None:
            continue
        body = route.request()["json"]
        properties = resolve(schema, route.schemas).get("properties", {})
        for planted in PLANTED:
            if planted in properties:
                continue
            url = route.url(conversation_id=world.own["conversation"], user_id=world.theirs["user"])
            await clear_limits(world.hub)
            status, answer = await call(world.hub, route.method, url, admin, json={**body, planted: str(UUID(int=1))})
            faults = [(error["field"], error["message"]) for error in (answer or {}).get("errors", ())]
            if status == 404:
                continue  # what the path names is looked for first
            if status != 422 or not any(message.startswith("Extra inputs") for _, message in faults):
                taken.append(f"{route.name} with {planted}: {status} {faults}")
    assert not taken, "\n".join(taken)
    assert await _state(world.hub) == before


async def _state(hub: Hub) -> list[Any]:
    """A fingerprint of every table but those that every request may write: what a refused request must leave alone."""
    tables = await hub.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
        "AND NOT relispartition AND relname NOT IN ('audit_log', 'signing_keys', 'schema_migration') ORDER BY relname"
    )
    return [
        (row["relname"], await hub.fetchval(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {row['relname']} t"))
        for row in tables
    ]  # fmt: skip
