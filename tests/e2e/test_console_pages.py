"""Each page of the console in both languages and schemes: accessible, and looked at by people (`HUB_TEST_SHOTS`)."""

import re

import pytest
from playwright.async_api import expect

from tests.auth.people import add_conversation, add_person, add_team
from tests.e2e.console import SHOTS, Scene, accessible, shot, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


# Each language and each scheme once; for pictures every pair of them.
PAIRS = [("light", "pt-BR"), ("dark", "en"), *([("dark", "pt-BR"), ("light", "en")] if SHOTS else [])]


@pytest.mark.parametrize(("scheme", "language"), PAIRS)
async def test_each_page_is_accessible_in_both_languages_and_schemes(scene: Scene, scheme: str, language: str):
    kind = f"{scheme}-{language[:2]}"
    page = await scene.page(scheme=scheme, language=language)
    await page.goto(f"{scene.hub.url}/console/")
    await page.get_by_label("E-mail").wait_for()
    await accessible(page)
    await shot(page, f"sign-in-{kind}")
    await scene.agent(page, "supervisor", name="Bia Lima")
    for words in ("sinal", "boleto", "mudança", "plano"):
        await add_conversation(scene.hub, None, words)
    await scene.says("oi")
    await scene.sends("image", caption="As luzes do modem")
    await scene.sends("location", latitude=-23.55, longitude=-46.63, name="Loja Sé", address="Praça da Sé, 1")
    await scene.says("quero falar com um atendente")
    talk = await until(
        lambda: scene.hub.fetchval("SELECT id FROM conversations WHERE state = 'queued' AND number_id IS NOT NULL"),
        "handed over",
    )
    await page.goto(f"{scene.hub.url}/console/all")
    await page.get_by_role("tabpanel").get_by_role("listitem").first.wait_for()
    await accessible(page)
    await shot(page, f"inbox-{kind}")
    await page.goto(f"{scene.hub.url}/console/all/{talk}")
    await page.get_by_role("log").get_by_text("quero falar com um atendente").wait_for()
    await page.get_by_role("log").get_by_text("Praça da Sé, 1").wait_for()
    picture = page.get_by_role("log").locator("img")
    await page.get_by_role("log").hover()

    async def in_reach() -> bool:  # what lies further up than a screen is not in the page
        if not (found := await picture.count()):
            await page.mouse.wheel(0, -300)
        return found > 0

    await until(in_reach, "the picture is in the page")
    await until(lambda: picture.evaluate("image => image.naturalWidth > 0"), "the picture is drawn")
    await picture.scroll_into_view_if_needed()
    await accessible(page)
    await shot(page, f"media-{kind}")
    await page.get_by_role("button", name=re.compile("^(Assumir|Take)$")).click()
    await page.get_by_role("textbox", name=re.compile("Mensagem para|Message to")).fill(
        "Boa tarde, Ana! Já vejo o seu sinal."
    )
    await page.keyboard.press("Enter")
    await page.get_by_role("img", name=re.compile("^(Lida|Read)$")).first.wait_for()
    await accessible(page)
    await shot(page, f"conversation-{kind}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await page.get_by_role("dialog").wait_for()
    await accessible(page)
    await shot(page, f"help-{kind}")
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").wait_for(state="detached")
    await page.keyboard.press("t")
    await page.get_by_role("dialog").get_by_role("combobox").wait_for()
    await accessible(page)
    await shot(page, f"transfer-{kind}")

    await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.get_by_role("log").wait_for()
    await accessible(page)
    await shot(page, f"phone-conversation-{kind}")
    await page.get_by_role("link", name=re.compile("Voltar à lista|Back to the list")).click()
    await page.get_by_role("tabpanel").get_by_role("listitem").first.wait_for()
    await accessible(page)
    await shot(page, f"phone-inbox-{kind}")
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


ADMIN = (
    "supervisor", "wallboard", "access/users", "access/roles", "access/keys", "access/conversions", "audit", "numbers", "templates",
    "service/queues", "service/sla", "service/dispositions", "privacy/retention", "reports/alerts",
)  # fmt: skip


async def test_administration_is_accessible_in_the_dark_and_on_a_phone(scene: Scene):
    team, queue = await add_team(scene.hub, "suporte")
    await add_person(scene.hub, "agent", team, name="Caio Dias")
    for words in ("sinal", "boleto"):
        await add_conversation(scene.hub, queue, words)
    await scene.hub.fetch("UPDATE roles SET second_factor = false")
    page = await scene.page(scheme="dark")
    await scene.agent(page, "admin", name="Bia Lima")
    for path in ADMIN:
        name = path.replace("/", "-")
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.goto(f"{scene.hub.url}/console/{path}")
        await page.get_by_role("heading", level=2).first.wait_for()
        await expect(page.get_by_role("progressbar", name="Carregando")).to_have_count(0)
        await accessible(page)
        await shot(page, f"dark-{name}")
        await page.set_viewport_size({"width": 390, "height": 844})
        await accessible(page)
        await shot(page, f"phone-dark-{name}")
        assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path
