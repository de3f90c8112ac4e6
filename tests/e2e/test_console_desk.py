"""What an agent has at hand beside writing, in a real Chromium: files and voice, templates, notes, canned replies, the line."""

import base64
import re
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub_api.platform.clickhouse import connect
from hub_api.platform.crypto import keyed_hash
from hub_api.platform.ids import uuid7
from hub_api.whatsapp.templates.sync import sync_templates
from tests.auth.people import Person, add_conversation, add_person
from tests.e2e.console import PATIENCE_MS, Scene, accessible, head, open_scene, shot, sign_in, until
from tests.support.data import empty
from tests.support.warehouse import EmbeddedWarehouse

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def _png(side: int = 64) -> bytes:
    """A small picture: RGB, 8 bits."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"".join(bytes((200 - 2 * x, 80 + y, 60)) for x in range(side)) for y in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PNG = _png()
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


async def talking(scene: Scene, page: Page, **columns: object) -> tuple[Person, str]:
    """An agent who has taken the conversation of a customer who asked for a person."""
    agent = await scene.agent(page, **columns)
    await scene.says("quero falar com um atendente")
    talk = await until(
        lambda: scene.hub.fetchval("SELECT id FROM conversations WHERE state = 'queued'"), "somebody waits"
    )
    await page.goto(f"{scene.hub.url}/console/mine/{talk}")
    await page.get_by_role("button", name=re.compile("^(Assumir|Take)$")).click()
    await head(page).get_by_text(re.compile("^(Com você|Yours)$")).wait_for()
    return agent, str(talk)


def field(page: Page, name: str = "Mensagem para o cliente"):
    return page.get_by_role("textbox", name=name)


async def test_files_and_a_voice_message_reach_the_customer(scene: Scene, tmp_path: Path):
    page = await scene.page()
    _, talk = await talking(scene, page)
    log = page.get_by_role("log")
    picker = page.locator('input[type="file"]').first
    await picker.set_input_files(
        [
            {"name": "luzes.png", "mimeType": "image/png", "buffer": PNG},
            {"name": "fatura.pdf", "mimeType": "application/pdf", "buffer": PDF},
            {"name": "script.sh", "mimeType": "application/x-sh", "buffer": b"#!/bin/sh\n"},
        ]
    )
    await page.get_by_text("script.sh: o canal não aceita").wait_for()
    await page.get_by_text("fatura.pdf ·").wait_for()
    await accessible(page)
    await field(page).fill("Veja as luzes")
    await page.keyboard.press("Enter")
    picture = log.get_by_role("article").filter(has_text="Veja as luzes")
    await picture.get_by_role("img", name=re.compile("^(Lida|Entregue)$")).wait_for()
    await log.get_by_role("link", name="fatura.pdf").wait_for()

    await page.evaluate(
        """png => {
            const bytes = Uint8Array.from(atob(png), one => one.charCodeAt(0))
            const carried = new DataTransfer()
            carried.items.add(new File([bytes], 'solta.png', { type: 'image/png' }))
            const place = document.querySelector('section[aria-label="Conversa"]')
            place.dispatchEvent(new DragEvent('dragover', { dataTransfer: carried, bubbles: true, cancelable: true }))
            place.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }))
        }""",
        base64.b64encode(PNG).decode(),
    )
    await page.get_by_text("solta.png ·").wait_for()
    await page.keyboard.press("Enter")

    await page.get_by_role("button", name="Gravar mensagem de voz").click()
    await page.get_by_text("Gravando").wait_for()
    await page.mouse.move(0, 0)  # no hint over the page
    await page.wait_for_timeout(1500)  # something has to be said
    await accessible(page)
    await page.get_by_role("button", name="Enviar mensagem de voz").click()
    await log.get_by_role("img", name="Mensagem de voz").wait_for()

    async def sent() -> list[tuple[str, str, bool]]:
        rows = await scene.hub.fetch(
            "SELECT m.type, m.state, (m.payload -> 'audio' ->> 'voice')::bool AS voice FROM messages m "
            "WHERE m.conversation_id = $1 AND m.author = 'agent' ORDER BY m.created_at, m.id",
            talk,
        )
        states = {row["state"] for row in rows}
        return [(row["type"], row["voice"]) for row in rows] if len(rows) == 4 and states == {"read"} else []

    assert await until(sent, "all are read") == [("image", None), ("document", None), ("image", None), ("audio", True)]
    sound = await scene.hub.fetch("SELECT mime_type, size_bytes FROM media WHERE kind = 'audio'")
    assert [row["mime_type"] for row in sound] == ["audio/ogg"] and sound[0]["size_bytes"] > 1000
    player = log.locator("audio").last
    await until(lambda: player.evaluate("sound => sound.duration > 1 && sound.duration < 20"), "the browser plays it")


async def test_when_the_window_is_closed_a_template_is_found_filled_and_sent(scene: Scene):
    page = await scene.page()
    _, talk = await talking(scene, page)
    await sync_templates(scene.hub.services, await scene.hub.fetchval("SELECT id FROM whatsapp_accounts"))
    await scene.hub.fetch(
        "UPDATE conversations SET last_customer_message_at = now() - interval '25 hours' WHERE id = $1", talk
    )
    await page.reload()
    await head(page).get_by_text("Janela fechada").wait_for()
    assert await field(page).count() == 0
    await accessible(page)
    await shot(page, "closed-window-light-pt")
    await page.get_by_role("button", name="Escolher um modelo").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Buscar modelo").fill("fatura de valor")
    await dialog.get_by_text("Nenhum modelo encontrado").wait_for()
    await dialog.get_by_label("Buscar modelo").fill("fatura disponível")
    await dialog.get_by_text("fatura_disponivel").click()
    assert await dialog.get_by_label("primeiro_nome").input_value() == "Cliente"
    send = dialog.get_by_role("button", name="Enviar")
    await expect(send).to_be_disabled()
    await dialog.get_by_label("valor").fill("R$ 120,00")
    await dialog.get_by_role("region", name="Como o cliente verá").get_by_text("sua fatura de R$ 120,00").wait_for()
    await accessible(page)
    await shot(page, "template-light-pt")
    await send.click()
    bubble = page.get_by_role("log").get_by_role("article").filter(has_text="R$ 120,00")
    await bubble.get_by_role("img", name="Lida").wait_for()
    (sent,) = await scene.hub.fetch(
        "SELECT state, payload -> 'template' ->> 'name' AS name FROM messages WHERE type = 'template'"
    )
    assert (sent["state"], sent["name"]) == ("read", "fatura_disponivel")


async def test_notes_canned_replies_labels_and_a_transfer_with_a_note_reach_the_colleague(scene: Scene):
    page, other = await scene.page(), await scene.page()
    caio = await add_person(scene.hub, signed_in=False, name="Caio Prado")
    await scene.hub.fetch(
        "INSERT INTO canned_replies (id, shortcut, title, text) VALUES ($1, 'boas-vindas', 'Boas-vindas', "
        "'Olá {cliente}, aqui é {atendente}.')",
        uuid7(),
    )
    await scene.hub.fetch(
        "INSERT INTO macros (id, name, steps) VALUES ($1, 'Visita', $2)",
        uuid7(),
        {"reply": "Visita marcada, {cliente}!", "add_tags": ["visita"]},
    )
    _, talk = await talking(scene, page, name="Bia Lima")
    await other.goto(f"{scene.hub.url}/console/")
    await sign_in(other, caio.email)
    log = page.get_by_role("log")
    await field(page).fill("/boas")
    await page.get_by_role("option").filter(has_text="/boas-vindas").wait_for()
    await accessible(page)
    await page.keyboard.press("Enter")
    await expect(field(page)).to_have_value("Olá Cliente, aqui é Bia.", timeout=PATIENCE_MS)
    await page.keyboard.press("Enter")
    await log.get_by_text("Olá Cliente, aqui é Bia.").wait_for()

    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.keyboard.type("Falar com @Cai")
    await page.get_by_role("option", name="@Caio Prado").wait_for()
    await page.keyboard.press("Enter")
    await page.keyboard.type("antes")
    await page.keyboard.press("Enter")
    await log.get_by_role("article", name="Nota interna").get_by_text("@Caio Prado").wait_for()
    await accessible(page)
    await shot(page, "note-light-pt")
    await other.get_by_role("link", name="Menções").click()
    await other.get_by_text("Falar com @Caio Prado antes").wait_for()
    await accessible(other)
    await other.get_by_text("Falar com @Caio Prado antes").click()
    await other.get_by_role("log").get_by_text("Olá Cliente, aqui é Bia.").wait_for()
    await head(other).get_by_text("Bia Lima", exact=True).wait_for()  # a name, where an id was

    await page.keyboard.press("Escape")
    await page.keyboard.press("p")
    await page.get_by_role("button", name=re.compile("^Visita")).click()
    await log.get_by_text("Visita marcada, Cliente!").wait_for()
    await head(page).get_by_text("#visita").wait_for()
    await page.keyboard.press("l")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Prioridade").click()
    await page.get_by_role("option", name="Crítica").click()
    await accessible(page)
    await dialog.get_by_role("button", name="Salvar").click()
    await until(
        lambda: scene.hub.fetchval("SELECT priority = 5 FROM conversations WHERE id = $1", talk), "priority is set"
    )
    await dialog.wait_for(state="detached")

    await page.keyboard.press("t")
    await dialog.get_by_role("button", name="Colega").click()
    await dialog.get_by_label("Para o colega").fill("Caio")
    await page.get_by_role("option", name=re.compile("Caio Prado")).click()
    await dialog.get_by_label("Nota (opcional)").fill("Já conferi o endereço.")
    await accessible(page)
    await dialog.get_by_role("button", name="Transferir").click()
    await head(page).get_by_text("Caio Prado", exact=True).wait_for()
    await head(other).get_by_text("Com você").wait_for()
    await other.get_by_role("log").get_by_text("Já conferi o endereço.").wait_for()
    assert await scene.hub.fetchval("SELECT agent_id FROM conversations WHERE id = $1", talk) == caio.id


async def test_a_reply_is_scheduled_and_cancelled_and_a_conversation_put_off(scene: Scene):
    page = await scene.page()
    await talking(scene, page)
    await field(page).fill("Bom dia! A visita é hoje.")
    await page.get_by_role("button", name="Enviar mais tarde").click()
    dialog = page.get_by_role("dialog")
    await accessible(page)
    await dialog.get_by_role("button", name="Agendar").click()
    waiting = page.get_by_role("region", name="Respostas agendadas")
    await waiting.get_by_text("A visita é hoje").wait_for()
    await expect(field(page)).to_have_value("")
    await accessible(page)
    await waiting.get_by_role("button", name="Cancelar envio").click()
    await waiting.wait_for(state="detached")
    assert await scene.hub.fetchval("SELECT state FROM scheduled_replies") == "cancelled"

    await page.keyboard.press("Escape")
    await page.keyboard.press("s")
    await accessible(page)
    await dialog.get_by_role("button", name="1 hora").click()
    await head(page).get_by_text("Adiada até").wait_for()
    await page.keyboard.press("s")
    await dialog.get_by_role("button", name="Retomar agora").click()
    await head(page).get_by_text("Adiada até").wait_for(state="detached")
    await scene.says("oi?")
    answered = page.get_by_role("article").filter(has_text="oi?")
    beside = answered.locator("xpath=..")
    await beside.get_by_role("button", name="Responder a esta mensagem").click()
    await field(page).fill("Aqui!")
    await page.keyboard.press("Enter")
    bubble = page.get_by_role("article").filter(has_text="Aqui!")
    await bubble.get_by_text("oi?").wait_for()  # the quote
    await beside.get_by_role("button", name="Reagir").click()
    await page.get_by_role("menuitemradio", name="👍").click()
    await until(
        lambda: scene.hub.fetchval(
            "SELECT state IN ('sent', 'delivered', 'read') FROM messages WHERE type = 'reaction'"
        ),
        "the reaction has left",
    )
    await page.get_by_role("log").get_by_text("👍").first.wait_for()
    await page.get_by_role("button", name="Mais ações").click()
    await accessible(page)
    await page.get_by_role("menuitem", name="Encerrar como spam").click()
    await dialog.get_by_role("button", name="Encerrar como spam").click()
    await head(page).get_by_text("Encerrada").wait_for()


async def test_the_line_tells_what_is_due_and_the_next_one_is_taken_with_word_of_it(scene: Scene):
    page = await scene.page()
    await page.context.grant_permissions(["notifications"])
    await page.add_init_script(
        "window.told = []; window.Notification = class { static permission = 'granted'; "
        "static requestPermission = async () => 'granted'; constructor(title, more) { told.push([title, more.body]) } }"
    )
    agent = await scene.agent(page)
    policy, due = uuid7(), datetime.now(UTC) + timedelta(minutes=3, seconds=30)
    await scene.hub.fetch(
        "INSERT INTO sla_policies (id, name, target, seconds) VALUES ($1, 'Primeira', 'first_response', 240)", policy
    )
    late, first = [await add_conversation(scene.hub, None, words) for words in ("atrasado", "urgente")]
    await scene.hub.fetch("UPDATE conversations SET priority = 5 WHERE id = $1", first["conversation"])
    for made, at in ((late, due - timedelta(hours=1)), (first, due)):
        await scene.hub.fetch(
            "INSERT INTO sla_clocks (conversation_id, target, policy_id, started_at, running_since, due_at) "
            "VALUES ($1, 'first_response', $2, now(), now(), $3)",
            made["conversation"], policy, at,
        )  # fmt: skip
    await page.get_by_role("tab", name=re.compile("Fila")).click()
    await page.reload()
    rows = page.get_by_role("tabpanel").get_by_role("listitem")
    await rows.filter(has_text="urgente").get_by_text("Prazo: 3 min").wait_for()
    await rows.filter(has_text="atrasado").get_by_text("Atrasada: 56 min").wait_for()
    await accessible(page)
    await shot(page, "queue-light-pt")
    await page.get_by_role("button", name="Conta e preferências").click()
    await page.get_by_role("menuitemcheckbox", name="Avisos do navegador").click()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Pegar a próxima").click()
    await head(page).get_by_text("Com você").wait_for()
    await head(page).get_by_role("heading", name="Cliente urgente").wait_for()
    held = await scene.hub.fetch("SELECT conversation_id, reason FROM assignments WHERE agent_id = $1", agent.id)
    assert [(row["conversation_id"], row["reason"]) for row in held] == [(first["conversation"], "taken_next")]

    await scene.says("quero falar com um atendente")
    talk = await until(
        lambda: scene.hub.fetchval("SELECT id FROM conversations WHERE state = 'queued' AND number_id IS NOT NULL"),
        "she waits",
    )
    supervisor = await add_person(scene.hub, "supervisor")
    given = await scene.hub.post(
        f"/api/v1/conversations/{talk}/assign", json={"agent_id": str(agent.id)}, headers=supervisor.headers
    )
    assert given.status == 200
    await until(lambda: page.evaluate("told.some(one => one[1] === 'Uma conversa é sua agora')"), "word of it")
    await scene.says("alguém aí?")
    await until(lambda: page.evaluate("told.some(one => one[1] === 'Nova mensagem do cliente')"), "word of her word")
    await until(lambda: page.evaluate("document.title.startsWith('(')"), "the number in the title")


async def test_search_finds_messages_customers_and_protocols(scene: Scene):
    page = await scene.page()
    await scene.agent(page)
    made = await add_conversation(scene.hub, None, "roteador piscando")
    protocol = await scene.hub.fetchval("SELECT protocol FROM conversations WHERE id = $1", made["conversation"])
    await page.get_by_role("link", name="Busca").click()
    box = page.get_by_role("searchbox", name="Buscar em tudo")
    await box.fill("roteadores")
    await page.keyboard.press("Enter")
    hit = page.get_by_role("region", name="Mensagens").get_by_role("link", name=re.compile("roteador piscando"))
    await expect(hit).to_contain_text(re.compile("^Cliente roteador piscando · o cliente escreveu · "))
    await accessible(page)
    await shot(page, "search-light-pt")
    await page.set_viewport_size({"width": 360, "height": 780})
    await shot(page, "phone-search-pt")
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.get_by_role("combobox", name="Quem escreveu").click()
    await page.get_by_role("option", name="Atendente").click()
    await page.get_by_text("Nenhuma mensagem encontrada").wait_for()
    await page.get_by_role("combobox", name="Quem escreveu").click()
    await page.get_by_role("option", name="Cliente").click()
    await page.get_by_role("combobox", name="Período").click()
    await page.get_by_role("option", name="Últimos 7 dias").click()
    await hit.wait_for()
    assert "author=customer" in page.url and "days=7" in page.url
    await box.fill("cliente roteador")
    await page.keyboard.press("Enter")
    await page.get_by_role("region", name="Clientes").get_by_role("button").click()
    await page.get_by_role("region", name="Clientes").get_by_role("link").wait_for()
    await scene.hub.fetch(
        "UPDATE customers SET cpf_hash = $1 WHERE id = $2",
        keyed_hash(scene.hub.services.settings.secret_key.get_secret_value(), "52998224725"), made["customer"],
    )  # fmt: skip
    await box.fill("529.982.247-25")
    await page.keyboard.press("Enter")
    await page.get_by_role("region", name="Clientes").get_by_role("button", name=re.compile("roteador")).wait_for()
    await box.fill("nada disso existe")
    await page.keyboard.press("Enter")
    await page.get_by_text("Nenhuma mensagem encontrada").wait_for()
    await accessible(page)
    await box.fill(protocol)
    await page.keyboard.press("Enter")
    await page.get_by_role("region", name="Protocolo").get_by_role("link").click()
    await page.get_by_role("log").get_by_text("roteador piscando").first.wait_for()


async def test_the_panel_tells_what_the_tables_know_and_of_when(
    database_url: str, redis_url: str, tmp_path: Path, warehouse_server: EmbeddedWarehouse
):
    empty(warehouse_server.url())
    async with open_scene(database_url, redis_url, tmp_path, clickhouse_url=warehouse_server.url()) as scene:
        page = await scene.page()
        made = await add_conversation(scene.hub, None, "fibra")
        client = connect(warehouse_server.url())
        customer = str(made["customer"])
        client.command(
            "INSERT INTO gold.churn_risk (day, customer_id, probability, band, reasons, horizon_days) VALUES "
            f"('2026-11-25', '{customer}', 0.62, 'high', ['Fatura em atraso há 12 dias'], 30)"
        )
        client.command(
            "INSERT INTO gold.customer_value (customer_id, as_of, value_score, tier, rfm_group) VALUES "
            f"('{customer}', '2026-11-25', 71.5, 'Ouro', 'Fiéis')"
        )
        client.command(
            "INSERT INTO gold.conversation_sentiment (day, conversation_id, customer_id, score_mean, final_label) VALUES "
            f"('2026-11-20', '{made['conversation']}', '{customer}', -0.6, 'negative')"
        )
        client.close()
        person = await add_person(scene.hub, signed_in=False)
        await page.goto(f"{scene.hub.url}/console/all/{made['conversation']}")
        await sign_in(page, person.email)
        panel = page.get_by_role("complementary", name="Cliente")
        told = panel.get_by_role("region", name="O que os dados dizem")
        await told.get_by_text("62% em 30 dias").wait_for()
        await told.get_by_text("Ouro · 72 de 100").wait_for()
        await told.get_by_text("Fatura em atraso há 12 dias").wait_for()
        await told.get_by_text(re.compile("Dados de 25 de nov")).first.wait_for()
        await told.get_by_text(re.compile("negativo")).wait_for()
        await panel.get_by_text("Nenhuma decisão registrada").wait_for()
        await accessible(page)
        await shot(page, "panel-light-pt")
    empty(warehouse_server.url())
