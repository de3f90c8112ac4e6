"""Superset's REST API, as the hub's own program speaks it: known by the hub's signature, with every right there."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from hub_api.auth.apps.assertion import HEADER, sign
from hub_api.auth.permissions import PERMISSIONS
from hub_api.errors import HubError, Unavailable
from hub_api.platform.prefix import public_path
from hub_api.settings import Settings

PATH = "/apps/superset"
PROGRAM = "hub-provisioner"


class Superset:
    """A connection to Superset's API. Calls raise Unavailable when it does not answer, HubError when it refuses."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings) -> None:
        self._session, self._settings = session, settings
        self._root = public_path(settings.public_url)
        self._csrf: str | None = None

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON answer of `/api/v1{path}`; writes carry the token that Superset wants of browsers."""
        headers = self._headers()
        if method != "GET":
            if self._csrf is None:
                self._csrf = (await self.call("GET", "/security/csrf_token/"))["result"]
            headers["X-CSRFToken"] = self._csrf
        try:
            async with self._session.request(
                method, f"{self._root}{PATH}/api/v1{path}", headers=headers, allow_redirects=False, **arguments
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"Superset does not answer: {error or type(error).__name__}") from error
        if answer.status == 404 and method == "GET":
            return None
        if answer.status >= 300:
            raise HubError(f"Superset refuses {method} {path}: {answer.status} {text[:500]}")
        return json.loads(text) if text else None

    async def rows(self, path: str, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """All rows of a list of Superset's."""
        found: list[dict[str, Any]] = []
        while True:
            asked = {"page": len(found) // 100, "page_size": 100, **({"columns": list(columns)} if columns else {})}
            page = await self.call("GET", path, params={"q": rison(asked)})
            found += page["result"]
            if len(found) >= page["count"] or not page["result"]:
                return found

    def _headers(self) -> dict[str, str]:
        secret = self._settings.superset_secret
        if secret is None:
            raise HubError("HUB_SUPERSET_SECRET is not set: Superset would not know who asks")
        claims = {
            "sub": PROGRAM, "sid": PROGRAM, "name": "Telecom Hub", "email": f"{PROGRAM}@program.invalid",
            "permissions": sorted(PERMISSIONS), "all_rows": True, "queues": [],
        }  # fmt: skip
        return {
            HEADER: sign(secret, claims),
            "Accept": "application/json",
            "Referer": self._settings.superset_url or "",
        }


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Superset]:
    """Superset of this hub. Raises Unavailable where there is none."""
    if settings.superset_url is None:
        raise Unavailable("no Superset runs with this hub: set HUB_SUPERSET_URL")
    async with aiohttp.ClientSession(
        settings.superset_url, timeout=aiohttp.ClientTimeout(total=120), cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as session:
        yield Superset(session, settings)


def rison(value: Any) -> str:
    """A plain value in Rison, the notation of Superset's `q` (https://github.com/Nanonid/rison): JSON without quotes."""
    if isinstance(value, bool):
        return f"!{'t' if value else 'f'}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("!", "!!").replace("'", "!'") + "'"
    if isinstance(value, Mapping):
        return "(" + ",".join(f"{key}:{rison(one)}" for key, one in value.items()) + ")"
    return "!(" + ",".join(rison(one) for one in value) + ")"
