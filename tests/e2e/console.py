"""The agents' console in a real Chromium, for its tests: a customer at the simulator, an agent at the console.

The hub is in this process with its jobs run as they come, the channel is the simulator. `HUB_TEST_SHOTS` names a folder for
screenshots of each page in both languages and schemes, for people to look at.
"""

import asyncio
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, async_playwright

from hub_api.simulator.demo import connect_number
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.media.fetcher import open_fetcher
from tests.auth.people import PASSWORD, Person, add_person, clear_limits
from tests.e2e.chromium import CHROMIUM_OPTIONS
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.process import free_port
from tests.support.simulator import ANA, TOKEN, test_config

CONSOLE = Path(__file__).parents[2] / "hub_api/console"
AXE = CONSOLE / "node_modules/axe-core/axe.min.js"
SHOTS = os.environ.get("HUB_TEST_SHOTS")
PATIENCE_MS = 20_000
# A microphone that hums, and nobody who asks whether it may be heard.
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@dataclass
class Scene:
    """A hub that works, a channel with customers, a browser."""

    hub: Hub
    simulator: Simulator
    browser: Browser
    complaints: list[str]

    async def says(self, text: str) -> None:
        """The customer Ana writes."""
        await self._control("inbound", {"from": ANA, "text": text})

    async def sends(self, kind: str, **content: Any) -> None:
        """She sends something else, and what came as a file is fetched."""
        await self._control("inbound", {"from": ANA, "type": kind, "content": content})
        await self.simulator.core.settled()
        await self.hub.settled()
        await (await self.hub.services.shared(open_fetcher)).idle()

    async def fault(self, **fields: Any) -> None:
        await self._control("faults", fields)

    async def _control(self, what: str, body: dict[str, Any]) -> None:
        async with self.hub.session.post(f"{self.simulator.url}/_sim/{what}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def page(
        self, *, width: int = 1440, height: int = 900, scheme: str = "light", language: str = "pt-BR"
    ) -> Page:
        """A page of a fresh browser; what its console complains about is kept."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=language
        )
        await context.add_init_script(f"localStorage.setItem('hub.language', '{language}')")
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda told: _is_policy(told.text) and self.complaints.append(told.text))
        return page

    async def agent(self, page: Page, role: str = "agent", **columns: Any) -> Person:
        """Somebody who signs in on this page by password."""
        person = await add_person(self.hub, role, signed_in=False, **columns)
        await clear_limits(self.hub)
        await page.goto(f"{self.hub.url}/console/")
        await sign_in(page, person.email)
        await page.get_by_role("tablist").wait_for()
        return person


def _is_policy(text: str) -> bool:
    return "Content Security Policy" in text or "Content-Security-Policy" in text


@asynccontextmanager
async def open_scene(database_url: str, redis_url: str, folder: Path, **changes: Any) -> AsyncIterator[Scene]:
    """The hub with its files in `folder`, the simulator, the browser; `changes` are settings. What the page complained of fails."""
    async with Simulator(test_config()) as simulator, async_playwright() as playwright:
        port = free_port()
        settings = make_settings(
            database_url,
            redis_url,
            meta_base_url=simulator.url,
            public_url=f"http://127.0.0.1:{port}",
            media_dir=folder / "media",
            **changes,
        )
        await connect_number(settings, TOKEN)
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        browser = await playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_OPTIONS, *MICROPHONE])
        async with running_hub(settings, port=port) as hub:
            made = Scene(hub, simulator, browser, [])
            await made._control("webhooks", {"url": f"{hub.url}/webhooks/whatsapp"})
            working = asyncio.create_task(_work(hub))
            try:
                yield made
            finally:
                working.cancel()
                with suppress(asyncio.CancelledError):
                    await working
                await browser.close()
        assert not made.complaints


async def _work(hub: Hub) -> None:
    """Do what waits, as the workers do."""
    while True:
        await hub.settled()
        await asyncio.sleep(0.05)


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label(re.compile("^(Senha|Password)")).fill(password)
    await page.get_by_role("button", name=re.compile("^(Entrar|Sign in)$")).click()


def head(page: Page) -> Locator:
    """The head of the open conversation: its state and what can be done."""
    return page.get_by_role("region", name=re.compile("^(Conversa|Conversation)$")).locator("header")


async def shot(page: Page, name: str) -> None:
    """For people to look at."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        await page.wait_for_timeout(400)  # transitions of the components
        await page.screenshot(path=f"{SHOTS}/{name}.png")


# Two frames on, so that what was begun a moment ago counts; what turns for ever does not.
STILL = """() => new Promise(tell => requestAnimationFrame(() => requestAnimationFrame(() => tell(
    document.getAnimations().every(one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)
))))"""


async def accessible(page: Page) -> None:
    """axe-core finds nothing on the page as it is. What it finds while something changes beside it, it has to find once more."""
    await page.evaluate(AXE.read_text())
    for _ in range(3):
        await until(lambda: page.evaluate(STILL), "transitions are over, whose colours are not the page's")
        found = await page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        told = [
            f"{one['id']}: {one['help']}: {[n['html'][:200] for n in one['nodes'][:3]]}" for one in found["violations"]
        ]
        if not told:
            return
    raise AssertionError("\n".join(told))


@asynccontextmanager
async def prefixed(hub: Hub, prefix: str) -> AsyncIterator[str]:
    """A proxy that has the hub behind a prefix, as nginx has it: the prefix goes, cookies get it (proxy_cookie_path)."""

    async def pass_on(request: web.Request) -> web.StreamResponse:
        path = request.path_qs.removeprefix(prefix)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await pass_frames(request, f"{hub.url}{path}")
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Accept-Encoding")}
        body = await request.read()
        asked = session.request(request.method, f"{hub.url}{path}", headers=headers, data=body, allow_redirects=False)
        async with asked as answer:
            told = web.Response(status=answer.status, body=await answer.read())
            for name, value in answer.headers.items():
                if name.lower() == "set-cookie":
                    told.headers.add(name, value.replace("Path=/", f"Path={prefix}/"))
                elif name.lower() not in ("content-length", "transfer-encoding", "content-encoding"):
                    told.headers.add(name, value)
            return told

    async def pass_frames(request: web.Request, url: str) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        headers = {"Cookie": request.headers["Cookie"], "Origin": hub.url}
        async with session.ws_connect(url, headers=headers) as behind:
            await socket.prepare(request)

            async def back() -> None:
                async for message in behind:
                    await socket.send_str(message.data)

            returning = asyncio.create_task(back())
            async for message in socket:
                await behind.send_str(message.data)
            returning.cancel()
        return socket

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, shutdown_timeout=1)
    port = free_port()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}{prefix}"
        finally:
            await runner.cleanup()


async def until(condition: Callable[[], Awaitable[Any]], what: str, deadline_s: float = 30) -> Any:
    end = time.monotonic() + deadline_s
    while not (found := await condition()):
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.05)
    return found
