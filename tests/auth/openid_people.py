"""A hub as provider on its own address, clients registered there, and a browser that follows it."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from yarl import URL

from hub_api.settings import Settings
from tests.auth.people import PASSWORD, Person, add_person, clear_limits
from tests.support.hub import Hub, running_hub
from tests.support.process import free_port

REDIRECT = "https://superset.example.com/oauth-authorized/hub?next=a%20b"
LOGOUT = "https://superset.example.com/login/"
CLIENTS = "/api/v1/openid/clients"


@asynccontextmanager
async def provider(settings: Settings, **more: Any) -> AsyncIterator[Hub]:
    """The hub under the address that it tells clients."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with running_hub(
        Settings.model_validate({**settings.model_dump(), "public_url": url, **more}), port=port
    ) as hub:
        yield hub


async def register(hub: Hub, client_id: str = "superset", **fields: Any) -> str:
    """A client; returns its secret."""
    body = {"id": client_id, "name": "Superset", "redirect_uris": [REDIRECT], "logout_uris": [LOGOUT], **fields}
    answer = await hub.post(CLIENTS, json=body, headers=hub.auth)
    assert answer.status == 201, await answer.text()
    return (await answer.json())["secret"]


class Visitor:
    """A person's browser at the hub."""

    def __init__(self, hub: Hub, person: Person, session: aiohttp.ClientSession) -> None:
        self.hub, self.person, self.session = hub, person, session

    async def sign_in(self) -> None:
        """By password, as the sign-in page does it."""
        await clear_limits(self.hub)
        body = {"email": self.person.email, "password": PASSWORD, "transport": "cookie"}
        async with self.session.post("/api/v1/auth/login", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def visit(self, url: str, method: str = "GET", **arguments: Any) -> tuple[int, str]:
        """Status, and where the answer leads or what it says."""
        async with self.session.request(method, URL(url, encoded=True), allow_redirects=False, **arguments) as answer:
            return answer.status, answer.headers.get("Location") or await answer.text()

    async def sign_out(self) -> None:
        """As the console does it."""
        csrf = next(cookie.value for cookie in self.session.cookie_jar if cookie.key == "hub_csrf")
        async with self.session.post("/api/v1/auth/logout", headers={"X-CSRF-Token": csrf}) as answer:
            assert answer.status == 204


@asynccontextmanager
async def visitor(hub: Hub, role: str = "analyst", *, signed_in: bool = True, **columns: Any) -> AsyncIterator[Visitor]:
    """A person of this role in a browser of his own."""
    person = await add_person(hub, role, signed_in=False, **columns)
    async with aiohttp.ClientSession(hub.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        made = Visitor(hub, person, session)
        if signed_in:
            await made.sign_in()
        yield made


class Request:
    """An authorization request made by hand, to be broken in one place."""

    def __init__(self, hub: Hub, client_id: str = "superset", **changes: str | None) -> None:
        self.hub, self.client_id, self.verifier = hub, client_id, secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        values: dict[str, str | None] = {
            "response_type": "code", "client_id": client_id, "redirect_uri": REDIRECT, "scope": "openid offline_access",
            "state": "the state", "nonce": "the nonce", "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), **changes,
        }  # fmt: skip
        self.values = {name: value for name, value in values.items() if value is not None}

    @property
    def url(self) -> str:
        return f"{self.hub.url}/openid/authorize?{urlencode(self.values)}"

    async def code(self, who: Visitor) -> str:
        """The code that the browser brings to the client."""
        status, location = await who.visit(self.url)
        told = query_of(location)
        assert status == 303 and "code" in told, (status, location)
        assert location.startswith(REDIRECT + "&") and told["state"] == "the state" and told["iss"] == self.hub.url
        return told["code"]

    async def redeem(self, code: str, secret: str | None, /, **changes: Any) -> tuple[int, dict[str, Any]]:
        """What the token endpoint says to the client."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": self.client_id,
            "code_verifier": self.verifier, **({"client_secret": secret} if secret else {}), **changes,
        }  # fmt: skip
        return await token_call(self.hub, {name: value for name, value in form.items() if value is not None})

    async def refresh(self, token: str, secret: str | None, **changes: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.client_id, **changes}
        return await token_call(self.hub, {**form, **({"client_secret": secret} if secret else {})})


async def token_call(hub: Hub, form: dict[str, str], path: str = "/openid/token") -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer to a client."""
    answer = await hub.post(path, data=form)
    return answer.status, (await answer.json() if answer.content_type == "application/json" else {})


async def userinfo(hub: Hub, token: str) -> tuple[int, dict[str, Any]]:
    """What the access token opens."""
    answer = await hub.get("/openid/userinfo", headers={"Authorization": f"Bearer {token}"})
    return answer.status, await answer.json()


def query_of(url: str) -> dict[str, str]:
    """The parameters in an address."""
    return dict(parse_qsl(urlsplit(url).query))
