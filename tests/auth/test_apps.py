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

from hub_api.auth.apps import sockets
from hub_api.settings import Settings
from tests.auth.people import PASSWORD, add_person, bearer, clear_limits
from tests.support.hub import Hub, running_hub
from tests.support.process import free_port
from tests.support.waiting import wait_until

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
        self.seen: list[dict[str, str]] = []
        self.paths: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        self.paths.append(request.raw_path)
        if request.headers.get("Upgrade"):
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                await socket.send_bytes(message.data) if message.type is aiohttp.WSMsgType.BINARY else await socket.send_str(message.data)  # fmt: skip
            return socket
        answer = web.Response(body=await request.read() or b"page", content_type="text/html")
        answer.set_cookie("hub_session", "planted")
        return answer


@pytest.fixture
async def echo() -> AsyncIterator[tuple[str, Echo]]:
    made, app = Echo(), web.Application()
    app.router.add_route("*", "/{any:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", made
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
        assert "Set-Cookie" not in headers and {c.key: c.value for c in admin.cookie_jar} == before
        async with admin.ws_connect(f"{APP}/s", headers=origin) as socket:
            await socket.send_str("olá")
            await socket.send_bytes(b"\x00\xff")
            assert [(await socket.receive(timeout=10)).data for _ in range(2)] == ["olá", b"\x00\xff"]
        for seen in app.seen:
            assert not {"cookie", "authorization", "x-csrf-token", "x-forwarded-for"} & set(seen)
        assert app.seen[0]["accept"] == "text/html"
        async with aiohttp.ClientSession(hub.url) as program:
            assert (await asked(program, "GET", f"{APP}/x", headers=hub.auth))[0] == 200
        assert "authorization" not in app.seen[-1]


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


async def test_a_socket_ends_with_the_session_that_opened_it(settings: Settings, echo, monkeypatch):
    monkeypatch.setattr(sockets, "AGAIN_S", 0.1)
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


async def test_an_app_that_is_away_or_not_there_is_said_to_be(settings: Settings, hub: Hub):
    assert (await hub.get(f"{APP}/x", headers=hub.auth)).status == 404
    async with running_hub(behind(settings, f"http://127.0.0.1:{free_port()}")) as other:
        answer = await other.get(f"{APP}/x", headers=bearer("hub_test_key"))
        assert answer.status == 503
        with pytest.raises(WSServerHandshakeError) as error:
            await other.session.ws_connect(f"{other.url}{APP}/x", headers=other.auth)
        assert error.value.status == 503
