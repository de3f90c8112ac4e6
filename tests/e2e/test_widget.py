"""The chat of a website in a real Chromium: a page of another origin, the hub behind it, an agent at the console."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, WebSocketRoute

from hub_api.auth import notices
from hub_api.platform.ids import uuid7
from tests.auth.people import call
from tests.e2e.console import Scene, accessible, head, open_scene, shot, until
from tests.support.hours import closed_now
from tests.support.process import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture
async def scene(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """As the console's, and codes go by SMS."""
    async with open_scene(database_url, redis_url, tmp_path, sms_url="http://127.0.0.1:1/sms") as made:
        yield made


@asynccontextmanager
async def website(scene: Scene, language: str = "pt-BR", given: str = "", **rules: Any) -> AsyncIterator[str]:
    """Address of a page on an origin of its own that embeds the chat of a site with these rules; `given` are attributes of its script."""
    port = free_port()
    body = {"name": "Loja", "title": "Fale com a gente", "origins": [f"http://127.0.0.1:{port}"]} | rules
    status, site = await call(scene.hub, "POST", "/api/v1/sites", scene.hub.auth, json=body)
    assert status == 201, site
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Loja</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><main><h1>Loja</h1><p>Internet de fibra.</p></main>"
        f'<script src="{scene.hub.url}/widget.js" data-key="{site["key"]}" {given} async></script></body></html>'
    )

    async def shown(request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", shown)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


async def begin(page: Page, address: str, agree: str = "Concordo e quero conversar") -> None:
    await page.goto(address)
    await page.get_by_role("button", name=re.compile("^(Abrir atendimento|Open support chat)")).click()
    await page.get_by_role("button", name=agree).click()


async def both(page: Page, name: str | None = None) -> None:
    """axe finds nothing in the dark or in the light, to which it returns; a picture of each with a `name`."""
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        await accessible(page)
        if name:
            await shot(page, name if scheme == "light" else f"{name}-dark")


async def focused(page: Page) -> str:
    """The name of what has the focus inside the chat; empty when nothing there has."""
    found = await page.evaluate("""() => {
        const one = document.activeElement?.shadowRoot?.activeElement
        return one ? (one.getAttribute('aria-label') ?? one.textContent) : ''
    }""")
    return str(found)


async def is_focused(page: Page, name: str) -> bool:
    return await focused(page) == name


async def is_dark(page: Page, selector: str) -> bool:
    """Whether a part's background is, by its red, green and blue."""
    background = await page.locator(selector).evaluate("one => getComputedStyle(one).backgroundColor")
    return all(int(part) < 64 for part in re.findall(r"\d+", background)[:3])


async def test_a_visitor_and_an_agent_talk_through_reload_lost_connection_and_files(scene: Scene, tmp_path: Path):
    async with website(scene, offline_form=False) as address:
        page = await scene.page()
        sockets: list[WebSocketRoute] = []
        is_away = False

        async def pass_on(socket: WebSocketRoute) -> None:
            if is_away:
                await socket.close(code=1011)
                return
            socket.connect_to_server()
            sockets.append(socket)

        await page.route_web_socket(re.compile("/widget/ws"), pass_on)
        await page.goto(address)
        launcher = page.get_by_role("button", name="Abrir atendimento")
        await launcher.wait_for()
        await both(page)
        await launcher.focus()
        await page.keyboard.press("Enter")  # by keyboard from here on
        agree = page.get_by_role("button", name="Concordo e quero conversar")
        await agree.wait_for()
        await both(page, "widget-consent")
        await agree.press("Enter")
        field = page.get_by_role("textbox", name="Escreva sua mensagem")
        await field.wait_for()
        await until(lambda: field.evaluate("one => one.getRootNode().activeElement === one"), "the field has the focus")
        await page.keyboard.type("minha internet caiu")
        await page.keyboard.press("Enter")
        log = page.get_by_role("log")
        await log.get_by_text("minha internet caiu").wait_for()
        await log.get_by_text("Assistente virtual").first.wait_for()
        await both(page, "widget-bot")
        await field.fill("quero falar com um atendente")
        await field.press("Enter")
        await page.get_by_text(re.compile("da fila|Aguardando")).wait_for()

        desk = await scene.page()
        agent = await scene.agent(desk)
        await desk.goto(f"{scene.hub.url}/console/queue")
        row = desk.get_by_role("tabpanel").get_by_role("listitem").get_by_role("link")
        await row.get_by_text("Chat do site").wait_for()
        await row.click()
        await desk.get_by_role("button", name="Assumir").click()
        await head(desk).get_by_text("Chat do site").wait_for()
        answer = desk.get_by_role("textbox", name="Mensagem para o cliente")
        await answer.fill("Boa tarde! Já estou *verificando*.")
        await answer.press("Enter")
        told = log.get_by_role("listitem").filter(has_text="verificando")
        await told.wait_for()
        assert await told.locator("strong").inner_text() == "verificando"
        await page.get_by_text("Você fala com").wait_for()
        await desk.get_by_role("article").filter(has_text="verificando").get_by_role("img", name="Lida").wait_for()
        await both(page)
        await accessible(desk)
        await shot(desk, "widget-console")

        picture = tmp_path / "modem.png"
        picture.write_bytes(PNG)
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Anexar imagem ou PDF").click()
        await (await choosing.value).set_files(picture)
        await log.get_by_role("img").wait_for()
        await until(lambda: log.get_by_role("img").evaluate("one => one.naturalWidth > 0"), "the picture is read back")
        await desk.get_by_role("log").get_by_role("img", name=re.compile("imagem|modem", re.I)).first.wait_for()

        is_away = True
        for socket in sockets:
            await socket.close(code=1011)
        await page.get_by_text("Sem conexão").wait_for()
        await field.fill("escrevi sem conexão")
        await field.press("Enter")
        await log.get_by_text("Enviando").wait_for()
        await shot(page, "widget-offline")
        await answer.fill("Você está aí?")
        await answer.press("Enter")
        is_away = False
        await log.get_by_text("Você está aí?").wait_for(timeout=40_000)
        await log.get_by_text("Enviando").wait_for(state="detached")
        await desk.get_by_role("log").get_by_text("escrevi sem conexão").wait_for()
        for words in ("escrevi sem conexão", "Você está aí?"):
            assert await log.get_by_role("listitem").filter(has_text=words).count() == 1

        await page.reload()
        await page.get_by_role("button", name="Abrir atendimento").click()
        await log.get_by_text("escrevi sem conexão").wait_for()
        assert await log.get_by_role("listitem").filter(has_text="minha internet caiu").count() == 1
        await page.keyboard.press("Escape")
        await answer.fill("Estou aqui quando voltar.")
        await answer.press("Enter")
        await page.get_by_role("button", name="1 mensagem nova").wait_for()
        await both(page)
        kept = await scene.hub.fetch("SELECT count(*) AS talks, min(channel) AS channel FROM conversations")
        assert (kept[0]["talks"], kept[0]["channel"]) == (1, "site")
        assert await scene.hub.fetchval("SELECT count(*) FROM messages WHERE author_id = $1", agent.id) == 3


async def test_by_keyboard_alone_focus_is_where_one_goes_on_and_stays_when_something_arrives(scene: Scene) -> None:
    async with website(scene, offline_form=False) as address:
        page = await scene.page(scheme="dark")
        keys, log = page.keyboard, page.get_by_role("log")
        await page.goto(address)
        await page.get_by_role("button", name="Abrir atendimento").wait_for()
        await keys.press("Tab")
        assert await focused(page) == "Abrir atendimento"
        await keys.press("Enter")
        await until(lambda: is_focused(page, "Concordo e quero conversar"), "the focus is on what agrees")
        await keys.press("Enter")
        await until(lambda: is_focused(page, "Escreva sua mensagem"), "the focus is where one writes")
        await keys.type("menu https://loja.example/fibra")
        await keys.press("Enter")
        offers = log.get_by_role("listitem").get_by_role("button")
        await offers.first.wait_for()
        passed = [await focused(page)]
        while passed[-1] != "Fechar atendimento":
            await keys.press("Shift+Tab")
            passed.append(await focused(page))
            assert len(passed) < 20, passed
        assert {"Anexar imagem ou PDF", "Conversa", "https://loja.example/fibra"} < set(passed), passed

        # Words from another tab: a link keeps the focus, an offer that is over gives it to where one writes.
        await log.get_by_role("link", name="https://loja.example/fibra").focus()
        tab = await page.context.new_page()
        await tab.goto(address)
        await tab.get_by_role("button", name="Abrir atendimento").click()
        there = tab.get_by_role("textbox", name="Escreva sua mensagem")
        await there.fill("menu de opções")
        await there.press("Enter")
        await log.get_by_text("menu de opções").wait_for()
        assert await focused(page) == "https://loja.example/fibra"
        await offers.first.wait_for()
        await offers.first.focus()
        await there.fill("muito obrigado mesmo")
        await there.press("Enter")
        await log.get_by_text("muito obrigado mesmo").wait_for()
        await until(lambda: is_focused(page, "Escreva sua mensagem"), "what had the focus is gone")
        await keys.press("Escape")
        assert (await focused(page)).startswith("Abrir atendimento")  # with what the bot has answered since


async def test_it_is_dark_where_the_visitor_prefers_it_unless_the_page_says_otherwise(scene: Scene) -> None:
    for given, dark, light in (
        ("", True, False),
        ('data-scheme="light"', False, False),
        ('data-scheme="dark"', True, True),
    ):
        async with website(scene, given=given, offline_form=False) as address:
            page = await scene.page(scheme="dark")
            await page.goto(address)
            await page.get_by_role("button", name="Abrir atendimento").click()
            await page.get_by_role("button", name="Concordo e quero conversar").wait_for()
            assert await is_dark(page, ".panel") == dark, given
            await page.emulate_media(color_scheme="light")
            assert await is_dark(page, ".panel") == light, given
            await accessible(page)
            await page.context.close()


async def test_on_a_phone_in_english_a_visitor_proves_his_number_and_is_the_customer_we_know(scene: Scene):
    known = uuid7()
    await scene.hub.fetch("INSERT INTO customers (id, name, phone) VALUES ($1, 'Carlos Lima', '+5511987654321')", known)
    await scene.hub.fetch(
        "INSERT INTO customer_identities (id, customer_id, kind, value, valid_from) "
        "VALUES ($1, $2, 'phone', '+5511987654321', now() - interval '1 day')", uuid7(), known,
    )  # fmt: skip
    async with website(scene, language="en", offline_form=False, bot=False) as address:
        page = await scene.page(width=390, height=844, language="en")
        await begin(page, address, "I agree, start the chat")
        field = page.get_by_role("textbox", name="Write your message")
        await field.fill("my bill is wrong")
        await field.press("Enter")
        await page.get_by_role("log").get_by_text("my bill is wrong").wait_for()
        await shot(page, "widget-phone-en")
        await page.get_by_role("button", name="I am a customer").click()
        await page.get_by_role("textbox", name="Phone with area code").fill("11 98765-4321")
        await both(page)
        await page.get_by_role("button", name="Send code").click()
        sealed = await until(lambda: scene.hub.fetchval("SELECT sealed FROM notices"), "a code is on its way")
        code = notices.unseal(scene.hub.services, sealed).text.split()[0]
        await page.get_by_role("textbox", name="6-digit code").fill(f"{(int(code) + 1) % 1_000_000:06d}")
        await page.get_by_role("button", name="Confirm").click()
        await page.get_by_role("alert").get_by_text("Wrong or expired code").wait_for()
        await both(page, "widget-code-en")
        await page.get_by_role("textbox", name="6-digit code").fill(code)
        await page.get_by_role("button", name="Confirm").click()
        await field.wait_for()
        await page.get_by_role("button", name="I am a customer").wait_for(state="hidden")
        assert await scene.hub.fetchval("SELECT customer_id FROM conversations") == known


async def test_outside_the_hours_a_form_is_left_and_stands_in_the_queue(scene: Scene):
    queue = {"key": "site", "name": "Site", "business_hours": closed_now(), "holidays_closed": False}
    assert (await call(scene.hub, "POST", "/api/v1/queues", scene.hub.auth, json=queue))[0] == 201
    async with website(scene, queue="site") as address:
        page = await scene.page(width=390, height=844)
        await page.goto(address)
        await page.get_by_role("button", name="Abrir atendimento").click()
        await page.get_by_text("fora do horário").wait_for()
        await both(page, "widget-form")
        await page.get_by_role("textbox", name="Nome").fill("Ana")
        await page.get_by_role("textbox", name="Mensagem").fill("Me liguem, por favor")
        await page.get_by_role("button", name="Enviar mensagem").click()
        await page.get_by_role("alert").get_by_text("telefone ou um e-mail").wait_for()
        await page.get_by_role("textbox", name="E-mail").fill("ana@example.com")
        await page.get_by_role("button", name="Enviar mensagem").click()
        await page.get_by_text(re.compile("Recebemos sua mensagem|Me liguem, por favor")).first.wait_for()
        await until(lambda: scene.hub.fetchval("SELECT state = 'queued' FROM conversations"), "it waits in the queue")
        words = await scene.hub.fetchval("SELECT content FROM messages WHERE direction = 'in'")
        assert "ana@example.com" in words


async def test_the_page_of_sites_makes_one_and_shows_its_code(scene: Scene):
    for scheme, width in (("light", 1440), ("dark", 390)):
        page = await scene.page(scheme=scheme, width=width)
        await scene.agent(page, "admin")
        await page.goto(f"{scene.hub.url}/console/service/sites")
        if scheme == "light":
            await page.get_by_role("button", name="Novo site").click()
            await page.get_by_label("Nome").fill("Loja")
            await page.get_by_label("Endereços das páginas").fill("https://www.example.com")
            await accessible(page)
            await page.get_by_role("button", name=re.compile("^(Salvar|Criar|Guardar)")).click()
        await page.get_by_text("Loja").first.wait_for()
        await accessible(page)
        await shot(page, f"sites-{scheme}")
    key = await scene.hub.fetchval("SELECT key FROM sites")
    await page.get_by_role("button", name=re.compile("Loja|Mais|Ações")).last.click()
    await page.get_by_role("menuitem", name="Código para a página").click()
    await page.get_by_text(key).wait_for()
    await accessible(page)
