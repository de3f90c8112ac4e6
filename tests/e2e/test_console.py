"""The agents' console in a real Chromium: a customer at the simulator, an agent at the console, and what goes wrong between them.

`HUB_TEST_SHOTS` names a folder for screenshots of each page in both languages and schemes, for people to look at.
"""

import re
import time

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from tests.auth.people import add_conversation, add_person, clear_limits
from tests.auth.test_second_factor import set_up
from tests.e2e.console import PATIENCE_MS, Scene, accessible, head, prefixed, shot, sign_in, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_an_agent_serves_a_customer_from_the_first_word_to_the_survey(scene: Scene):
    page = await scene.page()
    await page.goto(f"{scene.hub.url}/console/")
    await page.get_by_label("E-mail").wait_for()
    await accessible(page)
    agent = await scene.agent(page)
    await page.get_by_text("Nenhuma conversa com você").wait_for()
    await page.keyboard.press("g")
    await page.keyboard.press("q")
    await page.get_by_text("Ninguém espera na fila").wait_for()
    await accessible(page)

    await scene.says("oi, bom dia")
    await scene.says("quero falar com um atendente")
    row = page.get_by_role("tabpanel").get_by_role("listitem").get_by_role("link")
    await row.wait_for()  # by the socket: nothing was asked again
    await page.keyboard.press("j")
    log = page.get_by_role("log")
    await log.get_by_text("quero falar com um atendente").wait_for()
    await log.get_by_text("Assistente virtual").first.wait_for()
    await page.get_by_text(re.compile("^Janela: 23")).wait_for()
    await accessible(page)

    await page.keyboard.press("a")
    await head(page).get_by_text("Com você").wait_for()
    await page.keyboard.press("r")
    await page.keyboard.type("Boa tarde! Já estou *verificando*.")
    await page.keyboard.press("Enter")
    mine = log.get_by_role("article").filter(has_text="verificando")
    await mine.get_by_role("img", name="Lida").wait_for()  # the customer's blue ticks
    assert await mine.count() == 1 and await mine.locator("strong").inner_text() == "verificando"
    assert await scene.hub.fetchval("SELECT count(*) FROM messages WHERE author = 'agent'") == 1
    await scene.says("obrigada!")
    await log.get_by_text("obrigada!").wait_for()
    await accessible(page)

    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await page.get_by_role("dialog").wait_for()
    await accessible(page)
    await page.get_by_role("dialog").get_by_role("button", name="Resolver").click()
    await head(page).get_by_text("Resolvida").wait_for()
    await log.get_by_text(re.compile("Que nota você dá")).wait_for()  # the survey that the bot sends
    await scene.says("5")
    await head(page).get_by_text("Nota 5").wait_for()
    rated = await scene.hub.fetch("SELECT state, satisfaction FROM conversations")
    assert [(row["state"], row["satisfaction"]) for row in rated] == [("resolved", 5)]
    held = await scene.hub.fetch("SELECT agent_id, reason FROM assignments")
    assert [(row["agent_id"], row["reason"]) for row in held] == [(agent.id, "taken")]


async def test_a_second_factor_is_asked_for_and_where_the_role_wants_one_the_way_to_it_is_shown(scene: Scene):
    page = await scene.page(language="en")
    bia = await add_person(scene.hub)
    app, codes = await set_up(scene.hub, bia)
    await clear_limits(scene.hub)
    await page.goto(f"{scene.hub.url}/console/all")
    await sign_in(page, bia.email, "not the password")
    await page.get_by_role("alert").get_by_text("do not match").wait_for()
    await sign_in(page, bia.email)
    code = page.get_by_role("textbox", name="Code")
    await code.fill("000000")
    await page.get_by_role("button", name="Confirm").click()
    await page.get_by_role("alert").get_by_text("do not match").wait_for()
    await accessible(page)
    await shot(page, "code-en")
    await code.fill(app.at(time.time()))
    await page.get_by_role("button", name="Confirm").click()
    await page.get_by_role("tab", name="All", selected=True).wait_for()

    await page.get_by_role("button", name="Account and preferences").click()
    await accessible(page)
    await page.get_by_role("menuitem", name="Sign out").click()
    await sign_in(page, bia.email)
    await page.get_by_role("combobox", name="How").click()
    await page.get_by_role("option", name="Recovery code").click()
    await code.fill(codes[0])
    await page.get_by_role("button", name="Confirm").click()
    await page.get_by_role("tablist").wait_for()

    await scene.hub.fetch("UPDATE roles SET second_factor = true WHERE name = 'supervisor'")
    other = await scene.page()
    eva = await add_person(scene.hub, "supervisor", signed_in=False)
    await other.goto(f"{scene.hub.url}/console/")
    await sign_in(other, eva.email)
    await other.get_by_role("heading", name="Falta o segundo fator").wait_for()
    await accessible(other)
    await other.get_by_role("link", name="Configurar agora").click()
    await other.wait_for_url(re.compile(r"/entrar\?to=%2Fconsole%2F"))


async def test_a_failed_send_is_shown_on_the_message_and_sent_once_when_tried_again(scene: Scene):
    page = await scene.page()
    agent = await scene.agent(page)
    await scene.says("minha internet caiu, quero um atendente")
    talk = await until(lambda: scene.hub.fetchval("SELECT id FROM conversations"), "the conversation is there")
    await page.goto(f"{scene.hub.url}/console/all/{talk}")
    await page.get_by_role("button", name="Assumir").click()
    field = page.get_by_role("textbox", name="Mensagem para o cliente")

    async def refuse(route: Route) -> None:
        if route.request.method == "POST":
            await route.abort()
        else:
            await route.fallback()

    await page.route("**/messages*", refuse)
    await field.fill("Vou verificar.")
    await field.press("Enter")
    bubble = page.get_by_role("article").filter(has_text="Vou verificar.")
    await bubble.get_by_role("img", name="Enviando").wait_for()  # at once, before anything came back
    failure = page.get_by_role("alert").filter(has_text="Não enviada")
    await failure.wait_for()
    await accessible(page)
    await shot(page, "failed-send-light-pt")
    await page.unroute("**/messages*")
    await failure.get_by_role("button", name="Tentar de novo").click()
    await bubble.get_by_role("img", name="Lida").wait_for()
    assert await bubble.count() == 1 and await failure.count() == 0

    await scene.fault(kind="failed_status", code=131026, times=1)
    await field.fill("Recebeu?")
    await field.press("Enter")
    refused = page.get_by_role("alert").filter(has_text="Não entregue")
    await refused.get_by_text("131026").wait_for()  # the channel's own reason
    await accessible(page)
    await refused.get_by_role("button", name="Enviar de novo").click()
    again = page.get_by_role("article").filter(has_text="Recebeu?")
    await expect(again.last.get_by_role("img", name="Lida")).to_be_visible(timeout=PATIENCE_MS)
    sent = await scene.hub.fetch("SELECT state FROM messages WHERE author_id = $1 ORDER BY created_at, id", agent.id)
    assert [row["state"] for row in sent] == ["read", "failed", "read"]


async def test_the_session_is_renewed_without_a_word_and_its_end_is_told(scene: Scene):
    page = await scene.page()
    agent = await scene.agent(page)
    made = await add_conversation(scene.hub, None, "sinal")
    await page.context.clear_cookies(name="hub_session")  # what a quarter of an hour does
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await page.get_by_role("link", name=re.compile("Cliente sinal")).click()
    await page.get_by_role("log").get_by_text("sinal").first.wait_for()
    assert await page.evaluate("() => localStorage.getItem('hub.refreshed_at')")

    await scene.hub.fetch(
        "UPDATE sessions SET revoked_at = now(), revoked_reason = 'test' WHERE user_id = $1", agent.id
    )
    await page.get_by_text("Sua sessão terminou").wait_for()
    await accessible(page)
    await shot(page, "ended-light-pt")
    await sign_in(page, agent.email)
    await page.get_by_role("log").get_by_text("sinal").first.wait_for()  # the same conversation again
    assert page.url.endswith(str(made["conversation"]))


async def test_without_a_socket_the_page_asks_every_few_seconds_and_says_so(scene: Scene):
    page = await scene.page()

    async def hang_up(socket: WebSocketRoute) -> None:
        await socket.close(code=1011)

    await page.route_web_socket(re.compile("/ws$"), hang_up)
    await scene.agent(page)
    await page.get_by_text("Sem tempo real").wait_for()
    await accessible(page)
    await page.get_by_role("tab", name="Fila").click()
    await scene.says("quero falar com um atendente")
    await page.get_by_role("tabpanel").get_by_role("listitem").get_by_role("link").click()
    await page.get_by_role("log").get_by_text("quero falar com um atendente").wait_for()
    await page.get_by_role("button", name="Assumir").click()
    field = page.get_by_role("textbox", name="Mensagem para o cliente")
    await field.fill("Pois não?")
    await field.press("Enter")
    await page.get_by_role("article").filter(has_text="Pois não?").get_by_role("img", name="Lida").wait_for()


async def test_a_lost_connection_comes_back_with_what_was_missed_and_nothing_twice(scene: Scene):
    page = await scene.page()
    sockets: list[WebSocketRoute] = []
    is_away = False

    async def pass_on(socket: WebSocketRoute) -> None:
        if is_away:
            await socket.close(code=1011)
            return
        socket.connect_to_server()
        sockets.append(socket)

    await page.route_web_socket(re.compile("/ws$"), pass_on)
    await scene.agent(page)
    await scene.says("quero falar com um atendente")
    talk = await until(lambda: scene.hub.fetchval("SELECT id FROM conversations WHERE state = 'queued'"), "waits")
    await page.goto(f"{scene.hub.url}/console/queue/{talk}")
    log = page.get_by_role("log")
    await log.get_by_text("quero falar com um atendente").wait_for()
    is_away = True
    for socket in sockets:
        await socket.close(code=1011)
    await page.get_by_text("Sem tempo real").wait_for()
    await scene.says("a luz vermelha acendeu")
    is_away = False
    await page.get_by_text("Sem tempo real").wait_for(state="detached", timeout=40_000)
    await scene.says("e agora apagou")
    await log.get_by_text("e agora apagou").wait_for()
    for words in ("a luz vermelha acendeu", "e agora apagou"):
        assert await log.get_by_role("article").filter(has_text=words).count() == 1


async def test_a_supervisor_takes_over_and_the_agent_sees_who_has_it(scene: Scene):
    agent, eva = await scene.page(), await scene.page(language="en")
    bia = await scene.agent(agent, name="Bia Lima")
    boss = await scene.agent(eva, "supervisor", name="Eva Reis")
    talk = (await add_conversation(scene.hub, None, "demora"))["conversation"]
    await agent.goto(f"{scene.hub.url}/console/queue/{talk}")
    await agent.get_by_role("button", name="Assumir").click()
    await head(agent).get_by_text("Com você").wait_for()
    await eva.goto(f"{scene.hub.url}/console/all/{talk}")
    await head(eva).get_by_text("Bia Lima", exact=True).wait_for()
    await eva.get_by_text("Also here: Bia Lima").wait_for()
    await eva.get_by_role("button", name="Take", exact=True).click()
    await head(eva).get_by_text("Yours").wait_for()
    await head(agent).get_by_text("Eva Reis", exact=True).wait_for()
    await agent.get_by_role("tab", name="Minhas", exact=True).click()
    await agent.get_by_text("Nenhuma conversa com você").wait_for()
    held = await scene.hub.fetch("SELECT agent_id, released_at IS NULL AS now FROM assignments ORDER BY assigned_at")
    assert [(row["agent_id"], row["now"]) for row in held] == [(bia.id, False), (boss.id, True)]


async def test_two_agents_see_each_other_in_one_conversation(scene: Scene):
    ana, bia = await scene.page(), await scene.page()
    for page in (ana, bia):
        await scene.agent(page)
    made = await add_conversation(scene.hub, None, "fibra")
    for page in (ana, bia):
        await page.goto(f"{scene.hub.url}/console/all/{made['conversation']}")
        await page.get_by_role("log").get_by_text("fibra").first.wait_for()
    await ana.get_by_text("Também aqui: Agent Souza").wait_for()
    await bia.get_by_role("textbox", name="Mensagem para o cliente").type("a")
    await ana.get_by_text("Agent Souza está escrevendo").wait_for()
    await ana.get_by_role("button", name="Assumir").click()
    await head(bia).get_by_text("Em atendimento").wait_for()


async def test_the_console_works_behind_a_prefix_of_a_proxy(scene: Scene):
    page = await scene.page()
    async with prefixed(scene.hub, "/atendimento") as address:
        bia = await add_person(scene.hub, signed_in=False)
        made = await add_conversation(scene.hub, None, "fibra")
        await page.goto(f"{address}/console/all/{made['conversation']}")
        await sign_in(page, bia.email)
        await page.get_by_role("log").get_by_text("fibra").first.wait_for()
        await page.get_by_role("link", name=re.compile("Cliente fibra")).first.wait_for()
        await page.get_by_role("button", name="Assumir").click()
        await head(page).get_by_text("Com você").wait_for()
        assert page.url == f"{address}/console/all/{made['conversation']}"
        await page.context.clear_cookies(name="hub_session")
        await page.get_by_role("tab", name="Fila").click()
        await page.get_by_text("Ninguém espera na fila").wait_for()
        assert await page.get_by_text("Sem tempo real").count() == 0
        assert await page.get_by_role("button", name="Conta e preferências").count() == 1
