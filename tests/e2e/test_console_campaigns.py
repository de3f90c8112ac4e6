"""The pages of campaigns in a real Chromium, from the wizard to the read-out: a marketer plans a test on people of a file, a supervisor
approves it, it runs at the simulator, is paused and goes on, and the better variant wins."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub_api.analytics.relay import relay_until_empty
from hub_api.events import MessageReceived
from hub_api.platform.ids import uuid7
from tests.e2e.campaign_pages import (
    PHONE,
    a_file,
    api,
    clockwork,
    no_wider,
    on,
    open_campaigns,
    pick,
    someone,
    template,
)
from tests.e2e.console import Scene, accessible, shot, until
from tests.support.warehouse import EmbeddedWarehouse

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

PEOPLE = 320


@pytest.fixture
async def scene(
    database_url: str, redis_url: str, tmp_path: Path, warehouse_server: EmbeddedWarehouse
) -> AsyncIterator[Scene]:
    async with open_campaigns(database_url, redis_url, tmp_path, warehouse_server) as made:
        yield made


async def write_back(scene: Scene, variant: str, share: float) -> None:
    """Such a share of who got the variant answers."""
    rows = await scene.hub.fetch(
        "UPDATE conversations v SET last_customer_message_at = now() FROM ("
        "  SELECT customer_id, row_number() OVER (ORDER BY position) AS n, count(*) OVER () AS of FROM campaign_recipients"
        "  WHERE variant = $1 AND state = 'sent') AS r WHERE v.customer_id = r.customer_id AND r.n <= r.of * $2::float8 "
        "RETURNING v.id, v.customer_id",
        variant, share,
    )  # fmt: skip
    async with scene.hub.services.transaction() as tx:
        for row in rows:
            tx.emit(MessageReceived(
                aggregate_id=uuid7(), aggregate_version=1, occurred_at=datetime.now(UTC), conversation_id=row["id"],
                customer_id=row["customer_id"], message_type="text", content="sim", received_at=datetime.now(UTC),
            ))  # fmt: skip


async def test_a_campaign_from_the_wizard_to_the_winner(scene: Scene, tmp_path: Path) -> None:
    file, _ = await a_file(scene, tmp_path, PEOPLE)
    await scene.hub.fetch("UPDATE whatsapp_numbers SET throughput_mps = 12")
    page, _ = await someone(scene, "marketer")
    await page.get_by_role("heading", level=2, name="Campanhas").wait_for()
    await page.get_by_text("Nenhuma campanha ainda").wait_for()
    await accessible(page)
    await page.get_by_role("link", name="Nova campanha").click()

    # A step that lacks something says so, and what was typed outlives a reload.
    await page.get_by_role("button", name="Avançar").click()
    await page.get_by_role("alert").get_by_text("Dê um nome à campanha.").wait_for()
    await page.get_by_label(re.compile("^Nome")).fill("Lembrete de dezembro")
    await pick(page, page.locator("main"), "Tipo de mensagem", "Utilidade")
    await page.reload()
    await expect(page.get_by_label(re.compile("^Nome"))).to_have_value("Lembrete de dezembro")
    await accessible(page)
    await shot(page, "campaign-goal")
    await on(page, "Público")
    await page.get_by_label("Um segmento, como estiver").wait_for()
    await accessible(page)
    await page.get_by_label("Um arquivo CSV").click()
    await page.locator("input[type=file]").set_input_files(file)
    await page.get_by_text(f"{PEOPLE} de {PEOPLE + 2} linhas têm um cliente.").wait_for()
    await expect(page.get_by_role("cell", name="repetida")).to_be_visible()
    await accessible(page)
    await shot(page, "campaign-audience")
    await on(page, "Mensagem")
    await message(page)
    await on(page, "Experimento")
    await page.get_by_label("Grupo de controle, %").fill("10")
    await pick(page, page.locator("main"), "^Regra", "O vencedor fica com o restante")
    await page.get_by_label("Parte do teste, %").fill("90")
    await page.get_by_label("Diferença procurada, p.p.").fill("10")
    await page.get_by_label("Saídas toleradas, p.p.").fill("8")
    await page.get_by_text(re.compile("A amostra (basta|é pequena)")).wait_for()
    await accessible(page)
    await shot(page, "campaign-experiment")
    await on(page, "Quando")
    await page.get_by_label("Horário permitido").fill("1-7 00:00-23:59")
    await page.get_by_label("Não enviar em feriados").click()
    await accessible(page)
    await shot(page, "campaign-schedule")
    await on(page, "Revisão")
    await page.get_by_text("Nada impede o envio.").wait_for()
    await expect(page.get_by_role("group", name="Receberiam")).to_contain_text(str(PEOPLE))
    await page.get_by_role("figure").first.wait_for()
    await accessible(page)
    await shot(page, "campaign-review")
    await page.get_by_role("button", name="Enviar para revisão").click()
    await page.get_by_text("outra pessoa precisa aprová-la").wait_for()
    assert await page.get_by_role("button", name="Aprovar").count() == 0
    (campaign,) = (await api(scene, "campaigns"))["items"]
    assert (campaign["state"], campaign["lane"], len(campaign["variants"])) == ("in_review", "utility", 3)
    filling = campaign["variants"][2]["variables"]["body.valor"]
    assert (filling["source"], filling["fallback"]) == ("csv.valor", "o valor em aberto")

    boss, _ = await someone(scene, "supervisor", scheme="dark")
    await approved(boss, scene, campaign["id"])
    async with clockwork(scene):
        await paused_and_resumed(boss, scene, campaign["id"])
        await until(lambda: waits_for_the_decision(scene), "the test is sent", 120)
        await write_back(scene, "a", 0.05)
        await write_back(scene, "b", 0.45)
        async for key in scene.hub.services.redis.scan_iter("campaign-look:*"):
            await scene.hub.services.redis.delete(key)
        await until(lambda: is_over(scene, campaign["id"]), "the rest is sent", 120)
    await relay_until_empty(scene.hub.services.settings)
    await read_out(page, boss, scene, campaign["id"])
    await other_looks(scene, campaign["id"])


async def message(page: Page) -> None:
    """Two wordings, whose variables come from the customer, the file and the invoice."""
    first = page.get_by_role("region", name="Variante A", exact=True)
    await template(page, first, "fatura_disponivel")
    await page.get_by_role("button", name="Adicionar variante").click()
    second = page.get_by_role("region", name="Variante B", exact=True)
    await template(page, second, "fatura_lembrete")
    for variant in (first, second):
        await pick(page, variant, re.escape("{{valor}} vem de"), "Arquivo: valor")
        await variant.get_by_label(re.compile(re.escape("{{valor}} quando falta"))).fill("o valor em aberto")
    await expect(second.get_by_role("figure")).to_contain_text("A fatura de o valor em aberto venceu")
    await page.get_by_role("button", name="Salvar e mostrar").click()
    shown = page.get_by_role("figure", name="B, cliente 1")
    await expect(shown).to_contain_text("Oi Bia!")
    await accessible(page)
    await shot(page, "campaign-message")
    await page.set_viewport_size(PHONE)
    await accessible(page)
    await shot(page, "phone-campaign-message")
    await no_wider(page)
    await page.set_viewport_size({"width": 1440, "height": 900})


async def approved(page: Page, scene: Scene, campaign: str) -> None:
    """The second person sees plan, check and phones, approves and starts."""
    await page.goto(f"{scene.hub.url}/console/campaigns/{campaign}")
    await page.get_by_text("Nada impede o envio.").wait_for()
    await page.get_by_role("figure").first.wait_for()
    await accessible(page)
    await shot(page, "dark-campaign-plan")
    for verb in ("Aprovar", "Iniciar"):
        await page.get_by_role("button", name=verb, exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()
        await page.get_by_role("dialog").wait_for(state="detached")
    await page.get_by_role("tab", name="Andamento").click()


async def paused_and_resumed(page: Page, scene: Scene, campaign: str) -> None:
    """The big button stops what leaves within a second, and the same goes on."""
    await expect(page.get_by_role("group", name="Ritmo")).to_contain_text(re.compile(r"[1-9]\d*/min"), timeout=40_000)
    await page.get_by_role("button", name="Pausar", exact=True).click()
    await page.get_by_role("button", name="Retomar", exact=True).wait_for()
    await asyncio.sleep(1)  # what a sender had in hand leaves within its second
    left = scene.simulator.core.ledger.accepted_calls
    await expect(page.get_by_text(re.compile(r"mensage(m|ns) espera"))).to_be_visible()
    await accessible(page)
    await shot(page, "dark-campaign-paused")
    await asyncio.sleep(1.5)
    assert scene.simulator.core.ledger.accepted_calls == left < PEOPLE // 2
    assert (await api(scene, f"campaigns/{campaign}"))["state"] == "paused"
    await scene.hub.fetch("UPDATE whatsapp_numbers SET throughput_mps = 80")
    await page.get_by_role("button", name="Retomar", exact=True).click()
    await page.get_by_role("button", name="Pausar", exact=True).wait_for()


async def waits_for_the_decision(scene: Scene) -> bool:
    run = await scene.hub.services.db.fetchrow("SELECT turns FROM campaign_runs")
    queued = await scene.hub.fetchval("SELECT count(*) FROM campaign_recipients WHERE state = 'queued'")
    return run["turns"] >= int(PEOPLE * 0.9) and queued == 0


async def is_over(scene: Scene, campaign: str) -> bool:
    return (await api(scene, f"campaigns/{campaign}"))["state"] == "completed"


async def read_out(page: Page, boss: Page, scene: Scene, campaign: str) -> None:
    await page.goto(f"{scene.hub.url}/console/campaigns/{campaign}")
    funnel = page.get_by_role("table", name="Funil")
    await expect(funnel.get_by_role("row", name=re.compile("^Todas"))).to_contain_text(
        re.compile(r"\d{3}"), timeout=30_000
    )
    assert scene.simulator.core.ledger.accepted_calls < PEOPLE  # the control got nothing, nobody two
    await accessible(page)
    await shot(page, "campaign-monitor")
    await pick(page, page.get_by_role("region", name="Funil"), "Ver por", "Número")
    ours = await scene.hub.fetchval("SELECT display_phone_number FROM whatsapp_numbers")
    await expect(funnel.get_by_role("row", name=re.compile(re.escape(ours)))).to_contain_text(re.compile(r"\d{3}"))
    await page.get_by_role("tab", name="Experimento").click()
    await expect(page.get_by_role("status").filter(has_text="venceu")).to_contain_text("B venceu", timeout=20_000)
    await page.get_by_text("Vencedor: promove B").wait_for()
    await page.get_by_role("figure", name="B menos A, em p.p.").locator("svg").first.wait_for()
    await accessible(page)
    await shot(page, "campaign-experiment-result")
    await boss.goto(f"{scene.hub.url}/console/campaigns/{campaign}/experiment")
    await boss.get_by_role("figure", name="B menos A, em p.p.").locator("svg").first.wait_for()
    await accessible(boss)
    await shot(boss, "dark-campaign-experiment-result")
    await page.get_by_role("tab", name="Pessoas").click()
    await pick(page, page.locator("main"), "^Estado", "Enviada")
    why = page.get_by_role("link", name=re.compile(r"^Por que recebeu\? \S"))
    await why.first.wait_for()
    await accessible(page)
    await shot(page, "campaign-people")
    await why.first.click()
    await page.get_by_text(f"uma de {PEOPLE} pessoas").wait_for()
    await page.get_by_text("Entrou na saída").wait_for()
    await accessible(page)
    await shot(page, "campaign-lineage")
    last = await scene.hub.fetchval(
        "SELECT message_id FROM campaign_recipients WHERE state = 'sent' ORDER BY position DESC LIMIT 1"
    )
    await boss.goto(f"{scene.hub.url}/console/campaigns/message/{last}")
    await expect(boss.get_by_role("region", name="Por que recebeu")).to_contain_text("Vencedor: promove B")
    await accessible(boss)
    await shot(boss, "dark-campaign-lineage")
    await page.goto(f"{scene.hub.url}/console/campaigns")
    await page.get_by_role("link", name="Lembrete de dezembro").wait_for()
    await accessible(page)
    await shot(page, "campaigns")
    await results_come_as_a_file(page, scene)
    talk = await scene.hub.fetchval(
        "SELECT v.id FROM conversations v JOIN campaign_recipients r USING (customer_id) WHERE r.state = 'sent' LIMIT 1"
    )
    await boss.goto(f"{scene.hub.url}/console/all/{talk}")
    await boss.get_by_role("link", name=re.compile("^Lembrete de dezembro")).scroll_into_view_if_needed()
    await accessible(boss)
    await shot(boss, "dark-customer-campaigns")


async def results_come_as_a_file(page: Page, scene: Scene) -> None:
    """What another system sold, told by a marketer: each line counts once, or says why not."""
    who = await scene.hub.fetchval(
        "SELECT phone FROM customers c JOIN campaign_recipients r ON r.customer_id = c.id WHERE r.state = 'sent' LIMIT 1"
    )
    day = (datetime.now(UTC) - timedelta(days=1)).strftime("%d/%m/%Y 10:00")
    lines = f"id;tipo;data;valor;telefone\nV1;compra;{day};99,90;{who}\nV2;compra;{day};1,00;+5599900000000\n"
    await page.get_by_role("button", name="Enviar resultados (CSV)").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("input[type=file]").set_input_files(
        {"name": "vendas.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    )
    await dialog.get_by_role("button", name="Enviar", exact=True).click()
    await dialog.get_by_text("2 linhas: 1 novas ou alteradas, 0 iguais, 1 recusadas.").wait_for()
    await expect(dialog.get_by_role("row", name=re.compile("^3"))).to_contain_text("não é cliente")
    await accessible(page)
    await shot(page, "campaign-results-file")
    await dialog.get_by_role("button", name="Fechar").click()
    told = await scene.hub.fetch("SELECT external_id, value_micros FROM goals WHERE source = 'file'")
    assert [(row["external_id"], row["value_micros"]) for row in told] == [("V1", 99_900_000)]


async def other_looks(scene: Scene, campaign: str) -> None:
    """The same pages in English, on a phone, some by the dark; and a copy of the campaign."""
    page, _ = await someone(scene, "marketer", language="en", **PHONE)
    for part, words in (
        ("monitor", "Funnel"),
        ("experiment", "B won"),
        ("people", "In the outbox|Sent|Control"),
        ("plan", "No limit|no limit"),
    ):
        await page.goto(f"{scene.hub.url}/console/campaigns/{campaign}/{part}")
        await page.get_by_text(re.compile(words)).first.wait_for()
        if part == "experiment":
            await page.get_by_role("figure").last.locator("svg").first.wait_for()
        await accessible(page)
        await shot(page, f"phone-campaign-{part}-en")
        await no_wider(page)
    await page.goto(f"{scene.hub.url}/console/campaigns/{campaign}/people")
    await page.get_by_role("link", name=re.compile("^Why did they get it")).first.click()
    await page.get_by_text("Put into the outbox").wait_for()
    await accessible(page)
    await shot(page, "phone-campaign-lineage-en")
    await no_wider(page)
    await page.goto(f"{scene.hub.url}/console/campaigns")
    await page.get_by_role("link", name="Lembrete de dezembro").wait_for()
    await accessible(page)
    await shot(page, "phone-campaigns-en")
    await page.get_by_role("button", name=re.compile("^Actions.*Lembrete")).click()
    await page.get_by_role("menuitem", name="Copy").click()
    await page.get_by_role("dialog").get_by_role("button", name="Copy").click()
    await expect(page.get_by_label(re.compile("^Name"))).to_have_value("Lembrete de dezembro (copy)")
    await no_wider(page)
    await shot(page, "phone-campaign-wizard-en")
    assert [one["state"] for one in (await api(scene, "campaigns"))["items"]] == ["draft", "completed"]
