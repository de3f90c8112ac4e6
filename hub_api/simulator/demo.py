"""The demo on a running stack, step by step: a number at the simulator, history, every table built, live traffic."""

import asyncio
import base64
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random

import asyncpg
from yarl import URL

from hub_api import roles
from hub_api.auth.keys import create_key
from hub_api.chat.site import keep as sites
from hub_api.chat.site.schemas import SiteRules
from hub_api.errors import HubError, Unavailable
from hub_api.platform.crypto import derive
from hub_api.settings import Settings
from hub_api.simulator.agents import Clerk, Desk
from hub_api.simulator.campaign import NAME, begin_campaign
from hub_api.simulator.config import DISPLAY_PHONE_NUMBER, PHONE_NUMBER_ID, PORTFOLIO_ID, TOKEN, WABA_ID
from hub_api.simulator.corpus import real_texts
from hub_api.simulator.examples import store_baselines, write_examples
from hub_api.simulator.furniture import furnish
from hub_api.simulator.history.run import AGENTS, Plan, cut_off, make_history
from hub_api.simulator.history.store import ensure_agents
from hub_api.simulator.history.support_log import import_log
from hub_api.simulator.traffic import Load, Progress, known_customers, new_customers, run
from hub_api.whatsapp.accounts import add_account, add_number

RELAY_WAIT_S = 600
LOOPBACK = ("127.0.0.1", "localhost")
# The contact centre holds. An agent's talk takes 3 to 5 lines of 3 to 20 s and a pause of 5 to 20 s: 4 × 11.5 s + 12.5 s and a second for
# looking, 60 s. Eight agents with two slots each, on a break of 120 s after 390 s at work, end 16 / 60 s × 0.76 = 0.20 talks a second. Of
# twenty who write the bot hands over eleven, and of ten who were served one comes back: 0.55 × 1.1 = 0.6 talks for each (all measured). At
# the 0.23 a second of `--rate` these are 0.14 a second: two of three slots are taken, a line grows while some agents rest and ends after.
# Who had an agent before goes to one at once when he writes again, so a demo that runs all day comes to 0.95 × 1.1 × 0.23 = 0.24: within
# the 0.27 of agents who put their breaks off while the line is long (at 0.25 with nobody new, it was at its limit).
SLOTS = 2  # conversations of one virtual agent at a time: few, so that lines grow and whoever comes finds work
CLERK_SCOPES = ("conversations:read", "conversations:write", "presence:use")


@dataclass(frozen=True, slots=True)
class Scene:
    """The size of a demo."""

    days: int
    customers: int
    rate: float


async def play(settings: Settings, scene: Scene) -> None:
    """Everything in order, with a line for each step; ends when it is stopped. What is there already is kept."""
    await connect_number(settings)
    _say(f"the chat of a website: {await embed_chat(settings)}")
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
    if furnished := await furnish(settings):
        _say(f"examples to begin with: {', '.join(furnished)}")
    await wait_for_relay(settings)
    first_day = plan.first_day(settings.zone)
    await build_tables(settings, await first_day_with_events(settings))
    if stored := await store_baselines(settings, first_day, scene.days):
        _say(f"baselines of the simulated history stored: {', '.join(stored)}")
        await _run("the copies of what is decided", "pipelines.board")
    problem = await begin_campaign(settings)
    _say(f"no campaign was begun: {problem}" if problem else f"a campaign with an A/B test is under way: {NAME}")
    _say(f"live traffic: customers begin {scene.rate:g} conversations a second and virtual agents answer")
    # Another seed at every start: with the same one those who were served already would write again.
    load = Load(scene.rate, seed=int(time.time()), real_texts=real_texts())
    await run_traffic(settings, load, agents=True)


async def connect_number(settings: Settings, token: str | None = None) -> None:
    """The simulator's account and number become ours, with its bearer token (without one: that of the environment)."""
    token = token or os.environ.get("HUB_SIM_TOKEN", TOKEN)
    async with roles.services(settings, "demo") as services:
        await add_account(services, waba_id=WABA_ID, portfolio_id=PORTFOLIO_ID, name="Telecom Exemplo", token=token)
        await add_number(
            services, waba_id=WABA_ID, phone_number_id=PHONE_NUMBER_ID, display_phone_number=DISPLAY_PHONE_NUMBER
        )


async def embed_chat(settings: Settings) -> str:
    """A site whose page is our own demonstration of the chat, made once; returns the page's address."""
    page = URL(settings.public_url)
    async with roles.services(settings, "demo") as services, services.transaction() as tx:
        if await tx.db.fetchval(sites.queries.first_key) is None:
            origins = list(dict.fromkeys([str(page.origin()), *(f"http://{one}:{page.port}" for one in LOOPBACK)]))
            rules = SiteRules(name="Demonstração", title="Telecom Exemplo", origins=origins, offline_form=False)
            await sites.make_site(tx, "system", rules)
    return str(page / "widget/demo")


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


async def first_day_with_events(settings: Settings) -> date:
    """The business day of the oldest event. Customers were known before they wrote: what was told of them then (their state,
    say) is of days before the first conversation, and tables look for it there. Raises HubError without any event."""
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        first: datetime | None = await db.fetchval("SELECT min(occurred_at) FROM events")
    finally:
        await db.close()
    if first is None:
        raise HubError("there is no event yet: nothing to build tables of")
    return first.astimezone(settings.zone).date()


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
    settings: Settings, load: Load, agents: bool, progress: Progress = lambda written, seconds: None
) -> int:
    """Customers known to the hub (or new people) write; with `agents` virtual ones work. Returns messages written."""
    writers = await known_customers(settings.database_url.get_secret_value())
    if not writers:
        writers = new_customers(Random(load.seed), 2_000)
    desk = await open_desk(settings) if agents else None
    return await run(settings.meta_base_url, load, writers, desk, progress)


async def live_traffic(settings: Settings, load: Load, agents: bool) -> int:
    """`hub simulate traffic`: the number, then traffic."""
    await connect_number(settings)
    return await run_traffic(
        settings,
        load,
        agents,
        lambda written, seconds: _say(f"{written} messages written in {seconds:.0f} s ({written / seconds:.1f}/s)"),
    )


async def open_desk(settings: Settings, api_url: str | None = None) -> Desk:
    """The virtual agents with few slots each, and a key that acts for each of them; the same keys at every start."""
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        clerks = []
        for name, agent in zip(AGENTS, await ensure_agents(db, AGENTS), strict=True):
            await db.execute(
                "INSERT INTO agents (user_id, capacity) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING", agent, SLOTS
            )
            secret = derive(settings.secret_key.get_secret_value(), f"virtual agent {name}")
            key = f"hub_{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"
            await create_key(db, f"virtual agent {name}", CLERK_SCOPES, user_id=agent, key=key)
            clerks.append(Clerk(str(agent), key))
    finally:
        await db.close()
    return Desk(api_url or f"http://127.0.0.1:{os.environ.get('HUB_API_PORT', '8000')}", tuple(clerks))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the lines of the demo, shown by `hub up --demo`
