"""The console's pages of segments, suppression lists and the calendar of campaigns, in a real Chromium: each in both languages, dark,
on a phone, accessible, with deeds whose effect the API shows."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from assets.gold.segment.definitions import read_definitions
from assets.gold.segment.membership import refresh
from assets.warehouse import Warehouse
from hub_api.platform.clickhouse import connect
from models_ml.segmentation.parse import parse
from tests.auth.people import add_person, call, clear_limits
from tests.e2e.console import Scene, accessible, open_scene, shot, sign_in, until
from tests.models_ml.segmentation.evaluator import holds
from tests.models_ml.segmentation.world import AS_OF, IDS, World, make_world
from tests.support.data import empty
from tests.support.warehouse import EmbeddedWarehouse

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LANGUAGES = ("pt-BR", "en")
ACTIVE = {"type": "behaviour", "action": "message", "op": "ge", "count": 1, "window_days": 30}


@pytest.fixture
async def world(warehouse_server: EmbeddedWarehouse) -> AsyncIterator[World]:
    """A warehouse with 120 customers."""
    empty(warehouse_server.url())
    client = connect(warehouse_server.url())
    yield make_world(client)
    client.close()
    empty(warehouse_server.url())


@pytest.fixture
async def scene(
    database_url: str, redis_url: str, tmp_path: Path, warehouse_server: EmbeddedWarehouse, world: World
) -> AsyncIterator[Scene]:
    """The hub with this warehouse, whose customers PostgreSQL knows too."""
    async with open_scene(database_url, redis_url, tmp_path, clickhouse_url=warehouse_server.url()) as made:
        await made.hub.fetch(
            "INSERT INTO customers (id, name, phone, state_code) SELECT id, 'Ana Souza', '+5511987654321', 'SP' FROM unnest($1::uuid[]) AS id",
            IDS,
        )
        yield made


async def signed(scene: Scene, role: str, **look: str) -> Page:
    """Somebody of this role on a page of his own; setting up a second factor is another test's."""
    await scene.hub.fetch("UPDATE roles SET second_factor = false")
    page = await scene.page(**look)
    person = await add_person(scene.hub, role, signed_in=False, name="Mara Pires")
    await clear_limits(scene.hub)
    await page.goto(f"{scene.hub.url}/console/")
    await sign_in(page, person.email)
    await page.get_by_role("navigation").first.wait_for()
    return page


async def api(scene: Scene, path: str) -> Any:
    status, body = await call(scene.hub, "GET", f"/api/v1/{path}", scene.hub.auth)
    assert status == 200, body
    return body


async def post(scene: Scene, path: str, body: dict[str, Any]) -> Any:
    status, made = await call(scene.hub, "POST", f"/api/v1/{path}", scene.hub.auth, json=body)
    assert status == 201, made
    return made


def inside(world: World, definition: dict[str, Any]) -> int:
    return sum(holds(parse(definition), who, AS_OF) for who in world.customers)


def card(page: Page, name: str) -> Locator:
    """A condition's card by its name: `1 Comportamento`."""
    return page.get_by_role("group", name=re.compile(name))


async def add(page: Page, group: Locator, kind: str) -> None:
    """Add a condition of this kind to a group, whose own button is its last."""
    await group.get_by_role("button", name=re.compile("^(Condição|Condition)$")).last.click()
    await page.get_by_role("menuitem", name=re.compile(f"^({kind})")).click()


async def choose(page: Page, box: Locator, option: str) -> None:
    await box.click()
    await page.get_by_role("option", name=re.compile(option)).first.click()


async def counted(page: Page, number: int) -> None:
    told = page.get_by_role("status").filter(has_text=re.compile("de 120 clientes|of 120 customers"))
    await expect(told.locator("p").first).to_have_text(str(number), timeout=20_000)
    await expect(told).to_have_attribute("aria-busy", "false")


async def fits(page: Page) -> None:
    """Nothing is wider than the window; what is, is told."""
    wide = "() => [...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 160)).slice(0, 5)"
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), await page.evaluate(wide)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_segment_is_built_counted_reloaded_saved_and_frozen(scene: Scene, world: World, language: str) -> None:
    other = await post(scene, "segments", {"name": "Quem escreveu", "definition": ACTIVE})
    await asyncio.to_thread(
        lambda: refresh(Warehouse(scene.hub.services.settings), read_definitions(scene.hub.services.settings))
    )
    page, short = await signed(scene, "marketer", language=language), language[:2]
    await page.goto(f"{scene.hub.url}/console/segments")
    await page.get_by_role("cell", name=re.compile("^Quem escreveu")).wait_for()
    await expect(page.get_by_role("row").nth(1)).to_contain_text(str(inside(world, ACTIVE)))
    await accessible(page)
    await shot(page, f"segments-{short}")

    await page.get_by_role("link", name=re.compile("Novo segmento|New segment")).click()
    root = card(page, "^(Grupo principal|Main group)$")
    await add(page, root, "Comportamento|Behaviour")
    behaviour = card(page, "^1 (Comportamento|Behaviour)$")
    await expect(behaviour.get_by_role("combobox").first).to_be_focused()
    await counted(page, inside(world, ACTIVE))
    await page.get_by_label(re.compile("^(Nome|Name)")).fill("Escrevem e não recusam")
    await add(page, root, "Consentimento|Consent")
    consent = card(page, "^2 (Consentimento|Consent)$")
    await choose(page, consent.get_by_role("combobox", name=re.compile("Decisão|Decision")), "recusou|refused")
    await consent.get_by_role("button", name=re.compile("^(Ações de|Actions of)")).click()
    await page.get_by_role("menuitem", name=re.compile("^(Negar|Negate)")).click()
    definition: dict[str, Any] = {
        "type": "and",
        "of": [ACTIVE, {"type": "not", "of": {"type": "consent", "scope": "marketing", "state": "refused"}}],
    }
    await counted(page, inside(world, definition))
    await expect(page.get_by_role("complementary")).to_contain_text("Ana Souza")
    await expect(page.get_by_role("complementary")).to_contain_text("…4321")
    await expect(page.get_by_role("complementary")).to_contain_text("Quem escreveu")
    await page.get_by_role("button", name=re.compile("Consulta e custo|Query and cost")).click()
    await expect(page.get_by_role("region", name=re.compile("SQL"))).to_contain_text("gold.customer_features")
    await accessible(page)
    await shot(page, f"builder-{short}")

    await add(page, root, "Outro segmento|Another segment")
    await expect(page.get_by_text(re.compile("Complete 1 condi"))).to_be_visible()
    await page.reload()
    await expect(page.get_by_label(re.compile("^(Nome|Name)"))).to_have_value("Escrevem e não recusam")
    nested = card(page, "^3 (Outro segmento|Another segment)$")
    await choose(page, nested.get_by_role("combobox"), "Quem escreveu")
    count = card(page, "^1 (Comportamento|Behaviour)$").get_by_label(re.compile("^(Vezes|Times)"))
    await count.fill("muitas")
    await expect(card(page, "^1 ")).to_contain_text(re.compile("número inteiro de 0 a|whole number from 0 to"))
    await accessible(page)
    await shot(page, f"builder-fault-{short}")
    await count.fill("1")
    await nested.get_by_role("button", name=re.compile("^(Ações de|Actions of)")).click()
    await page.get_by_role("menuitem", name=re.compile("^(Mover para cima|Move up)")).click()
    definition["of"].insert(1, {"type": "segment", "segment_id": other["id"]})
    await page.get_by_role("button", name=re.compile("^(Criar segmento|Make segment)$")).click()
    await page.get_by_role("tab", name=re.compile("Membros|Members")).wait_for()
    made = next(one for one in (await api(scene, "segments"))["items"] if one["name"] == "Escrevem e não recusam")
    assert (made["definition"], made["version"]) == (definition, 1)

    await page.get_by_label(re.compile("^(Nome|Name)")).fill("Escrevem")
    await card(page, "^2 ").get_by_role("button", name=re.compile("^(Ações de|Actions of)")).click()
    await page.get_by_role("menuitem", name=re.compile("^(Remover|Remove)$")).click()
    await page.get_by_role("button", name=re.compile("^(Salvar|Save)$")).click()

    async def second() -> bool:
        return (await api(scene, f"segments/{made['id']}"))["version"] == 2

    await until(second, "a second version")
    await page.get_by_role("tab", name=re.compile("Versões|Versions")).click()
    await page.get_by_role("table").get_by_role("row").nth(2).wait_for()
    await accessible(page)

    await page.goto(f"{scene.hub.url}/console/segments")
    await page.get_by_role(
        "button", name=re.compile("(Ações de|Actions of|Actions for) ?Escrevem|Escrevem")
    ).first.click()
    await page.get_by_role("menuitem", name=re.compile("Congelar lista|Freeze list")).click()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("Congelar lista|Freeze list")).click()
    await page.get_by_role("cell", name=re.compile("^(congelada|frozen)$")).wait_for()
    (snapshot,) = (await api(scene, f"segments/{made['id']}/snapshots"))["items"]
    definition["of"].pop(1)
    assert (snapshot["state"], snapshot["members"]) == ("frozen", inside(world, definition))
    await accessible(page)
    await page.goto(f"{scene.hub.url}/console/segments/{other['id']}/members")
    await page.get_by_role("cell", name=re.compile("^(entraram|entered)$")).wait_for()
    members = page.get_by_role("table").nth(1).get_by_role("row")
    await expect(members).to_have_count(min(50, inside(world, ACTIVE)) + 1)
    await expect(members.nth(1).get_by_role("cell").first).to_have_text("Ana Souza…4321")
    await accessible(page)
    await shot(page, f"members-{short}")
    await page.set_viewport_size({"width": 390, "height": 844})
    await fits(page)
    await shot(page, f"phone-members-{short}")


async def test_the_builder_works_on_a_phone_in_the_dark_and_by_keyboard(scene: Scene, world: World) -> None:
    page = await signed(scene, "marketer", scheme="dark")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"{scene.hub.url}/console/segments/new")
    await page.get_by_role("button", name="Grupo", exact=True).press("Enter")
    inner = card(page, "^1 Alguma vale$")
    await inner.get_by_role("button", name="Condição", exact=True).press("Enter")
    for _ in range(5):  # attribute, known, tags, behaviour, sequence, inactivity
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await card(page, "^1.1 Inatividade$").get_by_label("Dias sem escrever").fill("7")
    definition = {"type": "or", "of": [{"type": "inactivity", "days": 7}]}
    await counted(page, inside(world, definition))
    await accessible(page)
    await fits(page)
    await shot(page, "phone-builder-dark")
    await page.goto(f"{scene.hub.url}/console/segments")
    await page.get_by_role("heading", level=2).wait_for()
    await accessible(page)
    reader = await signed(scene, "analyst")
    await reader.goto(f"{scene.hub.url}/console/segments/new")
    await reader.get_by_text("Este grupo ainda não tem condições.").wait_for()
    await expect(reader.get_by_role("button", name="Criar segmento")).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_suppression_lists_are_loaded_looked_at_and_changed(scene: Scene, language: str) -> None:
    page, short = await signed(scene, "marketer", language=language), language[:2]
    known = "+5511987654321"
    await scene.hub.fetch(
        "INSERT INTO customer_identities (id, customer_id, kind, value) VALUES (gen_random_uuid(), $1, 'phone', $2) ON CONFLICT DO NOTHING",
        IDS[0],
        known,
    )
    await page.goto(f"{scene.hub.url}/console/suppressions")
    await page.get_by_text(re.compile("Nenhuma entrada aqui|No entry here")).wait_for()
    await page.get_by_role("button", name=re.compile("Enviar CSV|Upload CSV")).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(re.compile("^(Lista|List)")).fill("procon")
    file = f"telefone;motivo\n{known};procon\n+5521998765432;falecido\nabc;procon\n"
    await dialog.locator("input[type=file]").set_input_files(
        {"name": "procon.csv", "mimeType": "text/csv", "buffer": file.encode()}
    )
    await dialog.get_by_role("button", name=re.compile("^(Enviar|Send)$")).click()
    await expect(dialog.get_by_role("table", name=re.compile("recusadas|Refused"))).to_contain_text("phone")
    await expect(dialog).to_contain_text(re.compile("3 (linhas|lines): 2 "))
    await accessible(page)
    await shot(page, f"suppressions-report-{short}")
    await dialog.get_by_role("button", name=re.compile("Fechar|Close")).click()
    await page.get_by_role("link", name="procon").click()
    await page.get_by_text(re.compile("cliente encontrado|customer found")).wait_for()
    await expect(page.get_by_role("table")).to_contain_text("Mara Pires")
    await accessible(page)
    await shot(page, f"suppressions-{short}")

    await page.get_by_role("button", name=re.compile("Adicionar número|Add number")).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(re.compile("^(Telefone|Phone)")).fill("11 91234-5678")
    await dialog.get_by_label(re.compile("^(Até|Until)")).fill("2030-06-30")
    await accessible(page)
    await dialog.get_by_role("button", name=re.compile("Adicionar número|Add number")).click()
    await dialog.wait_for(state="detached")
    entries = (await api(scene, "suppressions?list=procon"))["items"]
    assert len(entries) == 3 and entries[0]["until"].startswith("2030-07-01T02:59")
    deeds = page.get_by_role("button", name=re.compile(entries[0]["id"][-6:]))
    await deeds.click()
    await page.get_by_role("menuitem", name=re.compile("^(Alterar|Change)$")).click()
    await page.get_by_role("dialog").get_by_label(re.compile("^(Até|Until)")).fill("")
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("^(Salvar|Save)$")).click()
    await page.get_by_role("dialog").wait_for(state="detached")
    assert (await api(scene, f"suppressions/{entries[0]['id']}"))["until"] is None
    await deeds.click()
    await page.get_by_role("menuitem", name=re.compile("Retirar|Take off")).click()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("Retirar|Take off")).click()
    await page.get_by_role("dialog").wait_for(state="detached")
    assert len((await api(scene, "suppressions?list=procon"))["items"]) == 2
    await page.set_viewport_size({"width": 390, "height": 844})
    await accessible(page)
    await fits(page)
    await shot(page, f"phone-suppressions-{short}")


@pytest.mark.parametrize(("language", "scheme"), [("pt-BR", "light"), ("en", "dark")])
async def test_the_calendar_shows_plans_and_holidays(scene: Scene, language: str, scheme: str) -> None:
    at = (datetime.now(UTC) + timedelta(days=1)).replace(hour=15, minute=30)
    plan = {
        "name": "Upgrade de dezembro",
        "audience": {"definition": ACTIVE},
        "variants": [{"name": "a", "template_name": "oferta_fibra", "template_language": "pt_BR"}],
        "schedule": {"start_at": at.isoformat()},
    }
    made = await post(scene, "campaigns", plan)
    page, short = await signed(scene, "marketer", language=language, scheme=scheme), language[:2]
    await page.goto(f"{scene.hub.url}/console/calendar?view=month&day={at:%Y-%m-%d}")
    link = page.get_by_role("link", name="Upgrade de dezembro")
    assert (await link.get_attribute("href") or "").endswith(f"/campaigns/{made['id']}")
    await expect(page.get_by_role("listitem").filter(has=link)).to_contain_text(re.compile("12:30"))
    await accessible(page)
    await shot(page, f"calendar-{short}-{scheme}")
    await page.goto(f"{scene.hub.url}/console/calendar?view=month&day=2026-12-10")
    await page.get_by_role("listitem").filter(has_text="Natal").first.wait_for()
    await page.get_by_role("button", name=re.compile("^(Próximo mês|Next month)$")).click()
    await page.get_by_text("Confraternização Universal").first.wait_for()
    await page.get_by_role("button", name=re.compile("^(Semana|Week)$")).click()
    await page.get_by_role("button", name=re.compile("Próxima semana|Next week")).wait_for()
    await expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(7)
    await expect(page.get_by_role("listitem").filter(has_text="Confraternização")).to_contain_text(
        re.compile("silêncio|quiet")
    )
    await accessible(page)
    await shot(page, f"calendar-week-{short}-{scheme}")
    await page.get_by_role("button", name=re.compile("^(Hoje|Today)$")).click()
    await page.set_viewport_size({"width": 390, "height": 844})
    await accessible(page)
    await fits(page)
    await shot(page, f"phone-calendar-{short}-{scheme}")
