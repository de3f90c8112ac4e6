"""Dagster's real UI behind the hub, and an app that tells what reached it."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSServerHandshakeError, web
from yarl import URL

from hub_api.app import create_app
from hub_api.auth import sockets
from hub_api.settings import Settings
from tests.auth.people import PASSWORD, add_person, bearer, clear_limits
from tests.support.hub import Hub, running_hub
from tests.support.process import free_port
from tests.support.waiting import eventually, wait_until

APP = "/apps/dagster"
VERSION = {"query": "{ version }"}


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Dagster's web server without any definitions, under the prefix."""
    home, port = tmp_path_factory.mktemp("dagster"), free_port()
    command = [Path(sys.executable).with_name("dagster-webserver"), "--empty-workspace", "-h", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "-p", str(port), "--path-prefix", APP],
        env={**os.environ, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: urllib.request.urlopen(f"{url}{APP}/server_info", timeout=5).status == 200, timeout_s=120)
        yield url
    finally:
        process.terminate()
        process.wait()


class Echo:
    """An app that tells what reached it."""

    def __init__(self) -> None:
        self.port, self.ended = 0, 0
        self.seen: list[dict[str, str]] = []
        self.paths: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        self.paths.append(request.raw_path)
        if request.headers.get("Upgrade"):
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                if message.data == "die":
                    request.transport.abort()
                    return socket
                await socket.send_bytes(message.data) if message.type is aiohttp.WSMsgType.BINARY else await socket.send_str(message.data)  # fmt: skip
            self.ended += 1
            return socket
        answer = web.Response(body=await request.read() or b"page", content_type="text/html")
        answer.headers.add("Set-Cookie", "hub_session=planted; Path=/")
        answer.headers.add("Set-Cookie", "HUB_refresh=planted; Path=/api/v1/auth")
        answer.headers.add("Set-Cookie", "=hub_apps=planted; Path=/")  # comes back from browsers as hub_apps
        answer.headers.add("Set-Cookie", "session=own; Path=/; Domain=example.com; HttpOnly")
        answer.headers.update({"Clear-Site-Data": '"cookies"', "Service-Worker-Allowed": "/"})
        if request.path.endswith("/moved"):
            answer.set_status(302)
            answer.headers["Location"] = (
                f"http://{request.transport.get_extra_info('sockname')[0]}:{self.port}/apps/a/b?c=d#e"
            )
        return answer


@pytest.fixture
async def echo() -> AsyncIterator[tuple[str, Echo]]:
    made, app = Echo(), web.Application()
    app.router.add_route("*", "/{any:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{made.port}", made
    await runner.cleanup()


def behind(settings: Settings, url: str) -> Settings:
    return Settings.model_validate({**settings.model_dump(), "dagster_url": url})


async def browser(hub: Hub, role: str) -> aiohttp.ClientSession:
    """A browser signed in as this role."""
    person = await add_person(hub, role, signed_in=False)
    await clear_limits(hub)
    session = aiohttp.ClientSession(hub.url, cookie_jar=aiohttp.CookieJar(unsafe=True))
    body = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
    async with session.post("/api/v1/auth/login", json=body) as answer:
        assert answer.status == 200
    return session


async def asked(session: aiohttp.ClientSession, method: str, path: str | URL, **arguments: Any) -> tuple[int, str, Any]:
    async with session.request(method, path, **arguments) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_an_administrator_sees_dagster_and_nobody_else_does(settings: Settings, dagster: str):
    async with running_hub(behind(settings, dagster)) as hub:
        origin = {"Origin": hub.url}
        async with await browser(hub, "admin") as admin:
            status, page, headers = await asked(admin, "GET", f"{APP}/assets")
            assert status == 200 and f'"pathPrefix": "{APP}"' in page
            assert "nonce-" in headers["Content-Security-Policy"] and headers["X-Frame-Options"] == "DENY"
            script = page.partition(f'src="{APP}/')[2].partition('"')[0]
            status, _, headers = await asked(admin, "GET", f"{APP}/{script}")
            assert status == 200 and "javascript" in headers["Content-Type"]
            assert "default-src 'self'" in headers["Content-Security-Policy"]
            status, told, _ = await asked(admin, "POST", f"{APP}/graphql", json=VERSION, headers=origin)
            assert status == 200 and '"version":"1.' in told.replace(" ", "")
            async with admin.ws_connect(f"{APP}/graphql", protocols=["graphql-ws"], headers=origin) as socket:
                assert socket.protocol == "graphql-ws"
                await socket.send_json({"type": "connection_init"})
                assert (await socket.receive_json(timeout=20))["type"] == "connection_ack"
        async with await browser(hub, "agent") as agent, aiohttp.ClientSession(hub.url) as nobody:
            for session, refused in ((agent, 403), (nobody, 401)):
                assert (await asked(session, "GET", f"{APP}/assets"))[0] == refused
                assert (await asked(session, "POST", f"{APP}/graphql", json=VERSION, headers=origin))[0] == refused
                with pytest.raises(WSServerHandshakeError) as error:
                    await session.ws_connect(f"{APP}/graphql", headers=origin)
                assert error.value.status == refused


async def test_what_opens_the_hub_does_not_reach_the_app_nor_come_from_it(settings: Settings, echo):
    url, app = echo
    async with running_hub(behind(settings, url)) as hub, await browser(hub, "admin") as admin:
        origin = {"Origin": hub.url, "X-CSRF-Token": "secret", "X-Forwarded-For": "8.8.8.8", "Accept": "text/html"}
        before = {cookie.key: cookie.value for cookie in admin.cookie_jar}
        status, body, headers = await asked(
            admin, "POST", URL(f"{hub.url}{APP}/a%2Fb%20c?x=%2F..", encoded=True), data=b"z" * 300_000, headers=origin
        )
        assert (status, len(body)) == (200, 300_000)
        assert app.paths == [f"{APP}/a%2Fb%20c?x=%2F.."]
        assert headers.getall("Set-Cookie") == [f"session=own; Path={APP}/; HttpOnly"]
        assert not {"Clear-Site-Data", "Service-Worker-Allowed"} & set(headers)
        assert {c.key: c.value for c in admin.cookie_jar} == {**before, "session": "own"}
        async with admin.ws_connect(f"{APP}/s", headers=origin) as socket:
            await socket.send_str("olá")
            await socket.send_bytes(b"\x00\xff")
            assert [(await socket.receive(timeout=10)).data for _ in range(2)] == ["olá", b"\x00\xff"]
        for seen in app.seen:
            assert not {"authorization", "x-csrf-token"} & set(seen) and "hub_" not in seen.get("cookie", "")
            assert seen["x-forwarded-for"] == "127.0.0.1" and seen["x-forwarded-prefix"] == APP
            assert seen["host"] == seen["x-forwarded-host"] == hub.url.removeprefix("http://")
        assert app.seen[0]["accept"] == "text/html" and app.seen[1]["cookie"] == "session=own"
        async with aiohttp.ClientSession(hub.url) as program:
            assert (await asked(program, "GET", f"{APP}/x", headers=hub.auth))[0] == 200
        assert "authorization" not in app.seen[-1]


async def test_behind_a_proxy_that_takes_a_prefix_away_an_app_is_asked_as_the_browser_asked(settings: Settings, echo):
    url, app = echo
    prefixed = behind(settings, url).model_copy(update={"public_url": "http://127.0.0.1:8000/hub/"})
    async with running_hub(prefixed) as hub, await browser(hub, "admin") as admin:
        assert (await asked(admin, "GET", f"{APP}/a"))[0] == 200
        assert app.paths == [f"/hub{APP}/a"] and app.seen[0]["x-forwarded-prefix"] == f"/hub{APP}"


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_a_page_elsewhere_can_neither_post_nor_open_a_socket(settings: Settings, echo, origin):
    url, app = echo
    async with running_hub(behind(settings, url)) as hub, await browser(hub, "admin") as admin:
        status, body, _ = await asked(admin, "POST", f"{APP}/graphql", json=VERSION, headers=origin)
        assert status == 403 and '"csrf"' in body
        with pytest.raises(WSServerHandshakeError) as error:
            await admin.ws_connect(f"{APP}/graphql", headers=origin)
        assert error.value.status == 403 and app.seen == []


@pytest.mark.parametrize("path", ["graphql", "graphql/", "%67raphql"])
async def test_a_link_or_an_image_runs_no_query(settings: Settings, echo, path: str):
    url, app = echo
    async with running_hub(behind(settings, url)) as hub, await browser(hub, "admin") as admin:
        target = URL(f"{hub.url}{APP}/{path}?query=mutation", encoded=True)
        assert (await asked(admin, "GET", target))[0] == 403
        assert app.seen == []


async def test_a_socket_ends_with_the_session_that_opened_it(settings: Settings, echo):
    url, _ = echo
    async with (
        running_hub(behind(settings, url)) as hub,
        await browser(hub, "admin") as admin,
        admin.ws_connect(f"{APP}/s", headers={"Origin": hub.url}) as socket,
    ):
        await socket.send_str("still here")
        assert (await socket.receive(timeout=10)).data == "still here"
        csrf = next(cookie.value for cookie in admin.cookie_jar if cookie.key == "hub_csrf")
        assert (await asked(admin, "POST", "/api/v1/auth/logout", headers={"X-CSRF-Token": csrf}))[0] == 204
        ended = await socket.receive(timeout=20)
        assert (ended.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_one_caller_opens_no_more_sockets_of_apps_than_of_the_hub(settings: Settings, echo):
    url, app = echo
    async with running_hub(behind(settings, url)) as hub, await browser(hub, "admin") as admin:
        origin = {"Origin": hub.url}
        opened = [await admin.ws_connect(f"{APP}/s", headers=origin) for _ in range(sockets.MOST_OPEN)]
        with pytest.raises(WSServerHandshakeError) as error:
            await admin.ws_connect(f"{APP}/s", headers=origin)
        assert error.value.status == 429 and len(app.seen) == sockets.MOST_OPEN
        for one in opened:
            await one.close()


async def test_a_browser_that_vanishes_leaves_no_error_behind(settings: Settings, echo, capfd):
    url, app = echo
    async with running_hub(behind(settings, url)) as hub, await browser(hub, "admin") as admin:
        socket = await admin.ws_connect(f"{APP}/s", headers={"Origin": hub.url})
        await socket.send_str("still here")
        assert (await socket.receive(timeout=10)).data == "still here"
        socket._response.connection.transport.abort()
        await eventually(lambda: app.ended == 1)
    assert "Traceback" not in capfd.readouterr().err


async def test_a_socket_of_an_app_that_dies_is_closed_without_an_error(settings: Settings, echo, capfd):
    url, _ = echo
    async with (
        running_hub(behind(settings, url)) as hub,
        await browser(hub, "admin") as admin,
        admin.ws_connect(f"{APP}/s", headers={"Origin": hub.url}) as socket,
    ):
        await socket.send_str("die")
        assert (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.CLOSE and socket.close_code == 1001
    assert "Traceback" not in capfd.readouterr().err


async def test_an_app_that_is_away_or_not_there_is_said_to_be(settings: Settings, hub: Hub):
    assert (await hub.get(f"{APP}/x", headers=hub.auth)).status == 404
    async with running_hub(behind(settings, f"http://127.0.0.1:{free_port()}")) as other:
        answer = await other.get(f"{APP}/x", headers=bearer("hub_test_key"))
        assert answer.status == 503
        with pytest.raises(WSServerHandshakeError) as error:
            await other.session.ws_connect(f"{other.url}{APP}/x", headers=other.auth)
        assert error.value.status == 503


async def test_any_listed_app_is_told_who_is_there_and_nobody_else_can_tell_it(settings: Settings, echo):
    url, app = echo
    apps = [{"name": "notas", "url": url, "permission": "analytics:read"}]
    async with running_hub(Settings.model_validate({**settings.model_dump(), "apps": apps})) as hub:
        async with await browser(hub, "analyst") as ana:
            lies = {
                "X-Hub-User": "root@example.com", "X_Hub_Role": "admin", "Remote-User": "root", "X-Forwarded-User": "root",
                "X-Remote-User": "root", "X-Auth-Request-Email": "root@example.com", "X-Real-IP": "root", "Origin": hub.url,
            }  # fmt: skip
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
                assert (await asked(ana, method, "/apps/notas/api/x", headers=lies))[0] == 200
            async with ana.ws_connect("/apps/notas/kernel", protocols=["v1.kernel"], headers=lies) as socket:
                await socket.send_str("1 + 1")
                assert (await socket.receive(timeout=10)).data == "1 + 1"
            me = (await asked(ana, "GET", "/api/v1/auth/me"))[1]
            for seen in app.seen:
                told = {name: value for name, value in seen.items() if "root" in value or name.startswith("x-hub-")}
                assert set(told) == {"x-hub-user", "x-hub-user-id", "x-hub-name", "x-hub-role"}
                assert told["x-hub-role"] == "analyst" and told["x-hub-user"].startswith("analyst-")
                assert told["x-hub-user-id"] in me and told["x-hub-name"] == "Analyst%20Souza"
                assert "x_hub_role" not in seen and seen["origin"] == hub.url
            moved = await ana.get("/apps/notas/moved", allow_redirects=False)
            assert (moved.status, moved.headers["Location"]) == (302, "/apps/a/b?c=d#e")
            assert (await asked(ana, "GET", "/apps/dagster/"))[0] == 404
            assert (await asked(ana, "POST", "/apps/notas/x"))[0] == 403  # no page of ours asks
        async with await browser(hub, "agent") as agent:
            status, body, _ = await asked(agent, "GET", "/apps/notas/")
            assert status == 403 and "analytics:read" in body
        program = await hub.get("/apps/notas/", headers=hub.auth)
        assert program.status == 200 and app.seen[-1]["x-hub-user"].startswith("key:")


async def test_nobody_hides_a_request_in_the_body_of_another(settings: Settings, echo):
    url, app = echo
    async with running_hub(behind(settings, url)) as hub, await browser(hub, "admin") as admin:
        hidden = f"GET {APP}/hidden HTTP/1.1\r\nHost: x\r\nX-Hub-User: root@example.com\r\n\r\n".encode()
        for method in ("GET", "POST", "DELETE"):
            arguments = {"headers": {"Origin": hub.url}, "timeout": aiohttp.ClientTimeout(10)}
            answers = [
                (await asked(admin, method, f"{APP}/x", data=hidden, **arguments))[:2],
                (await asked(admin, method, f"{APP}/x", data=_parts(hidden), **arguments))[:2],
                (await asked(admin, method, f"{APP}/x", **arguments))[:2],
            ]
            assert answers == [(200, hidden.decode()), (200, hidden.decode()), (200, "page")]
        assert (await asked(admin, "HEAD", f"{APP}/x", data=hidden, **arguments))[0] == 200
        assert app.paths == [f"{APP}/x"] * 10
        one_hop = {"Connection": "keep-alive, X-One-Hop", "X-One-Hop": "1", "X-Whole-Way": "1"}
        assert (await asked(admin, "GET", f"{APP}/x", headers=one_hop))[0] == 200
        assert "x-whole-way" in app.seen[-1] and "x-one-hop" not in app.seen[-1]


async def _parts(body: bytes) -> AsyncIterator[bytes]:
    """A body whose length nobody tells: it goes in chunks."""
    yield body[:10]
    yield body[10:]


async def test_an_app_stays_open_when_the_consoles_access_token_has_expired_and_not_past_the_session(
    settings: Settings, echo
):
    url, _ = echo
    async with running_hub(behind(settings, url)) as hub, await browser(hub, "admin") as admin:
        csrf = next(cookie.value for cookie in admin.cookie_jar if cookie.key == "hub_csrf")
        session = next(cookie.value for cookie in admin.cookie_jar if cookie.key == "hub_session")
        admin.cookie_jar.clear(lambda cookie: cookie.key == "hub_session")  # as a browser does after 15 minutes
        assert (await asked(admin, "GET", f"{APP}/x"))[0] == 200
        assert (await asked(admin, "GET", "/api/v1/auth/me"))[0] == 401
        headers = {"X-CSRF-Token": csrf, "Cookie": f"hub_session={session}"}
        assert (await asked(admin, "POST", "/api/v1/auth/logout", headers=headers))[0] == 204
        assert (await asked(admin, "GET", f"{APP}/x"))[0] == 401


@pytest.mark.parametrize(
    "apps",
    [
        [{"name": "a", "url": "http://127.0.0.1:1", "permission": "no:such"}],
        [{"name": "a", "url": "http://127.0.0.1:1", "permission": "ai:read"}] * 2,
        [{"name": "dagster", "url": "http://127.0.0.1:1", "permission": "ai:read"}],
        [{"name": "a/b", "url": "http://127.0.0.1:1", "permission": "ai:read"}],
        [{"name": "a", "url": "http://127.0.0.1:1/path", "permission": "ai:read"}],
    ],
)
def test_a_list_of_apps_that_cannot_be_is_refused_at_the_start(settings: Settings, apps: list[dict[str, str]]):
    with pytest.raises(ValueError, match=r"apps|APPS"):
        create_app(Settings.model_validate({**behind(settings, "http://127.0.0.1:1").model_dump(), "apps": apps}))
