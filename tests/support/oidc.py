"""npm's oidc-provider as a process of its own, and a browser that follows redirects between it and the hub."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from tests.support.hub import Hub
from tests.support.process import free_port

FOLDER = Path(__file__).parent.parent / "auth" / "provider"
ROOT = FOLDER.parent.parent.parent
CLIENT_ID, CLIENT_SECRET = "hub", "a secret: with signs/of + its own"
PUBLIC_URL = "http://hub.test"  # what the provider knows; the browser finds the hub's port behind it


class OutsideProvider:
    """The provider; `restart` gives it another signing key."""

    def __init__(self, accounts: dict[str, dict[str, Any]]) -> None:
        self.port, self.accounts = free_port(), accounts
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        # Installs it on a machine where `make test` has not run yet; a second time nothing is done.
        subprocess.run(["make", "--silent", "packages"], cwd=ROOT, check=True)
        redirect = f"{PUBLIC_URL}/api/v1/auth/oidc/callback"
        self._process = subprocess.Popen(
            ["node", "server.mjs", str(self.port), redirect],
            cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(self.accounts))
        self._process.stdin.close()
        said = []
        for line in self._process.stdout:
            if line.strip() == "ready":
                return
            said.append(line)
        raise RuntimeError(f"the provider did not start: {''.join(said)}")

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()

    def restart(self) -> None:
        self.stop()
        self.start()


@contextmanager
def outside_provider(accounts: dict[str, dict[str, Any]]) -> Iterator[OutsideProvider]:
    made = OutsideProvider(accounts)
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Browser:
    """Keeps cookies and follows redirects, one step at a time."""

    def __init__(self, hub: Hub, session: aiohttp.ClientSession) -> None:
        self.hub, self.session = hub, session
        self.visited: list[str] = []
        self.status, self.body, self.location = 0, "", ""

    async def step(self, url: str, **form: str) -> None:
        """One request: GET, or POST when there is a form."""
        self.visited.append(url)
        real = self.hub.url + url.removeprefix(PUBLIC_URL) if url.startswith(PUBLIC_URL) else url
        method = "POST" if form else "GET"
        async with self.session.request(
            method, URL(real, encoded=True), data=form or None, allow_redirects=False
        ) as answer:
            self.status, self.body = answer.status, await answer.text()
            found = answer.headers.get("Location", "")
            self.location = str(URL(url, encoded=True).join(URL(found, encoded=True))) if found else ""

    async def follow(self, *, until: str = "\0") -> None:
        """Go on until a page is shown, the next step begins with `until`, or the console's pages begin."""
        while self.location and not self.location.startswith(until):
            here = self.location
            if here.startswith(PUBLIC_URL) and not here.startswith(f"{PUBLIC_URL}/api/"):
                return
            await self.step(here)

    async def sign_in(self, account: str, amr: str = "", return_to: str = "/inicio", *, stop: str = "\0") -> None:
        """From the hub to the provider, its page, and back."""
        self.location = f"{PUBLIC_URL}/api/v1/auth/oidc/login?return_to={return_to}"
        await self.follow(until=stop)
        if 'name="account"' in self.body and "/interaction/" in self.visited[-1]:
            await self.step(self.visited[-1], account=account, amr=amr)
            await self.follow(until=stop)

    @property
    def problem(self) -> str:
        """The code of a problem+json answer."""
        return json.loads(self.body)["code"]

    async def me(self) -> tuple[int, dict[str, Any]]:
        """Who the hub says this browser is."""
        async with self.session.get(f"{self.hub.url}/api/v1/auth/me") as answer:
            return answer.status, await answer.json()


def browser_session() -> aiohttp.ClientSession:
    """Cookies of addresses are kept too: all is on loopback here."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
