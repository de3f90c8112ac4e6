"""The demo on a running stack, step by step: a number at the simulator, history, every table built, live traffic."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random

import asyncpg

from hub_api import roles
from hub_api.errors import HubError, Unavailable
from hub_api.settings import Settings
from hub_api.simulator.agents import Desk
from hub_api.simulator.config import DISPLAY_PHONE_NUMBER, PHONE_NUMBER_ID, PORTFOLIO_ID, TOKEN, WABA_ID
from hub_api.simulator.corpus import real_texts
from hub_api.simulator.examples import store_baselines, write_examples
from hub_api.simulator.history.run import Plan, cut_off, make_history
from hub_api.simulator.history.store import ensure_agents
from hub_api.simulator.history.support_log import import_log
from hub_api.simulator.traffic import Load, Progress, known_customers, new_customers, run
from hub_api.whatsapp.accounts import add_account, add_number

RELAY_WAIT_S = 600
AGENTS = ("Bianca Teles", "Caio Prado", "Daniela Reis", "Elias Motta")


@dataclass(frozen=True, slots=True)
class Scene:
    """The size of a demo."""

    days: int
    customers: int
    rate: float


async def play(settings: Settings, scene: Scene, api_key: str | None) -> None:
    """Everything in order, with a line for each step; ends when it is stopped. What is there already is kept."""
    await connect_number(settings)
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        fresh = not await db.fetchval("SELECT EXISTS (SELECT FROM customers)")
    finally:
        await db.close()
    plan = Plan(scene.days, scene.customers, seed=int(time.time()))
    if fresh:
        _say(f"writing {scene.days} days of history of {scene.customers} customers")
        counts = await write_history(settings, plan, settings.home / "manifest.json")
        _say(
            f"history: {counts['conversations']} conversations, {counts['messages']} messages, {counts['events']} events"
        )
        await write_examples(settings, plan.first_day(settings.zone), scene.customers)
    elif half := cut_off(settings.home / "manifest.json"):
        _say(half)
    await wait_for_relay(settings)
    first_day = plan.first_day(settings.zone)
    await build_tables(settings, first_day)
    if stored := await store_baselines(settings, first_day, scene.days):
        _say(f"baselines of the simulated history stored: {', '.join(stored)}")
        await _run("the copies of what is decided", "pipelines.board")
    _say(f"live traffic: customers begin {scene.rate:g} conversations a second and virtual agents answer")
    await run_traffic(settings, Load(scene.rate, real_texts=real_texts()), api_key)


async def connect_number(settings: Settings, token: str | None = None) -> None:
    """The simulator's account and number become ours, with its bearer token (without one: that of the environment)."""
    token = token or os.environ.get("HUB_SIM_TOKEN", TOKEN)
    async with roles.services(settings, "demo") as services:
        await add_account(services, waba_id=WABA_ID, portfolio_id=PORTFOLIO_ID, name="Telecom Exemplo", token=token)
        await add_number(
            services, waba_id=WABA_ID, phone_number_id=PHONE_NUMBER_ID, display_phone_number=DISPLAY_PHONE_NUMBER
        )


async def write_history(
    settings: Settings, plan: Plan, manifest: Path, say: Callable[[str], None] | None = None
) -> dict[str, int]:
    """A simulated history in an empty hub; `say` hears of progress. Raises Conflict where there are customers."""
    say = say or _say

    def progress(done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            say(f"history: day {done} of {total}")

    async with roles.services(settings, "history") as services:
        return await make_history(services, plan, manifest=manifest, progress=progress)


async def import_support_log(settings: Settings, log: Path, report: Path) -> dict[str, int]:
    """A log of real conversations, with its per-row report."""
    async with roles.services(settings, "import") as services:
        return await import_log(services, log, report)


async def wait_for_relay(settings: Settings) -> None:
    """Until the warehouse has every event. Raises Unavailable when the relay stands still for minutes."""
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        behind, moved_at = -1, time.monotonic()
        while left := await db.fetchval(
            "SELECT count(*) FROM events e WHERE NOT EXISTS "
            "(SELECT FROM relay_cursor c WHERE (c.xid, c.seq) >= (e.xid, e.seq))"
        ):
            if left != behind:
                _say(f"relay: {left} events to go")
                behind, moved_at = left, time.monotonic()
            if time.monotonic() - moved_at > RELAY_WAIT_S:
                raise Unavailable(f"the relay stands still with {left} events to go: see `hub logs relay`")
            await asyncio.sleep(2)
    finally:
        await db.close()


async def build_tables(settings: Settings, first: date) -> None:
    """Build every table of the business days from `first` to today, in one Dagster run of a process of its own.

    Raises HubError with the end of its output.
    """
    today = datetime.now(settings.zone).date()
    _say(f"building every table from {first} to {today}")
    await _run("the tables", "pipelines.materialize", first.isoformat(), today.isoformat())
    _say("tables built")


async def _run(what: str, module: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise HubError(f"{what} could not be built: {output.decode(errors='replace')[-2000:]}")


async def run_traffic(
    settings: Settings, load: Load, api_key: str | None, progress: Progress = lambda written, seconds: None
) -> int:
    """Customers known to the hub (or new people) write; agents work if there is a key. Returns messages written."""
    writers = await known_customers(settings.database_url.get_secret_value())
    if not writers:
        writers = new_customers(Random(load.seed), 2_000)
    desk = await _desk(settings, api_key) if api_key else None
    return await run(settings.meta_base_url, load, writers, desk, progress)


async def live_traffic(settings: Settings, load: Load, api_key: str | None) -> int:
    """`hub simulate traffic`: the number, then traffic."""
    await connect_number(settings)
    return await run_traffic(
        settings,
        load,
        api_key,
        lambda written, seconds: _say(f"{written} messages written in {seconds:.0f} s ({written / seconds:.1f}/s)"),
    )


async def _desk(settings: Settings, api_key: str) -> Desk:
    api_url = f"http://127.0.0.1:{os.environ.get('HUB_API_PORT', '8000')}"
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        agents = await ensure_agents(db, AGENTS)
    finally:
        await db.close()
    return Desk(api_url, api_key, tuple(str(agent) for agent in agents))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the lines of the demo, shown by `hub up --demo`
