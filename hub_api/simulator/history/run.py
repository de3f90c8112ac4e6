"""`hub simulate history`: 90 days of a simulated operator, in PostgreSQL with events, reproducible by seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from hub_api.errors import Conflict
from hub_api.platform.services import Services
from hub_api.simulator.corpus import load_corpus
from hub_api.simulator.history.days import contacts
from hub_api.simulator.history.effects import draw_effects, write_manifest
from hub_api.simulator.history.operator import Operator, make_operator
from hub_api.simulator.history.recorder import Recorder
from hub_api.simulator.history.rhythm import Rhythm
from hub_api.simulator.history.script import Stage, Team, play
from hub_api.simulator.history.store import (
    ensure_agents,
    ensure_months,
    ensure_queue,
    reserve_protocols,
    store_operator,
    store_rows,
)

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

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What history to make; it ends yesterday, so that live traffic goes on from it."""

    days: int = 90
    customers: int = 20_000
    seed: int = 1

    def __post_init__(self) -> None:
        if not (2 <= self.days <= 1500 and 1 <= self.customers <= 2_000_000):
            raise ValueError("days must be 2 to 1500 and customers 1 to 2,000,000")


async def make_history(
    services: Services, plan: Plan, *, manifest: Path | None = None, progress: Progress | None = None
) -> dict[str, int]:
    """Write the history; returns rows per table. Raises Conflict when the hub already has customers: it would mix with theirs."""
    if await services.db.fetchval("SELECT EXISTS (SELECT FROM customers)"):
        raise Conflict(
            "this hub already has customers: a simulated history is only written into an empty hub (another HUB_HOME)"
        )
    rng, zone = Random(plan.seed), services.settings.zone
    last_day = (datetime.now(UTC) - timedelta(hours=30)).astimezone(zone).date()
    first_day = last_day - timedelta(days=plan.days - 1)
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
        protocols=await reserve_protocols(services.db, plan.customers * plan.days // 4 + 1000),
    )  # fmt: skip
    stage = Stage(rng, load_corpus(), recorder, team, effects)
    counts = await _write_days(services, plan, operator, stage, Rhythm(zone, first_day, effects), progress)
    _open_tickets(rng, operator)
    await store_operator(services.db, operator)
    counts |= {"contracts": len(operator.people), "invoices": len(operator.invoices), "payments": len(operator.payments),
               "outages": len(operator.outages), "service_tickets": len(operator.tickets)}  # fmt: skip
    if manifest:
        write_manifest(manifest, plan.seed, first_day, plan.days, effects, counts)
    return counts


async def _write_days(
    services: Services, plan: Plan, operator: Operator, stage: Stage, rhythm: Rhythm, progress: Progress | None
) -> dict[str, int]:
    recorder, counts, busy_until = stage.recorder, dict[str, int](), dict[UUID, datetime]()
    for person in operator.people:
        identities = {"bsuid": person.bsuid, "wa_id": person.wa_id, "phone": person.phone}
        known_since = datetime.fromtimestamp((person.id.int >> 80) / 1000, UTC)
        recorder.customer(person.id, known_since, person.name, identities, person.state_code)
    await _store(services, recorder, counts)
    for day, todays in enumerate(contacts(stage.rng, operator, rhythm, plan.days, stage.effects), start=1):
        for contact in todays:
            if contact.at > busy_until.get(contact.person.id, contact.at - timedelta(seconds=1)):
                busy_until[contact.person.id] = play(contact, stage)
        await _store(services, recorder, counts)
        if progress:
            progress(day, plan.days)
    return counts


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


def _open_tickets(rng: Random, operator: Operator) -> None:
    """Some technical contacts became tickets in the operator's system."""
    for person in operator.people:
        for number, moment in enumerate(person.troubles):
            if rng.random() < 0.35:
                done = moment + timedelta(hours=rng.uniform(4, 96))
                operator.tickets.append((
                    f"TK{person.phone[2:]}-{number}", person.contract, "technical", "done", moment, done, done,
                    "Reparo de conexão",
                ))  # fmt: skip
