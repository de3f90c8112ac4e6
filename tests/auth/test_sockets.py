"""WebSockets: refused before they are accepted, ended within a second, limited; every socket route the hub has or will have."""

import asyncio
import contextlib
import dataclasses
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

import aiohttp
import pytest
from aiohttp import WSServerHandshakeError
from fastapi import APIRouter, Depends
from fastapi.routing import APIWebSocketRoute, iter_route_contexts

from hub_api.auth import sockets
from hub_api.auth.api_keys import create_key
from hub_api.auth.sockets import Guarded, converse, require_socket
from tests.auth.people import AUTH, PASSWORD, Person, add_person, add_team, bearer, call, clear_limits, sign_in
from tests.auth.routes import application
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.waiting import eventually

ECHO = "/test/echo"
SLOW_S = 2.0  # what a busy machine may add to the second
router = APIRouter()


@router.websocket(ECHO)
async def echo(guarded: Annotated[Guarded, Depends(require_socket("conversations:read"))]) -> None:
    """A route as those of the hub are."""
    await converse(guarded, _say)


async def _say(guarded: Guarded, message: str | bytes) -> None:
    await guarded.send(f"{guarded.caller.name}: {message!r}")


@pytest.fixture
async def hub(database_url: str, redis_url: str) -> AsyncIterator[Hub]:
    """The hub, and beside its routes one socket that echoes."""
    async with running_hub(make_settings(database_url, redis_url), router) as running:
        yield running


def socket_routes() -> dict[str, str | None]:
    """Paths of the application's sockets, with something in place of their parameters; and their permission, if guarded here."""
    found = {}
    for context in iter_route_contexts(application().routes):
        if isinstance(context.original_route, APIWebSocketRoute):
            calls = [one.call for one in context.original_route.dependant.dependencies]
            permission = next((one.permission for one in calls if hasattr(one, "permission")), None)
            found[re.sub(r"{\w+(:\w+)?}", "x", str(context.path))] = permission
    return found


async def handshake(hub: Hub, path: str, **options: Any) -> int:
    """Status of a handshake: 101 is an open socket."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        try:
            async with session.ws_connect(hub.url + path, **options):
                return 101
        except WSServerHandshakeError as error:
            return error.status


def cookie(person: Person) -> dict[str, str]:
    """As a browser sends a session; of itself no proof, for any page makes it send that."""
    return {"Cookie": f"hub_session={person.tokens['access_token']}"}


# Open on purpose: a visitor of a website has no credential of ours (tests/chat/test_site.py says who is let in).
PUBLIC = {"/widget/ws"}


@pytest.mark.parametrize("path", [ECHO, *sorted(socket_routes().keys() - PUBLIC)])
async def test_a_handshake_without_proof_or_from_elsewhere_is_refused(hub: Hub, path: str, caplog):
    admin = await add_person(hub, "admin")
    await hub.fetch("INSERT INTO roles (name, title, permissions) VALUES ('visita', 'Visita', '{}')")
    visitor = await add_person(hub, "visita")
    token = admin.tokens["access_token"]
    refused = {
        "nothing": (401, {}),
        "nonsense": (401, {"headers": {"Authorization": "Bearer x.y.z"}}),
        "cookie without Origin": (403, {"headers": cookie(admin)}),
        "cookie from elsewhere": (403, {"headers": {**cookie(admin), "Origin": "https://evil.example"}}),
        "cookie from a file": (403, {"headers": {**cookie(admin), "Origin": "null"}}),
        "cookie from a name like ours": (403, {"headers": {**cookie(admin), "Origin": hub.url + ".evil.example"}}),
        "token in the address": (403, {"params": {"token": token}}),
        "token under another name": (403, {"params": {"x": token}, "headers": admin.headers}),
        "key in the address": (403, {"params": {"q": "hub_" + "a" * 43}, "headers": admin.headers}),
        "no permission": (403, {"headers": visitor.headers}),
        "no permission, by cookie": (403, {"headers": {**cookie(visitor), "Origin": hub.url}}),
    }
    answers = {name: await handshake(hub, path, **options) for name, (_, options) in refused.items()}
    if path != ECHO:  # an app that does not run here is not there for anybody
        answers |= {name: 403 for name, status in answers.items() if name.startswith("no permission") and status == 404}
    assert answers == {name: status for name, (status, _) in refused.items()}
    assert token not in caplog.text


async def test_a_page_of_ours_and_a_program_are_let_in(hub: Hub):
    agent = await add_person(hub)
    for headers in ({**cookie(agent), "Origin": hub.url}, agent.headers, hub.auth):
        async with hub.session.ws_connect(hub.url + ECHO, headers=headers) as socket:
            await socket.send_str("oi")
            assert (await socket.receive_str(timeout=10)).endswith("'oi'")


DEEDS = {
    "signed out": lambda hub, one: call(hub, "POST", f"{AUTH}/logout", one.headers),
    "another role": lambda hub, one: call(
        hub, "PATCH", f"/api/v1/users/{one.id}", hub.auth, json={"role": "executive"}
    ),
    "deactivated": lambda hub, one: call(hub, "PATCH", f"/api/v1/users/{one.id}", hub.auth, json={"active": False}),
    "sessions ended": lambda hub, one: call(hub, "DELETE", f"/api/v1/users/{one.id}/sessions", hub.auth),
    "another password": lambda hub, one: call(
        hub, "POST", f"{AUTH}/password", one.headers, json={"current": PASSWORD, "new": "sete baleias na varanda azul"}
    ),
}


@pytest.mark.parametrize("what", DEEDS)
async def test_an_open_socket_ends_within_a_second_of_what_takes_its_permission(hub: Hub, what: str):
    agent, colleague = await add_person(hub), await add_person(hub)
    other = dataclasses.replace(agent, headers={}, tokens={})
    if what == "another password":  # which spares the session it is changed in
        await sign_in(hub, other)
    await clear_limits(hub)
    async with (
        hub.session.ws_connect(hub.url + ECHO, headers=agent.headers) as socket,
        hub.session.ws_connect(hub.url + ECHO, headers=colleague.headers) as unhurt,
    ):
        await socket.send_str("oi")
        assert await socket.receive_str(timeout=10)
        assert (await DEEDS[what](hub, other if other.headers else agent))[0] in (200, 204)
        began = asyncio.get_running_loop().time()
        ended = await socket.receive(timeout=20)
        assert ended.type is aiohttp.WSMsgType.CLOSE and socket.close_code == sockets.NOT_ALLOWED
        assert asyncio.get_running_loop().time() - began < 1.0 + SLOW_S
        await unhurt.send_str("ainda aqui")
        assert await unhurt.receive_str(timeout=10)


async def test_the_socket_of_a_key_ends_with_the_key(hub: Hub):
    key = await create_key(hub.services.db, "program", ["conversations:read"])
    key_id = await hub.fetchval("SELECT id FROM api_keys WHERE name = 'program'")
    async with hub.session.ws_connect(hub.url + ECHO, headers=bearer(key)) as socket:
        await socket.send_str("oi")
        assert await socket.receive_str(timeout=10)
        assert (await call(hub, "DELETE", f"/api/v1/keys/{key_id}", hub.auth))[0] == 204
        assert (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.CLOSE


async def test_a_changed_team_is_known_to_the_open_socket(hub: Hub):
    (team, _), agent = await add_team(hub, "nova"), await add_person(hub)
    seen: list[Any] = []
    teams = APIRouter()

    @teams.websocket("/test/teams")
    async def tell(guarded: Annotated[Guarded, Depends(require_socket("conversations:read"))]) -> None:
        await guarded.accept()
        while not (seen and seen[-1]):
            seen.append(guarded.caller.teams)
            await asyncio.sleep(0.02)

    async with (
        running_hub(hub.services.settings, teams) as other,
        other.session.ws_connect(other.url + "/test/teams", headers=agent.headers) as socket,
    ):
        assert (await call(hub, "PUT", f"/api/v1/teams/{team}/members/{agent.id}", hub.auth))[0] == 204
        await socket.receive(timeout=20)
    assert seen[0] == frozenset() and seen[-1] == frozenset((team,))


async def test_a_socket_that_opens_while_the_others_are_looked_at_stays_open(hub: Hub):
    agent, late = await add_person(hub), await add_person(hub)
    async with hub.session.ws_connect(hub.url + ECHO, headers=agent.headers), contextlib.AsyncExitStack() as stack:
        assert (await call(hub, "GET", f"{AUTH}/me", late.headers))[0] == 200  # Redis knows this session now
        async with hub.services.db.acquire() as blocker, blocker.transaction():
            await blocker.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
            await eventually(lambda: _somebody_waits(hub))
            opened = await stack.enter_async_context(hub.session.ws_connect(hub.url + ECHO, headers=late.headers))
        await asyncio.sleep(2 * sockets.LOOK_EVERY_S)  # the look that waited ends, and another
        await opened.send_str("oi")
        assert (await opened.receive_str(timeout=10)).endswith("'oi'")


async def _somebody_waits(hub: Hub) -> bool:
    waiting = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM sessions%'"
    )
    return await hub.fetchval(waiting)


async def test_who_says_too_much_is_cut_off_and_others_are_not(hub: Hub):
    loud, calm = await add_person(hub), await add_person(hub)
    async with (
        hub.session.ws_connect(hub.url + ECHO, headers=loud.headers) as flood,
        hub.session.ws_connect(hub.url + ECHO, headers=calm.headers) as quiet,
    ):
        with contextlib.suppress(ConnectionError):
            for number in range(1_000):
                await flood.send_str(str(number))
        answers = 0
        while (await flood.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
            answers += 1
        assert sockets.AT_ONCE <= answers < 200
        await quiet.send_str("oi")
        assert await quiet.receive_str(timeout=10)


async def test_one_caller_opens_no_more_than_his_sockets(hub: Hub):
    agent = await add_person(hub)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(sockets.MOST_OPEN):
            await stack.enter_async_context(hub.session.ws_connect(hub.url + ECHO, headers=agent.headers))
        assert await handshake(hub, ECHO, headers=agent.headers) == 429
    assert await eventually(lambda: _opens(hub, agent))


async def _opens(hub: Hub, person: Person) -> bool:
    return await handshake(hub, ECHO, headers=person.headers) == 101
