"""What else is done with campaigns on their pages: sent back and changed, called off, run again and again, set off by an event."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

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

PEOPLE, STRUCK = 6, 4
REGION = "SP-01"


@pytest.fixture
async def scene(
    database_url: str, redis_url: str, tmp_path: Path, warehouse_server: EmbeddedWarehouse
) -> AsyncIterator[Scene]:
    async with open_campaigns(database_url, redis_url, tmp_path, warehouse_server) as made:
        yield made


async def planned(page: Page, scene: Scene, name: str, file: Path) -> None:
    """One message for the people of a file, as far as the step that says when."""
    await page.goto(f"{scene.hub.url}/console/campaigns/new")
    await page.get_by_label(re.compile("^Nome")).fill(name)
    await pick(page, page.locator("main"), "Tipo de mensagem", "Utilidade")
    await on(page, "Público")
    await page.get_by_label("Um arquivo CSV").click()
    await page.locator("input[type=file]").set_input_files(file)
    await page.get_by_text(re.compile("linhas têm um cliente")).wait_for()
    await on(page, "Mensagem")
    await template(page, page.get_by_role("region", name="Variante A", exact=True), "boas_vindas")
    await on(page, "Experimento")
    await on(page, "Quando")
    await page.get_by_label("Horário permitido").fill("1-7 00:00-23:59")
    await page.get_by_label("Não enviar em feriados").click()


async def handed_in(page: Page) -> None:
    await on(page, "Revisão")
    await page.get_by_role("button", name="Enviar para revisão").click()
    await page.get_by_text("outra pessoa precisa aprová-la").wait_for()


async def confirmed(page: Page, verb: str, why: str = "") -> None:
    """A step that asks first, and why where it wants words."""
    await page.get_by_role("button", name=verb, exact=True).click()
    dialog = page.get_by_role("dialog")
    if why:
        await dialog.get_by_label(re.compile("^Por quê")).fill(why)
        await accessible(page)
        await shot(page, f"campaign-ask-{verb.split(maxsplit=1)[0].lower()}")
    await dialog.get_by_role("button", name=verb, exact=True).click()
    await dialog.wait_for(state="detached")


async def state_of(scene: Scene, campaign: str) -> str:
    return str((await api(scene, f"campaigns/{campaign}"))["state"])


async def test_a_campaign_is_sent_back_changed_repeated_and_called_off(scene: Scene, tmp_path: Path) -> None:
    file, _ = await a_file(scene, tmp_path, PEOPLE)
    page, _ = await someone(scene, "marketer")
    boss, _ = await someone(scene, "supervisor", **PHONE)
    await planned(page, scene, "Boas-vindas", file)
    await handed_in(page)
    (campaign,) = (await api(scene, "campaigns"))["items"]
    await boss.goto(f"{scene.hub.url}/console/campaigns/{campaign['id']}")
    await confirmed(boss, "Devolver", "Repita toda semana, por favor")
    assert await state_of(scene, campaign["id"]) == "draft"
    await no_wider(boss)

    await page.goto(f"{scene.hub.url}/console/campaigns/{campaign['id']}")
    await page.get_by_text("Repita toda semana, por favor").wait_for()
    await page.get_by_role("button", name="Alterar", exact=True).click()
    await page.get_by_role("navigation", name="Etapas").get_by_text("Quando").click()
    await pick(page, page.locator("main"), "Como se repete", "Recorrente")
    await pick(page, page.locator("main"), "A cada", "semana")
    await pick(page, page.locator("main"), "Dia da semana", "terça")
    await page.get_by_label("Às (hora)").fill("10")
    await accessible(page)
    await shot(page, "campaign-recurring")
    await handed_in(page)
    plan = (await api(scene, f"campaigns/{campaign['id']}"))["schedule"]
    assert plan["rhythm"] | {"every": "week", "weekday": 2, "hour": 10} == plan["rhythm"], plan

    await boss.reload()
    await confirmed(boss, "Aprovar")
    await confirmed(boss, "Iniciar")
    async with clockwork(scene):
        await until(lambda: waits(scene, campaign["id"]), "it waits for Tuesday", 60)
        await boss.goto(f"{scene.hub.url}/console/calendar")
        await boss.get_by_role("link", name=re.compile("Boas-vindas")).first.wait_for()
        await accessible(boss)
        await shot(boss, "phone-calendar-recurring")
        await no_wider(boss)
        await boss.goto(f"{scene.hub.url}/console/campaigns/{campaign['id']}")
        await confirmed(boss, "Cancelar de vez", "Mudou a oferta")
        await expect(boss.locator("main").get_by_text("Cancelada", exact=True).first).to_be_visible()
        await scene.hub.fetch("UPDATE campaigns SET next_at = now() - interval '1 second'")
    assert await state_of(scene, campaign["id"]) == "cancelled"
    assert await boss.get_by_role("button", name=re.compile("^(Iniciar|Aprovar|Retomar|Alterar)$")).count() == 0
    assert scene.simulator.core.ledger.accepted_calls == 0, "nothing leaves when its hour comes"
    kept = await scene.hub.fetch("SELECT detail FROM audit_log WHERE action LIKE 'campaign.%' AND detail IS NOT NULL")
    reasons = {row["detail"].get("reason") for row in kept}
    assert {"Repita toda semana, por favor", "Mudou a oferta"} <= reasons, reasons


async def waits(scene: Scene, campaign: str) -> bool:
    return await state_of(scene, campaign) in ("scheduled", "running")


async def test_an_outage_sets_a_campaign_off_for_whom_it_strikes(scene: Scene, tmp_path: Path) -> None:
    file, people = await a_file(scene, tmp_path, PEOPLE)
    await scene.hub.fetch(
        "INSERT INTO plans (external_id, name, kind, price_micros) VALUES ('P1', 'Fibra', 'fiber', 99900000)"
    )
    for customer in people[:STRUCK]:
        await scene.hub.fetch(
            "INSERT INTO contracts (external_id, customer_id, plan_id, status, region_code, started_on) "
            "VALUES ($1, $2, 'P1', 'active', $3, '2025-01-01')",
            uuid7().hex, customer, REGION,
        )  # fmt: skip
    page, _ = await someone(scene, "marketer", scheme="dark")
    await planned(page, scene, "Falha na rede", file)
    await pick(page, page.locator("main"), "Como se repete", "Por gatilho")
    await pick(page, page.locator("main"), "O que dispara", "Falha na rede")
    await page.get_by_label("Região da rede").fill(REGION)
    await accessible(page)
    await shot(page, "dark-campaign-trigger")
    await handed_in(page)
    (campaign,) = (await api(scene, "campaigns"))["items"]
    boss, _ = await someone(scene, "supervisor", scheme="dark")
    await boss.goto(f"{scene.hub.url}/console/campaigns/{campaign['id']}")
    await confirmed(boss, "Aprovar")
    await confirmed(boss, "Iniciar")
    async with clockwork(scene):
        await until(lambda: waits(scene, campaign["id"]), "it listens", 60)
        await scene.hub.fetch(
            "INSERT INTO outages (external_id, region_code, service, started_at) VALUES ('Q1', $1, 'fiber', now())",
            REGION,
        )
        await until(lambda: struck_told(scene), "who is struck is told", 60)
    await boss.goto(f"{scene.hub.url}/console/campaigns/{campaign['id']}/people")
    await pick(boss, boss.locator("main"), "^Estado", "Enviada")
    await expect(boss.get_by_role("link", name=re.compile(r"^Por que recebeu\? \S"))).to_have_count(STRUCK)
    await accessible(boss)
    await shot(boss, "dark-campaign-people")
    assert scene.simulator.core.ledger.accepted_calls == STRUCK
    got = await scene.hub.fetch("SELECT customer_id FROM campaign_recipients WHERE state = 'sent'")
    assert {row["customer_id"] for row in got} == set(people[:STRUCK])


async def struck_told(scene: Scene) -> bool:
    return bool(await scene.hub.fetchval("SELECT count(*) FROM campaign_recipients WHERE state = 'sent'") == STRUCK)
