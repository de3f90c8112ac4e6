"""The sign-in pages in a browser: password, second factor, invitation, set-up where the role wants it, and back to where
one wanted to go."""

import re
import shutil
import time
from collections.abc import AsyncIterator

import pyotp
import pytest
from playwright.async_api import Locator, Page, async_playwright

from hub_api.auth import users
from hub_api.settings import Settings
from tests.auth.openid_people import Request, provider, query_of, register
from tests.auth.people import PASSWORD, add_person, call, clear_limits
from tests.auth.test_second_factor import set_up
from tests.e2e.chromium import CHROMIUM_OPTIONS
from tests.support.hub import Hub
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of a fresh browser; what its console complains about fails the test."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        opened = await browser.new_page()
        broken: list[str] = []
        opened.on("pageerror", lambda error: broken.append(str(error)))
        yield opened
        await browser.close()
        assert not broken


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    async with provider(settings) as running:
        yield running


def shown(page: Page) -> Locator:
    """The form in view: one at a time."""
    return page.locator("form:not([hidden])")


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    await shown(page).get_by_label("E-mail").fill(email)
    await shown(page).get_by_label("Senha", exact=True).fill(password)
    await shown(page).get_by_role("button", name="Entrar").click()


async def test_a_client_brings_a_person_who_signs_in_by_two_factors_and_comes_back_with_a_code(page: Page, hub: Hub):
    there = f"{hub.url}/docs"
    secret = await register(hub, redirect_uris=[there])
    ana = await add_person(hub, "analyst")
    app, _ = await set_up(hub, ana)
    await clear_limits(hub)
    begun = Request(hub, redirect_uri=there)
    await page.goto(begun.url)
    await sign_in(page, ana.email, "not the password")
    await page.get_by_role("alert").get_by_text("não conferem").wait_for()
    await sign_in(page, ana.email)
    await shown(page).get_by_role("textbox", name="Código").fill(app.at(time.time()))
    await shown(page).get_by_role("button", name="Confirmar").click()
    await page.wait_for_url(re.compile("/docs"))
    status, tokens = await begun.redeem(query_of(page.url)["code"], secret, redirect_uri=there)
    assert status == 200 and tokens["scope"] == "openid offline_access"


async def test_an_invited_person_sets_a_password_and_the_second_factor_that_the_role_wants(page: Page, hub: Hub):
    admin = await add_person(hub, "admin")
    await call(hub, "PATCH", "/api/v1/roles/agent", admin.headers, json={"second_factor": True})
    async with hub.services.transaction() as tx:
        user_id = await users.create_user(tx, "operator", email="bia@example.com", name="Bia Lima", role="agent")
        token = await users.invite(hub.services, tx, "operator", user_id, by_mail=False)
    await page.goto(users.link(hub.services, "invitation", token))
    for password, again in (("123456789012", "123456789012"), (PASSWORD, "another one"), (PASSWORD, PASSWORD)):
        await shown(page).get_by_label("Nova senha").fill(password)
        await shown(page).get_by_label("De novo").fill(again)
        await shown(page).get_by_role("button", name="Definir senha").click()
        words = "adivinhada" if password != PASSWORD else "não são iguais" if again != PASSWORD else "Senha definida"
        await page.get_by_role("alert").get_by_text(words).wait_for()
    await sign_in(page, "bia@example.com")
    await page.locator("#set-up-form").wait_for(state="visible")
    key = await page.locator("#secret").inner_text()
    assert await page.locator("#qr").evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    await shown(page).get_by_role("textbox", name="Código").fill(pyotp.TOTP(key).now())
    await shown(page).get_by_role("button", name="Confirmar").click()
    await page.locator("#recovery-codes").wait_for(state="visible")
    assert len((await page.locator("#recovery-codes").inner_text()).split()) == 10
    await page.get_by_role("button", name="Continuar").click()
    await page.get_by_role("alert").get_by_text("Você entrou").wait_for()


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example/", "/\\evil.example/", "javascript:alert(1)"])
async def test_no_link_leads_away_after_signing_in(page: Page, hub: Hub, to: str):
    ana = await add_person(hub, signed_in=False)
    await page.goto(f"{hub.url}/entrar?to={to}")
    await sign_in(page, ana.email)
    await page.get_by_role("alert").get_by_text("Você entrou").wait_for()
    assert page.url.startswith(hub.url)


async def test_a_forgotten_password_is_asked_for(page: Page, hub: Hub):
    ana = await add_person(hub, signed_in=False)
    await page.goto(f"{hub.url}/senha")
    await shown(page).get_by_label("E-mail").fill(ana.email)
    await shown(page).get_by_role("button", name="Enviar link").click()
    await page.get_by_role("alert").get_by_text("a caminho").wait_for()
    made = "SELECT count(*) FROM user_links WHERE user_id = $1"
    await eventually(lambda: hub.fetchval(made, ana.id))  # it is made after the answer, which must not tell


async def test_the_page_speaks_english_to_whom_wants_it_and_leads_to_the_console(page: Page, hub: Hub):
    ana = await add_person(hub, signed_in=False)
    await page.goto(f"{hub.url}/entrar")
    await page.get_by_role("button", name="English").click()
    await page.reload()
    await shown(page).get_by_label("E-mail").fill(ana.email)
    await shown(page).get_by_label("Password", exact=True).fill("not the password")
    await shown(page).get_by_role("button", name="Sign in").click()
    await page.get_by_role("alert").get_by_text("are not right").wait_for()
    await shown(page).get_by_label("Password", exact=True).fill(PASSWORD)
    await shown(page).get_by_role("button", name="Sign in").click()
    await page.get_by_role("alert").get_by_text("You are signed in").wait_for()
    assert await page.locator("html").get_attribute("lang") == "en"
    await page.get_by_role("link", name="Go to the console").click()
    await page.wait_for_url(f"{hub.url}/console/**")
