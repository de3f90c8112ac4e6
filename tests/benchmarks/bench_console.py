"""(h) The console in a browser: what a page weighs, and how long until it can be worked with.

Time to interactive is when what one works with is there and the last task over 50 ms that came before five quiet seconds has ended
(W3C Long Tasks; Lighthouse's definition). Each page is opened with an empty cache on this machine as it is, and as on a middling phone by
Lighthouse's rule: the processor four times slower, 1.6 Mbit/s, 150 ms away. Beside it: the hub's own sign-in page, which
the server writes and which needs no script.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import BrowserContext, CDPSession, Page

from hub_api.platform import logging
from tests.benchmarks.report import Row
from tests.benchmarks.stack import engines
from tests.e2e.console import Scene, open_scene

ROUNDS = 5
QUIET_MS = 5_000
BAR_MS = 3_800.0  # "fast" on a phone: web.dev/articles/tti
PHONE_CPU, PHONE_BYTES_S, PHONE_AWAY_MS = 4, 1.6e6 / 8, 150
OBSERVE = """
window.busyUntil = 0;
new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.busyUntil = Math.max(window.busyUntil, task.startTime + task.duration)
}).observe({ type: 'longtask', buffered: true })
"""
QUIET = """([since, quiet]) => new Promise((done) => {
    const look = () => {
        const until = Math.max(window.busyUntil, since)
        if (performance.now() > until + quiet) done(until)
        else setTimeout(look, 100)
    }
    look()
})"""
WEIGHED = """() => {
    const parts = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    return [parts.length, parts.reduce((sum, part) => sum + part.transferSize, 0)]
}"""


@dataclass(frozen=True)
class Opened:
    """One opening of a page: milliseconds until it can be worked with, requests, bytes as they were sent."""

    ms: float
    requests: int
    sent: int


async def run(scale: float) -> list[Row]:
    """Milliseconds and kilobytes of the sign-in and of the inbox; `scale` takes fewer rounds."""
    logging.configure("ERROR", process="bench")
    rounds = max(1, int(ROUNDS * scale))
    rows: list[Row] = []
    with engines() as stack, TemporaryDirectory() as folder:
        async with open_scene(stack.database_url, stack.redis_url, Path(folder)) as scene:
            # The service worker would answer from its own cache.
            context = await scene.browser.new_context(service_workers="block", locale="pt-BR")
            await context.add_init_script(OBSERVE)
            page = await context.new_page()
            page.set_default_timeout(60_000)
            for what, is_phone in (("this machine", False), ("a phone", True)):
                session = await _conditions(context, page, is_phone=is_phone)
                plain = await _median(page, session, f"{scene.hub.url}/entrar", "input", rounds)
                sign_in = await _median(page, session, f"{scene.hub.url}/console/", "input", rounds)
                inbox = await _inbox(scene, page, session, rounds)
                bar = BAR_MS if is_phone else None
                rows += _row(f"sign-in, {what}", sign_in, plain, bar) + _row(f"inbox, {what}", inbox, plain, bar)
                await session.detach()
                await context.clear_cookies()
            await context.close()
    return rows


async def _conditions(context: BrowserContext, page: Page, *, is_phone: bool) -> CDPSession:
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    if is_phone:
        await session.send("Emulation.setCPUThrottlingRate", {"rate": PHONE_CPU})
        away = {"latency": PHONE_AWAY_MS, "downloadThroughput": PHONE_BYTES_S, "uploadThroughput": PHONE_BYTES_S / 2}
        await session.send("Network.emulateNetworkConditions", {"offline": False, **away})
    return session


async def _inbox(scene: Scene, page: Page, session: CDPSession, rounds: int) -> Opened:
    await scene.agent(page)
    return await _median(page, session, f"{scene.hub.url}/console/", "[role=tablist]", rounds)


async def _median(page: Page, session: CDPSession, url: str, works_with: str, rounds: int) -> Opened:
    """The opening in the middle of several, each with an empty cache; `works_with`: a selector."""
    opened = []
    for _ in range(rounds):
        await session.send("Network.clearBrowserCache")
        await page.goto(url, wait_until="commit")
        await page.locator(works_with).first.wait_for()
        interactive = await page.evaluate(QUIET, [await page.evaluate("performance.now()"), QUIET_MS])
        opened.append(Opened(interactive, *await page.evaluate(WEIGHED)))
    return sorted(opened, key=lambda one: one.ms)[len(opened) // 2]


def _row(what: str, found: Opened, plain: Opened, bar: float | None) -> list[Row]:
    note = f"{found.sent / 1000:,.0f} kB in {found.requests} requests; the plain page {plain.sent / 1000:,.0f} kB in {plain.requests}"
    rows = [Row(what, f"interactive after {found.ms:,.0f} ms", plain.ms / found.ms, f"the plain page, {plain.ms:,.0f} ms", note=note)]  # fmt: skip
    if bar is not None:
        rows.append(Row(what, f"interactive after {found.ms:,.0f} ms", bar / found.ms, f"bar of {bar:,.0f} ms", 1.0))
    return rows
