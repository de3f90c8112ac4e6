"""What the tests of the campaign pages share: a hub with a warehouse whose templates are the simulator's, the clock that sends, people
at the console, the steps of the wizard."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.async_api import Locator, Page

from hub_api import campaign_jobs
from hub_api.whatsapp.templates.sync import sync_templates
from tests.auth.people import Person, add_person, call, clear_limits
from tests.campaigns.engine.stage import awake
from tests.e2e.console import Scene, open_scene, sign_in
from tests.support.data import empty
from tests.support.sending import add_people
from tests.support.warehouse import EmbeddedWarehouse

PHONE = {"width": 390, "height": 844}


@asynccontextmanager
async def open_campaigns(
    database_url: str, redis_url: str, folder: Path, warehouse: EmbeddedWarehouse
) -> AsyncIterator[Scene]:
    """A hub with a warehouse, whose templates are the simulator's."""
    empty(warehouse.url())
    async with open_scene(database_url, redis_url, folder, clickhouse_url=warehouse.url()) as made:
        for row in await made.hub.fetch("SELECT id FROM whatsapp_accounts"):
            await sync_templates(made.hub.services, row["id"])
        await made.hub.fetch("UPDATE roles SET second_factor = false")
        yield made


@asynccontextmanager
async def clockwork(scene: Scene) -> AsyncIterator[None]:
    """What the clock rings for, over and over: campaigns begin, freeze and send."""

    async def turn() -> None:
        services = scene.hub.services
        while True:
            await campaign_jobs.watch.function(services)
            for row in await scene.hub.fetch("SELECT id FROM campaign_runs WHERE state = 'freezing'"):
                await campaign_jobs.freeze.function(services, str(row["id"]))
            for row in await scene.hub.fetch("SELECT id FROM campaigns WHERE state = 'running'"):
                await campaign_jobs.send.function(services, str(row["id"]))
            await asyncio.sleep(0.2)

    turning = asyncio.create_task(turn())
    try:
        yield
    finally:
        turning.cancel()
        with suppress(asyncio.CancelledError):
            await turning


async def someone(scene: Scene, role: str, **options: Any) -> tuple[Page, Person]:
    """Somebody of this role at the console."""
    page = await scene.page(**options)
    person = await add_person(scene.hub, role, signed_in=False)
    await enter(scene, page, person)
    return page, person


async def enter(scene: Scene, page: Page, person: Person) -> None:
    await clear_limits(scene.hub)
    await page.goto(f"{scene.hub.url}/console/")
    await sign_in(page, person.email)
    await page.get_by_role("button", name=re.compile("^(Conta e preferências|Account)")).wait_for()


async def api(scene: Scene, path: str) -> Any:
    status, body = await call(scene.hub, "GET", f"/api/v1/{path}", scene.hub.auth)
    assert status == 200, body
    return body


async def pick(page: Page, within: Locator, label: str, option: str) -> None:
    """Choose an option of a list by its name."""
    await within.get_by_role("combobox", name=re.compile(label)).click()
    await page.get_by_role("option", name=re.compile(option)).first.click()


async def on(page: Page, step: str) -> None:
    """Go on to the next step of the wizard, which is this one then."""
    await page.get_by_role("button", name="Avançar").click()
    await page.get_by_role("heading", level=3, name=step, exact=True).wait_for()


async def no_wider(page: Page) -> None:
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), page.url


async def a_file(scene: Scene, folder: Path, count: int) -> tuple[Path, list[UUID]]:
    """So many people who may be written to now, as a file with a column of its own and two rows that name nobody; their ids."""
    services = scene.hub.services
    number = await scene.hub.fetchval("SELECT id FROM whatsapp_numbers")
    people = await add_people(services, number, count, spoke=timedelta(days=3))
    ids = [one.id for one in people]
    await scene.hub.fetch("UPDATE customers SET state_code = $2, name = 'Bia Lima' WHERE id = ANY($1)", ids, awake())
    await scene.hub.fetch("UPDATE conversations SET state = 'resolved' WHERE customer_id = ANY($1)", ids)
    rows = "".join(f"+{one.phone},R$ {number},10/12\n" for number, one in enumerate(people))
    file = folder / "publico.csv"
    file.write_text(f"phone,valor,vence\n{rows}ninguém,R$ 1,1/1\n+{people[0].phone},R$ 2,1/1\n", "utf-8")
    return file, ids


async def template(page: Page, variant: Locator, name: str) -> None:
    """Choose an approved template, and say what stands where a value is missing: the first place greets."""
    await variant.get_by_role("combobox", name="Modelo aprovado").fill(name)
    await page.get_by_role("option", name=re.compile(f"^{name}")).first.click()
    await variant.get_by_role("figure").wait_for()
    missing = variant.get_by_label(re.compile("quando falta|^Texto"))
    for place in range(await missing.count()):
        await missing.nth(place).fill("10/12/2026" if place else "cliente")
