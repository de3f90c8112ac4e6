"""The console's cookies: what a page elsewhere, a planted cookie, and a script cannot do."""

from typing import Any

import aiohttp
import pytest

from tests.auth.people import AUTH, PASSWORD, add_person, call, clear_limits, sign_in
from tests.support.hub import Hub

ME = f"{AUTH}/me"


class Browser:
    """A browser with its cookies; `csrf` is what a page of ours would read and send."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.cookies, self.csrf = hub, {}, ""
        self.set_cookies: dict[str, Any] = {}

    async def send(self, method: str, path: str, *, csrf: str | None = None, **arguments: Any) -> int:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if csrf is not None:
            headers["X-CSRF-Token"] = csrf
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method, self.hub.url + path, headers={**headers, **arguments.pop("headers", {})}, **arguments
            ) as answer,
        ):
            self.set_cookies = dict(answer.cookies.items())
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
            self.body = await answer.json(content_type=None) if answer.content_type.endswith("json") else None
            return answer.status

    async def sign_in(self, email: str, **arguments: Any) -> int:
        await clear_limits(self.hub)
        body = {"email": email, "password": PASSWORD, "transport": "cookie"}
        status = await self.send("POST", f"{AUTH}/login", json=body, **arguments)
        self.csrf = (self.body or {}).get("csrf_token") or ""
        return status


@pytest.fixture
async def browser(hub: Hub) -> Browser:
    bia = await add_person(hub, "agent", signed_in=False)
    made = Browser(hub)
    assert await made.sign_in(bia.email) == 200
    return made


async def test_scripts_cannot_read_what_opens_the_door(browser: Browser):
    assert browser.body["access_token"] is None and browser.body["refresh_token"] is None
    flags = {
        name: (bool(m["httponly"]), m["samesite"], bool(m["secure"]), m["path"])
        for name, m in browser.set_cookies.items()
    }
    assert flags == {
        "hub_session": (True, "lax", False, "/"),
        "hub_refresh": (True, "strict", False, "/api/v1/auth"),
        "hub_csrf": (False, "lax", False, "/"),
        "hub_device": (True, "strict", False, "/api/v1/auth"),
        "hub_apps": (True, "lax", False, "/apps/"),
        "hub_openid": (True, "lax", False, "/openid/"),
    }
    assert await browser.send("GET", ME) == 200


async def test_cookies_are_secure_when_a_trusted_proxy_says_https(database_url: str, redis_url: str):
    from tests.support.hub import make_settings, running_hub

    for trusted, secure in (("127.0.0.1",), True), ((), False):
        async with running_hub(make_settings(database_url, redis_url, trusted_proxies=trusted)) as hub:
            bia = await add_person(hub, signed_in=False)
            browser = Browser(hub)
            assert await browser.sign_in(bia.email, headers={"X-Forwarded-Proto": "https"}) == 200
            assert {bool(morsel["secure"]) for morsel in browser.set_cookies.values()} == {secure}


async def test_a_change_wants_the_token_that_only_our_page_can_read(browser: Browser):
    other = await add_person(browser.hub)
    stranger = Browser(browser.hub)
    await stranger.sign_in(other.email)
    for csrf in (None, "", "x" * 64, "é", stranger.csrf):
        assert await browser.send("DELETE", f"{AUTH}/sessions", csrf=csrf) == 403
        assert browser.body["code"] == "csrf"
    planted = "0" * 64  # cookie and header agree, as an attacker on a sister domain could make them
    assert (
        await browser.send(
            "DELETE",
            f"{AUTH}/sessions",
            csrf=planted,
            headers={"Cookie": f"hub_session={browser.cookies['hub_session']}; hub_csrf={planted}"},
        )
        == 403
    )
    assert await browser.send("DELETE", f"{AUTH}/sessions", csrf=browser.csrf) == 204


async def test_a_refresh_by_cookie_wants_the_token_too_and_is_not_used_up_without(browser: Browser):
    old = dict(browser.cookies)
    assert await browser.send("POST", f"{AUTH}/refresh", json={}) == 403
    assert await browser.send("POST", f"{AUTH}/refresh", json={}, csrf=browser.csrf) == 200
    assert browser.cookies["hub_refresh"] != old["hub_refresh"]
    assert await browser.send("GET", ME) == 200
    browser.cookies = old
    assert await browser.send("POST", f"{AUTH}/refresh", json={}, csrf=browser.csrf) == 401  # a thief's copy ends all
    assert await browser.send("GET", ME) == 401


async def test_a_session_planted_before_signing_in_is_not_the_one_that_is_signed_in(hub: Hub):
    mallory, bia = await add_person(hub), await add_person(hub, signed_in=False)
    browser = Browser(hub)
    planted = mallory.tokens["access_token"]
    browser.cookies = {"hub_session": planted, "hub_refresh": mallory.tokens["refresh_token"], "hub_csrf": "x"}
    assert await browser.sign_in(bia.email) == 200
    assert browser.cookies["hub_session"] != planted
    await browser.send("GET", ME)
    assert browser.body["id"] == str(bia.id)
    assert (await call(hub, "GET", ME, mallory.headers))[1]["id"] == str(mallory.id)
    ours = await hub.fetchval("SELECT count(*) FROM sessions WHERE user_id = $1", bia.id)
    assert ours == 1


async def test_signing_out_clears_the_cookies_and_keeps_the_browser_known(browser: Browser):
    session = browser.cookies["hub_session"]
    assert await browser.send("POST", f"{AUTH}/logout", csrf=browser.csrf) == 204
    assert {name for name, morsel in browser.set_cookies.items() if morsel["max-age"] == "0"} == {
        "hub_session", "hub_refresh", "hub_csrf", "hub_apps", "hub_openid",
    }  # fmt: skip
    assert (await call(browser.hub, "GET", ME, {"Cookie": f"hub_session={session}"}))[0] == 401


async def test_an_api_key_as_a_cookie_opens_nothing(hub: Hub):
    key = hub.auth["Authorization"].removeprefix("Bearer ")
    assert (await call(hub, "GET", ME, {"Cookie": f"hub_session={key}"}))[0] == 401


async def test_a_form_of_another_site_cannot_sign_a_victim_in(hub: Hub):
    """Log-in CSRF: a form can send no JSON, and what it can send is refused."""
    bia = await add_person(hub, signed_in=False)
    body = f'{{"email": "{bia.email}", "password": "{PASSWORD}", "transport": "cookie"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        status, _ = await call(hub, "POST", f"{AUTH}/login", {"Content-Type": kind}, data=body)
        assert status == 422
    await sign_in(hub, bia)
