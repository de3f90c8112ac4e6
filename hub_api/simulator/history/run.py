"""`hub simulate history`: 90 days of a simulated operator, in PostgreSQL with events, reproducible by seed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hub_api.errors import Conflict, Invalid
from hub_api.platform.services import Services
from hub_api.simulator.corpus import load_corpus
from hub_api.simulator.history.campaign import (
    Campaign,
    announce,
    plan_campaign,
    purchases,
    record_opt_outs,
    sends_of,
    touch,
)
from hub_api.simulator.history.days import contacts
from hub_api.simulator.history.effects import draw_effects, write_manifest
from hub_api.simulator.history.operator import Operator, Person, make_operator
from hub_api.simulator.history.recorder import Recorder
from hub_api.simulator.history.rhythm import Rhythm
from hub_api.simulator.history.script import Contact, Stage, Team, play
from hub_api.simulator.history.store import (
    ensure_agents,
    ensure_months,
    ensure_queue,
    reserve_protocols,
    store_rows,
)
from hub_api.simulator.history.supply import supply

QUEUE = ("atendimento", "Atendimento")
AGENTS = (
    "Bianca Teles",
    "Caio Prado",
    "Daniela Reis",
    "Elias Motta",
    "Flávia Nery",
    "Gilson Paes",
    "Helena Couto",
    "Igor Sales",
)
ROWS_A_TRANSACTION = 20_000
AFTERWARDS = timedelta(hours=6)  # for whoever wrote late on the last day, to be served, closed and told of deliveries

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What history to make. Its last day is `until`, else yesterday, so that live traffic goes on from it: the same seed
    makes the same history of the same days.
    """

    days: int = 90
    customers: int = 20_000
    seed: int = 1
    until: date | None = None

    def __post_init__(self) -> None:
        if not (2 <= self.days <= 1500 and 1 <= self.customers <= 2_000_000):
            raise ValueError("days must be 2 to 1500 and customers 1 to 2,000,000")

    def last_day(self, zone: ZoneInfo) -> date:
        """The last day, which has been over for hours: whoever wrote late in its evening was served after it.

        Raises Invalid when `until` is later than that.
        """
        newest = (datetime.now(UTC) - timedelta(hours=24) - AFTERWARDS).astimezone(zone).date()
        if self.until and self.until > newest:
            raise Invalid(f"a history ends on {newest} at the latest, and {self.until} was asked for")
        return self.until or newest

    def first_day(self, zone: ZoneInfo) -> date:
        """The first day. Raises Invalid as `last_day` does."""
        return self.last_day(zone) - timedelta(days=self.days - 1)


async def make_history(
    services: Services, plan: Plan, *, manifest: Path | None = None, progress: Progress | None = None
) -> dict[str, int]:
    """Write the history; returns rows per table.

    Raises Conflict when the hub already has customers (it would mix with theirs), Invalid for days that are not over.
    Beside `manifest` a mark stands until the last row is written: see `cut_off`.
    """
    if await services.db.fetchval("SELECT EXISTS (SELECT FROM customers)"):
        raise Conflict(
            (manifest and cut_off(manifest))
            or "this hub already has customers: a simulated history is only written into an empty hub (another HUB_HOME)"
        )
    rng, zone = Random(plan.seed), services.settings.zone
    last_day = plan.last_day(zone)
    if manifest:
        _mark(manifest).parent.mkdir(parents=True, exist_ok=True)
        _mark(manifest).write_text(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    first_day = plan.first_day(zone)
    over_at = datetime.combine(last_day + timedelta(days=1), time(), zone).astimezone(UTC)
    effects = draw_effects(rng, first_day, plan.days)
    operator = make_operator(rng, plan.customers, first_day, plan.days, effects)
    async with services.db.acquire() as db:
        await ensure_months(db, (first_day + timedelta(days=offset) for offset in range(plan.days + 2)))
        number_id, portfolio_id = await db.fetchrow(
            "SELECT n.id, a.portfolio_id FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id ORDER BY n.created_at LIMIT 1"
        ) or (None, "")
        queue_id = await ensure_queue(db, *QUEUE)
        team = Team(await ensure_agents(db, AGENTS))
    recorder = Recorder(
        rng, number_id=number_id, portfolio_id=portfolio_id, queue_id=queue_id,
        queue=QUEUE[0], shards=services.settings.outbox_shards, zone=zone,
        protocols=await reserve_protocols(services.db, plan.customers * plan.days // 4 + plan.customers * 2 + 1000), until=over_at + AFTERWARDS,
    )  # fmt: skip
    stage = Stage(rng, load_corpus(), recorder, team, effects)
    campaign = plan_campaign(operator, effects, zone)
    counts = await _write_days(services, plan, operator, stage, Rhythm(zone, first_day, effects), campaign, progress)
    begin = datetime.combine(first_day, time(), zone).astimezone(UTC)
    recorder.tell(*purchases(campaign, rng, operator, begin, over_at))
    await _store(services, recorder, counts)
    counts["consent_ledger"] = await record_opt_outs(services, campaign)
    counts["events"] += counts["consent_ledger"]
    _open_tickets(rng, operator, over_at)
    loaded = await supply(services, operator, begin, over_at)
    counts |= {kind.value: rows for kind, rows in loaded.items()}
    counts["events"] = counts.get("events", 0) + sum(loaded.values())
    if manifest:
        write_manifest(manifest, plan.seed, first_day, plan.days, effects, counts)
        _mark(manifest).unlink()
    return counts


def cut_off(manifest: Path) -> str | None:
    """What to tell of a history that was never written to its end, and what to do; None when there is none."""
    if not _mark(manifest).exists():
        return None
    return (
        f"the history that was begun at {_mark(manifest).read_text()} was cut off: its last days, contracts and tickets are not "
        "there. For all of it stop the hub (hub down) and start with an empty HUB_HOME"
    )


def _mark(manifest: Path) -> Path:
    return manifest.with_name(f"{manifest.name}.unfinished")


async def _write_days(
    services: Services, plan: Plan, operator: Operator, stage: Stage, rhythm: Rhythm, campaign: Campaign,
    progress: Progress | None,
) -> dict[str, int]:  # fmt: skip
    recorder, counts, busy_until = stage.recorder, dict[str, int](), dict[UUID, datetime]()
    for person in operator.people:
        identities = {"bsuid": person.bsuid, "wa_id": person.wa_id, "phone": f"+{person.phone}"}
        known_since = datetime.fromtimestamp((person.id.int >> 80) / 1000, UTC)
        recorder.customer(person.id, known_since, person.name, identities, person.state_code)
    await _store(services, recorder, counts)
    for day, todays in enumerate(contacts(stage.rng, operator, rhythm, plan.days, stage.effects), start=1):
        today = rhythm.first_day + timedelta(days=day - 1)
        if today == stage.effects.campaign_on:
            announce(campaign, stage)
        for at, person, contact in _in_order(todays, sends_of(campaign, stage.rng, today)):
            free_at = busy_until.get(person.id, at - timedelta(seconds=1))
            if contact is None:  # a campaign waits for the end of a conversation, and leaves nobody out
                busy_until[person.id] = touch(campaign, stage, person, max(at, free_at + timedelta(minutes=1)))
            elif at > free_at:
                busy_until[person.id] = play(contact, stage)
        await _store(services, recorder, counts)
        if progress:
            progress(day, plan.days)
    return counts


def _in_order(
    contacts: Iterable[Contact], sends: Iterable[tuple[datetime, Person]]
) -> list[tuple[datetime, Person, Contact | None]]:
    """A day's contacts and the campaign's customers (without a contact), by time."""
    everything: list[tuple[datetime, Person, Contact | None]] = [(one.at, one.person, one) for one in contacts]
    return sorted([*everything, *((at, person, None) for at, person in sends)], key=lambda entry: entry[0])


async def _store(services: Services, recorder: Recorder, counts: dict[str, int]) -> None:
    for rows in _slices(recorder.take()):
        await store_rows(services.db, rows)
        for table, records in rows.items():
            counts[table] = counts.get(table, 0) + len(records)


def _slices(rows: dict[str, list[tuple[Any, ...]]]) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    """Parts of at most ROWS_A_TRANSACTION rows of one table; customers before what refers to them."""
    for table, records in rows.items():
        for start in range(0, len(records), ROWS_A_TRANSACTION):
            yield {table: records[start : start + ROWS_A_TRANSACTION]}


def _open_tickets(rng: Random, operator: Operator, now: datetime) -> None:
    """Some technical contacts became tickets in the operator's system; the last ones are still to be done."""
    for person in operator.people:
        for number, moment in enumerate(person.troubles):
            if rng.random() < 0.35:
                done = moment + timedelta(hours=rng.uniform(4, 96))
                state, closed = ("done", done) if done <= now else ("scheduled", None)
                key = f"TK{number}-{person.contract}"
                operator.tickets.append(
                    (key, person.contract, "technical", state, moment, done, closed, "Reparo de conexão")
                )
