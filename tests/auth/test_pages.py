"""What the sign-in pages promise to browsers, and who is led to them. A browser drives them in tests/e2e."""

import re

import aiohttp
import pytest
from yarl import URL

from hub_api.settings import Settings
from tests.auth.openid_people import provider, query_of
from tests.support.hub import Hub


@pytest.mark.parametrize("path", ["/entrar", "/segundo-fator", "/convite", "/senha"])
async def test_no_site_frames_the_page_and_no_script_but_its_own_runs_in_it(hub: Hub, path: str):
    async with hub.session.get(hub.url + path) as answer:
        page, headers = await answer.text(), answer.headers
    assert answer.status == 200 and answer.content_type == "text/html"
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'" and headers["Cache-Control"] == "no-store"
    assert page.count("<script") == 1 and 'src="/entrar/page.js"' in page and "onclick" not in page
    assert 'data-provider="no"' in page
    for file, kind in (("page.js", "text/javascript"), ("page.css", "text/css")):
        async with hub.session.get(f"{hub.url}/entrar/{file}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert "innerHTML" not in await answer.text()


async def test_the_page_offers_the_provider_where_there_is_one(settings: Settings):
    more = {"oidc_issuer": "https://id.example.com", "oidc_client_id": "hub"}
    async with provider(settings, **more) as hub, hub.session.get(f"{hub.url}/entrar") as answer:
        assert 'data-provider="yes"' in await answer.text()


async def test_what_the_page_says_in_portuguese_it_can_say_in_english(hub: Hub):
    async with hub.session.get(f"{hub.url}/entrar") as answer:
        page = await answer.text()
    async with hub.session.get(f"{hub.url}/entrar/page.js") as answer:
        script = await answer.text()
    written = {text.strip() for text in re.findall(">([^<]+)<", page[page.index("<main") :])} - {""}
    words = re.findall(r"^const (?:METHODS|WORDS) = .*?}", script, re.MULTILINE | re.DOTALL)
    said = {text for part in words for text in re.findall(r"'(.+?)'", part)} | set(re.findall(r"tell\('(.+?)'", script))
    english = script[script.index("const ENGLISH") : script.index("let english")]
    names = {first or second for first, second in re.findall(r"^  (?:'(.+?)'|(\w+)):", english, re.MULTILINE)}
    assert len(written) > 10 and len(said) > 10
    assert (written | said) - names == {"E-mail", "Telecom Chat"}


async def test_a_person_at_an_app_is_led_to_the_page_and_a_program_gets_401(settings: Settings):
    apps = [{"name": "notas", "url": "http://127.0.0.1:1", "permission": "analytics:read"}]
    async with provider(settings, apps=apps) as hub:
        visit = {"Accept": "text/html,application/xhtml+xml"}

        async def ask(method: str, path: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
            url = URL(hub.url + path, encoded=True)
            async with hub.session.request(method, url, headers=headers, allow_redirects=False) as answer:
                return answer

        answer = await ask("GET", "/apps/notas/a%2Fb?a=b&c=%2F", visit)
        assert answer.status == 303 and answer.headers["Location"].startswith(f"{hub.url}/entrar?to=%2Fapps%2F")
        assert query_of(answer.headers["Location"])["to"] == "/apps/notas/a%2Fb?a=b&c=%2F"
        expired = {**visit, "Cookie": "hub_apps=a-b-1-c"}
        assert (await ask("GET", "/apps/notas/", expired)).status == 303
        for method, path, headers in (
            ("GET", "/apps/notas/api", {"Accept": "application/json"}),
            ("POST", "/apps/notas/", visit),
            ("GET", "/apps/notas/", {**visit, "Authorization": "Bearer wrong"}),
            ("GET", "/api/v1/auth/me", visit),
        ):
            assert (await ask(method, path, headers)).status == 401
