"""Merging, dialogs that keep the keyboard, boards that are refused or cut off, hints, settings: the console in a real Chromium."""

import re
from pathlib import Path

import pytest
from playwright.async_api import WebSocketRoute, expect

from hub_api.ai.summaries import summarise
from hub_api.analytics.relay import relay_until_empty
from hub_api.analytics.wallboard.jobs import look
from hub_api.auth.jobs import verify_audit
from hub_api.chat.assign import assign
from hub_api.platform.ids import uuid7
from tests.auth.people import add_conversation, add_person, add_team, call
from tests.chat.test_merge_conversations import beside
from tests.e2e.console import Scene, accessible, head, open_scene, shot, sign_in, until
from tests.e2e.test_console_admin import choose, deed, dialog, go, signed
from tests.e2e.test_console_desk import talking
from tests.support.data import empty
from tests.support.warehouse import EmbeddedWarehouse

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_two_conversations_become_one_and_two_people_only_when_it_is_said(scene: Scene) -> None:
    team, queue = await add_team(scene.hub, "suporte")
    page, boss = await signed(scene, "supervisor", "pt-BR", team, name="Bia Lima")
    first = await add_conversation(scene.hub, queue, "minha internet caiu")
    second = await beside(scene.hub, first, "ainda sem internet")
    other = await add_conversation(scene.hub, queue, "sou a mesma pessoa")
    async with scene.hub.services.transaction() as tx:
        await assign(tx, first["conversation"], boss.id)
    protocols = {
        name: await scene.hub.fetchval("SELECT protocol FROM conversations WHERE id = $1", one["conversation"])
        for name, one in (("second", second), ("other", other))
    }
    await page.goto(f"{scene.hub.url}/console/mine/{first['conversation']}")
    log = page.get_by_role("log")
    await log.get_by_text("minha internet caiu", exact=True).wait_for()
    await page.get_by_role("button", name="Mais ações").click()
    await page.get_by_role("menuitem", name="Unir a outra").click()
    await dialog(page).get_by_text(f"O protocolo {protocols['second']} de").wait_for()
    await accessible(page)
    await shot(page, "merge-light-pt")
    await dialog(page).get_by_role("button", name="Unir", exact=True).click()
    await dialog(page).wait_for(state="detached")
    await log.get_by_text("ainda sem internet", exact=True).wait_for()
    await head(page).get_by_text(f"+ {protocols['second']}").wait_for()

    await page.get_by_role("button", name="Mais ações").click()
    await page.get_by_role("menuitem", name="Unir a outra").click()
    await dialog(page).get_by_label("Protocolo", exact=True).fill(protocols["other"])
    await dialog(page).get_by_text("São dois clientes").wait_for()
    do = dialog(page).get_by_role("button", name="Unir", exact=True)
    await expect(do).to_be_disabled()
    await dialog(page).get_by_label("É a mesma pessoa").check()
    await accessible(page)
    await shot(page, "merge-people-light-pt")
    await do.click()
    await dialog(page).wait_for(state="detached")
    await log.get_by_text("sou a mesma pessoa", exact=True).wait_for()
    assert await scene.hub.fetchval("SELECT count(DISTINCT customer_id) FROM conversations") == 1
    await page.goto(f"{scene.hub.url}/console/all/{other['conversation']}")
    await head(page).get_by_role("link", name="Unida: abrir a conversa").click()
    await log.get_by_text("minha internet caiu", exact=True).wait_for()


async def test_escape_closes_a_dialog_whose_focused_row_is_gone(scene: Scene) -> None:
    team, queue = await add_team(scene.hub, "suporte")
    page, _ = await signed(scene, "supervisor", "pt-BR", team, name="Bia Lima")
    caio = await add_person(scene.hub, "agent", team, name="Caio Dias")
    for words in ("boleto", "sinal"):
        await add_conversation(scene.hub, queue, words, caio.id)
    await go(page, scene, "supervisor", "Supervisão")
    await page.get_by_role("listitem", name="Caio Dias").get_by_role("button").click()
    await page.get_by_role("menuitem", name="Ver conversas").click()
    row = dialog(page).get_by_role("listitem").filter(has_text="Cliente boleto")
    await row.get_by_role("button", name="Assumir").focus()
    await page.keyboard.press("Enter")
    await row.wait_for(state="detached")
    await until(
        lambda: page.evaluate("() => document.querySelector('[role=dialog]').contains(document.activeElement)"),
        "the dialog has the focus",
    )
    await page.keyboard.press("Escape")
    await dialog(page).wait_for(state="detached")


async def test_a_wallboard_is_for_executives_too_and_comes_back_after_a_cut(scene: Scene) -> None:
    _, queue = await add_team(scene.hub, "suporte")
    page, _ = await signed(scene, "admin", "pt-BR", name="Bia Lima")
    sockets: list[WebSocketRoute] = []
    is_away = False

    async def pass_on(socket: WebSocketRoute) -> None:
        if is_away:
            await socket.close(code=1011)
            return
        socket.connect_to_server()
        sockets.append(socket)

    await page.route_web_socket(re.compile("/ws$"), pass_on)
    await go(page, scene, "wallboard", "Painel ao vivo")
    tile = page.get_by_role("group", name="Esperando", exact=True)
    await expect(tile).to_contain_text("0")
    is_away = True
    for socket in sockets:
        await socket.close(code=1011)
    await page.get_by_text("Sem dados ao vivo").first.wait_for()
    await add_conversation(scene.hub, queue, "sinal")
    await shot(page, "wallboard-cut-light-pt")
    is_away = False
    await expect(tile).to_contain_text("1", timeout=45_000)  # by the socket that came back: boards have no other way
    await page.get_by_text("Atualizado às").wait_for()
    await add_conversation(scene.hub, queue, "boleto")
    await expect(tile).to_contain_text("2", timeout=15_000)

    chief = await scene.page()
    person = await add_person(scene.hub, "executive", signed_in=False)
    await chief.goto(f"{scene.hub.url}/console/wallboard")
    await sign_in(chief, person.email)
    await expect(chief.get_by_role("group", name="Esperando", exact=True)).to_contain_text("2", timeout=15_000)
    await accessible(chief)
    await shot(chief, "wallboard-executive-light-pt")


async def test_who_reads_further_up_is_told_of_new_words_and_led_to_them(scene: Scene) -> None:
    page = await scene.page()
    _, talk = await talking(scene, page)
    customer = await scene.hub.fetchval("SELECT customer_id FROM conversations WHERE id = $1", talk)
    for number in range(60):
        await scene.hub.fetch(
            "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state) "
            "VALUES ($1, now() - interval '1 hour' + $5 * interval '1 second', $2, $3, 'in', 'customer', 'text', $4, 'received')",
            uuid7(), talk, customer, f"linha {number}", number,
        )  # fmt: skip
    await page.reload()
    log = page.get_by_role("log")
    await log.get_by_text("quero falar com um atendente").wait_for()
    await log.hover()
    await page.mouse.wheel(0, -1500)
    await page.get_by_role("button", name="Ir à mensagem mais nova").wait_for()
    await scene.says("a luz apagou")
    hint = page.get_by_role("button", name="1 mensagem nova")
    await hint.wait_for()
    await accessible(page)
    await shot(page, "unseen-light-pt")
    await hint.click()
    await log.get_by_text("a luz apagou").wait_for()
    await hint.wait_for(state="detached")


async def test_a_queue_that_wants_an_outcome_is_given_one(scene: Scene) -> None:
    page = await scene.page()
    _, talk = await talking(scene, page)
    await scene.hub.fetch("UPDATE queues SET disposition_required = true")
    await scene.hub.fetch("INSERT INTO dispositions (key, name) VALUES ('visita', 'Visita agendada')")
    await page.reload()
    await head(page).get_by_text("Com você").wait_for()
    await page.keyboard.press("e")
    await dialog(page).get_by_text("Esta fila pede um desfecho.").wait_for()
    await accessible(page)
    await shot(page, "outcome-wanted-light-pt")
    await dialog(page).get_by_role("button", name="Resolver").click()
    await expect(dialog(page)).to_be_visible()
    await choose(page, "Desfecho", "Visita agendada")
    await dialog(page).get_by_role("button", name="Resolver").click()
    await head(page).get_by_text("Resolvida").wait_for()
    about = page.get_by_role("complementary", name="Cliente").get_by_role("region", name="Este atendimento")
    await about.get_by_text("Visita agendada").wait_for()
    await about.get_by_text(re.compile(r"^(\d+:\d\d|< 1 s)$")).wait_for()  # how fast it was answered on average
    await accessible(page)
    await shot(page, "this-talk-light-pt")
    assert await scene.hub.fetchval("SELECT disposition FROM conversations WHERE id = $1", talk) == "visita"


async def test_settings_the_audit_log_drafts_and_what_a_queue_lacks(scene: Scene) -> None:
    _, queue = await add_team(scene.hub, "suporte")
    page, _ = await signed(scene, "admin", "pt-BR", name="Bia Lima")
    await go(page, scene, "settings", "Ajustes")
    await page.get_by_text("HUB_BUSINESS_HOURS").wait_for()
    await accessible(page)
    await shot(page, "settings-light-pt")
    await page.get_by_role("tab", name="Câmbio").click()
    await page.get_by_role("button", name="Nova taxa").click()
    await dialog(page).get_by_label("Vale desde").fill("2026-11-01")
    await dialog(page).get_by_label("Valor em BRL").fill("5,42")
    await accessible(page)
    await dialog(page).get_by_role("button", name="Salvar").click()
    await dialog(page).wait_for(state="detached")
    await page.get_by_role("cell", name=re.compile(r"R\$.5,42")).wait_for()
    await page.get_by_role("tab", name="Textos de consentimento").click()
    await page.get_by_role("button", name="Novo texto").click()
    await dialog(page).get_by_label("Versão").fill("ofertas-1")
    await dialog(page).get_by_role("textbox", name="Texto").fill("Aceito receber ofertas pelo WhatsApp.")
    await dialog(page).get_by_role("button", name="Salvar").click()
    await dialog(page).wait_for(state="detached")
    await deed(page, "ofertas-1", "^Retirar$")
    await dialog(page).get_by_role("button", name="Retirar").click()
    await dialog(page).wait_for(state="detached")
    await page.get_by_text("retirado em").wait_for()
    await page.get_by_role("tab", name="Benefícios e custos").click()
    await page.get_by_role("button", name="Novo lançamento").click()
    await dialog(page).get_by_label("Nome").fill("Central antiga desligada")
    await dialog(page).get_by_label("Valor em BRL").fill("12.500,00")
    await dialog(page).get_by_label(re.compile(r"^De(\s|$)")).fill("2026-11-01")
    await dialog(page).get_by_role("button", name="Salvar").click()
    await dialog(page).wait_for(state="detached")
    await page.get_by_role("cell", name=re.compile(r"R\$.12\.500,00")).wait_for()
    await accessible(page)
    await page.get_by_role("tab", name="Linhas de base").click()
    await page.get_by_role("button", name="Nova linha de base").click()
    await dialog(page).get_by_label("Indicador").click()
    await page.get_by_role("option", name=re.compile("^Satisfação do cliente")).click()
    await dialog(page).get_by_label("Valor").fill("3,9")
    await dialog(page).get_by_label("Fonte").fill("Sistema anterior, 2º trimestre")
    await shot(page, "baseline-new-light-pt")
    await dialog(page).get_by_role("button", name="Salvar").click()
    await dialog(page).wait_for(state="detached")
    await page.get_by_role("cell", name="3,9 de 5").wait_for()
    await accessible(page)
    await shot(page, "baselines-light-pt")

    await go(page, scene, "audit", "Auditoria")
    await page.get_by_text("A corrente ainda não foi conferida aqui.").wait_for()
    await page.get_by_role("button", name="Conferir agora").click()
    await page.get_by_text("A corrente está sendo conferida.").wait_for()
    await verify_audit.function(scene.hub.services)  # as a worker does it
    await page.get_by_text("O registro está como foi escrito").wait_for()
    await accessible(page)
    await shot(page, "audit-verified-light-pt")

    account = await scene.hub.fetchval("SELECT id FROM whatsapp_accounts")
    body = [{"type": "BODY", "text": "Sua fatura venceu ontem."}]
    draft = {
        "account_id": str(account),
        "name": "aviso",
        "language": "pt_BR",
        "category": "UTILITY",
        "components": body,
    }
    status, told = await call(scene.hub, "POST", "/api/v1/whatsapp/templates", scene.hub.auth, json=draft)
    assert status == 201, told
    await go(page, scene, "templates", "Modelos")
    await page.get_by_role("row", name=re.compile("^aviso")).get_by_text("Sua fatura venceu ontem.").wait_for()

    await scene.hub.fetch("""UPDATE queues SET skills = '{"fibra": 3}' WHERE key = $1""", queue)
    await go(page, scene, "supervisor", "Supervisão")
    card = page.get_by_role("article", name=queue)
    await card.get_by_text("Ninguém que atende esta fila tem: fibra:3").wait_for()
    await accessible(page)
    await shot(page, "supervisor-lacks-light-pt")


async def test_an_ending_and_its_survey_move_the_wallboard_and_its_figures(
    database_url: str, redis_url: str, tmp_path: Path, warehouse_server: EmbeddedWarehouse
) -> None:
    empty(warehouse_server.url())
    async with open_scene(
        database_url, redis_url, tmp_path, clickhouse_url=warehouse_server.url(), survey_nps=True
    ) as scene:
        await scene.hub.fetch("UPDATE roles SET second_factor = false")
        wall, page = await scene.page(width=1920, height=1080), await scene.page()
        await scene.agent(wall, "admin", name="Eva Reis")
        await go(wall, scene, "wallboard", "Painel ao vivo")
        await talking(scene, page)
        in_service = wall.get_by_role("group", name="Em atendimento", exact=True)
        await expect(in_service).to_contain_text("1", timeout=15_000)
        await page.get_by_role("textbox", name="Mensagem para o cliente").fill("Resolvido!")
        await page.keyboard.press("Enter")
        await page.get_by_role("article").filter(has_text="Resolvido!").get_by_role("img", name="Lida").wait_for()
        await page.keyboard.press("Escape")
        await page.keyboard.press("e")
        await dialog(page).get_by_role("button", name="Resolver").click()
        await page.get_by_role("log").get_by_text(re.compile("Que nota você dá")).wait_for()
        await scene.says("5")
        await head(page).get_by_text("Nota 5").wait_for()
        await page.get_by_role("log").get_by_text(re.compile("0 a 10")).wait_for()
        await scene.says("9")
        await head(page).get_by_text("Recomendaria: 9 de 10").wait_for()
        await shot(page, "conversation-recommended-light-pt")
        await expect(in_service).to_contain_text("0", timeout=15_000)
        await summarise.function(scene.hub.services)
        panel = page.get_by_role("complementary", name="Cliente")
        await panel.get_by_text("Cliente: quero falar com um atendente").wait_for()
        await panel.get_by_text("sem modelo").wait_for()
        await panel.get_by_text(re.compile(r"^9 de 10 em \d")).wait_for()
        await panel.get_by_text(re.compile(r"^5 de 5 em \d")).wait_for()
        await accessible(page)
        await shot(page, "summary-light-pt")

        await relay_until_empty(scene.hub.services.settings)
        await look.function(scene.hub.services)
        for tile, value in (("Conversas abertas", "1"), ("Satisfação", "5"), ("Resolvidas", "100"), ("NPS", "100")):
            figure = wall.get_by_role("group", name=re.compile(f"^{tile}"))
            await expect(figure).to_contain_text(value, timeout=20_000)
        await accessible(wall)
        await shot(wall, "wallboard-after-survey-light-pt")
