"""The console's pages for supervisors and administrators, in a real Chromium: each in both languages, accessible, with one real deed
whose effect the API shows."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, expect

from hub_api.chat.live import figures
from tests.auth.people import Person, add_conversation, add_person, add_team, call, clear_limits
from tests.e2e.console import Scene, accessible, open_scene, shot, sign_in, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LANGUAGES = ("pt-BR", "en")


@pytest.fixture
async def scene(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(database_url, redis_url, tmp_path) as made:
        yield made


async def signed(scene: Scene, role: str, language: str, *teams: UUID, **columns: Any) -> tuple[Page, Person]:
    """Somebody of this role on a page of his own; setting up a second factor is another test's."""
    await scene.hub.fetch("UPDATE roles SET second_factor = false")
    page = await scene.page(language=language)
    person = await add_person(scene.hub, role, *teams, signed_in=False, **columns)
    await clear_limits(scene.hub)
    await page.goto(f"{scene.hub.url}/console/")
    await sign_in(page, person.email)
    await page.get_by_role("tablist").wait_for()
    return page, person


async def go(page: Page, scene: Scene, path: str, title: str) -> None:
    """Open a page of the console by its address and wait for its title."""
    await page.goto(f"{scene.hub.url}/console/{path}")
    await page.get_by_role("heading", level=2, name=re.compile(title)).wait_for()


async def api(scene: Scene, path: str) -> Any:
    status, body = await call(scene.hub, "GET", f"/api/v1/{path}", scene.hub.auth)
    assert status == 200, body
    return body


async def deed(page: Page, row: str, name: str) -> None:
    """Choose a deed from the menu of a row."""
    await page.get_by_role("button", name=re.compile(f"^(Ações|Actions).*{re.escape(row)}")).click()
    await page.get_by_role("menuitem", name=re.compile(name)).click()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


async def choose(page: Page, label: str, option: str) -> None:
    await dialog(page).get_by_role("combobox", name=re.compile(label)).click()
    await page.get_by_role("option", name=re.compile(option)).first.click()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_supervisor_sees_lines_move_hands_on_takes_over_and_sends_away(scene: Scene, language: str) -> None:
    team, queue = await add_team(scene.hub, "suporte")
    page, boss = await signed(scene, "supervisor", language, team, name="Bia Lima")
    caio = await add_person(scene.hub, "agent", team, name="Caio Dias")
    status, _ = await call(scene.hub, "PUT", "/api/v1/agents/me/presence", caio.headers, json={"presence": "away"})
    assert status == 200
    busy = await add_conversation(scene.hub, queue, "boleto", caio.id)
    await go(page, scene, "supervisor", "Supervisão|Supervision")
    card = page.get_by_role("article", name=queue)
    await card.wait_for()
    waiting = await add_conversation(scene.hub, queue, "sinal")
    await card.get_by_role("button", name=re.compile("Ver fila|Show line")).click(timeout=15_000)  # it moves by itself
    await accessible(page)
    await shot(page, f"supervisor-{language[:2]}")
    await card.get_by_role("button", name=re.compile("Encaminhar o|Hand on protocol")).click()
    await choose(page, "Para|To", "Caio Dias")
    await accessible(page)
    await dialog(page).get_by_role("button", name=re.compile("^(Encaminhar|Hand on)$")).click()
    await dialog(page).wait_for(state="detached")
    assert (await api(scene, f"conversations/{waiting['conversation']}"))["agent_id"] == str(caio.id)

    people = page.get_by_role("listitem", name="Caio Dias")
    await people.get_by_role("button").click()
    await page.get_by_role("menuitem", name=re.compile("Ver conversas|Show conversations")).click()
    row = dialog(page).get_by_role("listitem").filter(has_text="Cliente boleto")
    await accessible(page)
    await row.get_by_role("button", name=re.compile("^(Assumir|Take over)$")).click()
    mine = f"conversations/{busy['conversation']}"

    async def taken() -> bool:
        return (await api(scene, mine))["agent_id"] == str(boss.id)

    await until(taken, "taken over")
    await row.wait_for(state="detached")
    await dialog(page).get_by_role("button", name=re.compile("^(Cancelar|Cancel)$")).click()
    await dialog(page).wait_for(state="detached")
    await people.get_by_role("button").click()
    await page.get_by_role("menuitem", name=re.compile("Colocar offline|Set offline")).click()
    await dialog(page).get_by_role("button", name=re.compile("^(Confirmar|Confirm)$")).click()
    await dialog(page).wait_for(state="detached")
    assert (await api(scene, f"agents/{caio.id}"))["presence"] == "offline"
    await page.set_viewport_size({"width": 390, "height": 844})
    await accessible(page)
    await shot(page, f"phone-supervisor-{language[:2]}")
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_wallboard_counts_by_itself_and_comes_back(scene: Scene, language: str) -> None:
    _, queue = await add_team(scene.hub, "suporte")
    sums = [
        figures.Sums(kpi=key, queue=queue, hour=hour, numerator=n, denominator=d)
        for hour in range(8, 15)
        for key, n, d in (("conversations", 9 + hour, 9 + hour), ("first_response_time", 95_000_000 * hour, hour))
    ]
    names = (("conversations", "count", "sum", 1.0), ("first_response_time", "seconds", "ratio", 1e-6))
    shown = [
        figures.Shown(key=key, name=key, unit=unit, better="down", kind=kind, scale=scale, target=120)
        for key, unit, kind, scale in names
    ]
    now = datetime.now(UTC).isoformat()
    kept = figures.Figures(at=now, day="2026-11-26", hour=14, shown=shown, today=sums, yesterday=sums)
    await figures.keep(scene.hub.services, kept)
    page, _ = await signed(scene, "admin", language, name="Bia Lima")
    await go(page, scene, "wallboard", "Painel ao vivo|Live wallboard")
    tile = page.get_by_role("group", name=re.compile("^(Esperando|Waiting)$"))
    await expect(tile).to_contain_text("0")
    await add_conversation(scene.hub, queue, "sinal")
    await expect(tile).to_contain_text("1", timeout=15_000)
    first = page.get_by_role("group", name=re.compile("Primeira resposta|First response$"))
    await expect(first).to_contain_text("1 min 35 s", timeout=15_000)
    await page.get_by_role("figure").first.locator("svg").first.wait_for()
    await accessible(page)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await shot(page, f"wallboard-{language[:2]}")
    await page.context.set_offline(True)
    await page.context.set_offline(False)
    await page.reload()
    await expect(tile).to_contain_text("1", timeout=20_000)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_administration_page_by_page(scene: Scene, language: str) -> None:
    team, queue = await add_team(scene.hub, "suporte")
    other = await add_person(scene.hub, "agent", team, name="Caio Dias")
    page, _ = await signed(scene, "admin", language, name="Bia Lima")
    short = language[:2]

    await go(page, scene, "access/users", "Acesso|Access")
    await page.get_by_role("cell", name="Caio Dias", exact=True).wait_for()
    await accessible(page)
    await shot(page, f"users-{short}")
    await page.get_by_role("button", name=re.compile("Convidar|Invite")).click()
    await dialog(page).get_by_label(re.compile("^(Nome|Name)")).fill("Duda Reis")
    await dialog(page).get_by_label("E-mail").fill("duda@example.com")
    await accessible(page)
    await dialog(page).get_by_role("button", name=re.compile("Convidar|Invite")).click()
    await dialog(page).wait_for(state="detached")
    assert "duda@example.com" in [one["email"] for one in (await api(scene, "users?limit=100"))["items"]]
    await deed(page, "Caio Dias", "^(Desativar|Disable)$")
    await dialog(page).get_by_role("button", name=re.compile("Confirmar|Confirm")).click()
    await dialog(page).wait_for(state="detached")
    assert (await api(scene, f"users/{other.id}"))["active"] is False

    await page.get_by_role("tab", name=re.compile("Perfis|Roles")).click()
    await page.get_by_role("table").wait_for()
    await accessible(page)
    await page.get_by_role("tab", name=re.compile("Chaves de API|API keys")).click()
    await page.get_by_role("button", name=re.compile("Nova chave|New key")).click()
    await dialog(page).get_by_label(re.compile("^(Nome|Name)")).fill("ERP")
    await choose(page, "Permissões|Permissions", "Ver filas|See queues")
    await page.keyboard.press("Escape")
    await dialog(page).get_by_role("button", name=re.compile("Nova chave|New key")).click()
    await dialog(page).get_by_label(re.compile("^(Chave|Key)$")).wait_for()
    await dialog(page).get_by_role("button", name=re.compile("Guardei|I have kept")).click()
    assert [one["name"] for one in (await api(scene, "keys"))["items"] if one["name"] == "ERP"]
    await page.get_by_role("tab", name=re.compile("Chaves de resultados|Keys for results")).click()
    await page.get_by_role("button", name=re.compile("Nova chave|New key")).click()
    await dialog(page).get_by_label(re.compile("^(Sistema|System)")).fill("Loja")
    await dialog(page).get_by_role("button", name=re.compile("Nova chave|New key")).click()
    made = await dialog(page).get_by_label(re.compile("^(Identificação|Id)$")).input_value()
    await dialog(page).get_by_role("button", name=re.compile("Guardei|I have kept")).click()
    await deed(page, "Loja", "^(Revogar|Revoke)$")
    await dialog(page).get_by_role("button", name=re.compile("Revogar|Revoke")).click()
    await dialog(page).wait_for(state="detached")
    (key,) = (await api(scene, "conversion-keys"))["items"]
    assert key["id"] == made and key["revoked_at"]
    await accessible(page)
    await shot(page, f"conversion-keys-{short}")

    await go(page, scene, "audit", "Auditoria|Audit")
    await page.get_by_role("combobox", name=re.compile("^(Ação|Action)$")).fill("api")
    option = page.get_by_role("option", name=re.compile("(Chave de API criada|API key created)"))
    await option.wait_for()
    await accessible(page)
    await option.click()
    await page.get_by_role("button", name=re.compile("^(Buscar|Search)$")).click()
    await page.get_by_role(
        "cell", name=re.compile("(Chave de API criada|API key created) ?key.created")
    ).first.wait_for()
    await expect(page.get_by_role("cell", name="team.created")).to_have_count(0)
    await accessible(page)
    await shot(page, f"audit-{short}")

    await go(page, scene, "numbers", "Números|Numbers")
    number = (await api(scene, "whatsapp/pool"))["items"][0]
    await page.get_by_role("table").wait_for()
    await accessible(page)
    await shot(page, f"numbers-{short}")
    await deed(page, number["display_phone_number"], "^(Pausar|Pause)$")
    await dialog(page).get_by_label(re.compile("Motivo|Reason")).fill("manutenção")
    await dialog(page).get_by_role("button", name=re.compile("Pausar|Pause")).click()
    await dialog(page).wait_for(state="detached")
    assert (await api(scene, f"whatsapp/numbers/{number['id']}"))["state"] == "paused"

    await go(page, scene, "templates", "Modelos|templates")
    await page.get_by_role("button", name=re.compile("Novo modelo|New template")).click()
    await dialog(page).get_by_label(re.compile("^(Nome|Name)")).fill(f"aviso_{short}")
    await (
        dialog(page)
        .get_by_role("textbox", name=re.compile("^(Texto|Text)"))
        .fill("Olá, {{1}}! Sua fatura vence amanhã.")
    )
    await dialog(page).get_by_label(re.compile("Exemplos|Examples")).fill("Ana")
    await accessible(page)
    await dialog(page).get_by_role("button", name=re.compile("Salvar|Save")).click()
    await dialog(page).wait_for(state="detached")
    found = await api(scene, f"whatsapp/templates?name=aviso_{short}")
    assert found["items"][0]["status"] == "DRAFT"
    await page.get_by_role("cell", name=re.compile(f"^aviso_{short}")).wait_for()
    await accessible(page)
    await shot(page, f"templates-{short}")

    await go(page, scene, "service/queues", "Atendimento|Service")
    await deed(page, queue, "^(Alterar|Change)$")
    await dialog(page).get_by_label(re.compile("^(Horário|Hours)")).fill("1-5 08:00-20:00")
    await accessible(page)
    await dialog(page).get_by_role("button", name=re.compile("Salvar|Save")).click()
    await dialog(page).wait_for(state="detached")
    assert (await api(scene, f"queues/{queue}"))["business_hours"] == "1-5 08:00-20:00"
    await shot(page, f"queues-{short}")
    for tab, path, field in (
        ("Equipes|Teams", "teams", "Nome|Name"),
        ("Desfechos|Outcomes", "dispositions", "Nome|Name"),
        ("Respostas|Canned", "canned-replies", "Título|Title"),
        ("Macros", "macros", "Nome|Name"),
        ("SLA", "sla/policies", "Nome|Name"),
    ):
        before = len((await api(scene, path))["items"])
        await page.get_by_role("tab", name=re.compile(tab)).click()
        await page.get_by_role("tab", name=re.compile(tab), selected=True).wait_for()
        await page.get_by_role("button", name=re.compile("^(Nov[ao]|New) ")).click()
        form = dialog(page)
        await form.get_by_label(re.compile(f"^({field})")).fill("Feito no teste")
        for label, words in (
            ("^(Chave|Key)", "feito"),
            ("^(Atalho|Shortcut)", "feito"),
            ("^(Texto|Text)", "Olá!"),
            ("(minutos|minutes)", "30"),
        ):
            box = form.get_by_label(re.compile(label)).first
            if await box.count():
                await box.fill(words)
        await accessible(page)
        await form.get_by_role("button", name=re.compile("Salvar|Save")).click()
        await form.wait_for(state="detached")
        assert len((await api(scene, path))["items"]) == before + 1, path
    await accessible(page)

    talk = await add_conversation(scene.hub, queue, "privado")
    await go(page, scene, "privacy/holds", "Privacidade|Privacy")
    await page.get_by_role("button", name=re.compile("Reter|Hold data")).click()
    await dialog(page).get_by_label(re.compile("Cliente|Customer")).fill(str(talk["customer"]))
    await dialog(page).get_by_label(re.compile("Por quê|Why")).fill("processo 123")
    await dialog(page).get_by_label(re.compile("Base legal|Legal basis")).fill("LGPD art. 7º, VI")
    await dialog(page).get_by_role("button", name=re.compile("Reter|Hold data")).click()
    await dialog(page).wait_for(state="detached")
    assert (await api(scene, "privacy/holds"))["items"][0]["customer_id"] == str(talk["customer"])
    await accessible(page)
    await shot(page, f"privacy-{short}")

    await go(page, scene, "reports/alerts", "Alertas|Alerts")
    await page.get_by_role("button", name=re.compile("Novo alerta|New alert")).click()
    await dialog(page).get_by_label(re.compile("^(Nome|Name)")).fill("Abandono alto")
    await choose(page, "Indicador|Figure", "abandono")
    await dialog(page).get_by_label(re.compile("Limite|Threshold")).fill("0,1")
    await dialog(page).get_by_label(re.compile("E-mails")).fill("chefe@example.com")
    await dialog(page).get_by_role("button", name=re.compile("Salvar|Save")).click()
    await dialog(page).wait_for(state="detached")
    assert (await api(scene, "analytics/alerts"))["items"][0]["threshold"] == 0.1
    await accessible(page)

    await page.goto(f"{scene.hub.url}/console/dashboards")
    await page.get_by_text(re.compile("^(Este hub está sem o Superset|No Superset runs with this hub)")).wait_for()
    await accessible(page)
    await shot(page, f"dashboards-{short}")


async def test_pages_are_for_those_who_may(scene: Scene) -> None:
    page, _ = await signed(scene, "agent", "pt-BR")
    for path in ("supervisor", "wallboard", "access", "audit", "numbers", "privacy"):
        await page.goto(f"{scene.hub.url}/console/{path}")
        await page.get_by_text("Você não tem acesso a esta página.").wait_for()
    places = page.get_by_role("navigation").first
    await expect(places).to_contain_text("Conversas")
    await expect(places).not_to_contain_text("Auditoria")


async def test_who_may_hear_no_stream_opens_no_socket_and_misses_none(scene: Scene) -> None:
    await scene.hub.fetch(
        "INSERT INTO roles (name, title, permissions) VALUES ('leitor_auditoria', 'Leitor da auditoria', '{audit:read}')"
    )
    page, sockets = await scene.page(), []
    await page.clock.install()
    page.on("websocket", lambda socket: sockets.append(socket.url))
    person = await add_person(scene.hub, "leitor_auditoria", signed_in=False)
    await page.goto(f"{scene.hub.url}/console/")
    await sign_in(page, person.email)
    await expect(page.get_by_role("heading", name="Auditoria")).to_be_visible()
    await page.clock.fast_forward(10_000)  # longer than a lost connection is kept quiet
    assert sockets == []
    await expect(page.get_by_text("Sem tempo real")).to_have_count(0)
