"""Retention: each kind of personal data ends when its time is over (LGPD arts. 15 and 16), in every store, unless it is held.

The rules are data (retention.yaml); what is due is found by `due_<rule>` of retention.sql and ended chunk by chunk, each in a
transaction of its own. Files and raw webhooks have jobs of their own (whatsapp/media/erase.py, maintenance.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args
from uuid import UUID

import structlog
import yaml

from hub_api.auth import audit
from hub_api.chat.privacy import erase, lake, warehouse
from hub_api.errors import Conflict, Invalid
from hub_api.platform import sqlfile
from hub_api.platform.services import Services
from hub_api.settings import Settings

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "retention.sql")

Action = Literal["delete", "anonymise", "erase"]
CHUNK = 500
# Erasures search every store for what is left: those of a run are worked on together, and must be done before the next run.
ERASURES_A_RUN = 500

Ender = Callable[[Services, list[UUID]], Awaitable[int]]
ENDERS: dict[str, Ender] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of data: how long it is kept, what happens then, and by what law. Texts are in Portuguese."""

    key: str
    title: str
    action: Action
    days: int
    at_least: int
    counted_from: str
    legal_basis: str
    source: str


def register_ender(store: str, end: Ender) -> None:
    """Let `end(services, conversation_ids)` take part when conversations end; it returns how many records it ended."""
    ENDERS[store] = end


@cache
def _defaults() -> tuple[Rule, ...]:
    raw = yaml.safe_load(resources.files(__package__).joinpath("retention.yaml").read_text(encoding="utf-8"))
    rules = tuple(Rule(key, **spec) for key, spec in raw.items())
    for rule in rules:
        if rule.action not in get_args(Action) or rule.days < rule.at_least:
            raise ValueError(f"retention.yaml: {rule.key} has an unknown action, or less days than the law asks for")
    return rules


def rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules in force. Raises Invalid for a HUB_RETENTION_DAYS that names no rule or goes below the law's minimum."""
    wanted = dict(settings.retention_days)
    if unknown := wanted.keys() - {rule.key for rule in _defaults()}:
        raise Invalid(f"HUB_RETENTION_DAYS names {sorted(unknown)}: rules are {[rule.key for rule in _defaults()]}")
    for rule in _defaults():
        if wanted.get(rule.key, rule.days) < rule.at_least:
            raise Invalid(f"HUB_RETENTION_DAYS: {rule.key} must be kept {rule.at_least} days at least: {rule.source}")
    return tuple(replace(rule, days=wanted.get(rule.key, rule.days)) for rule in _defaults())


def shown(settings: Settings) -> list[dict[str, Any]]:
    """The rules in force as JSON values."""
    return [asdict(rule) for rule in rules(settings)]


async def due(services: Services) -> dict[str, int]:
    """How many records are past their time now, by rule: a dry run."""
    now, found = datetime.now(UTC), {}
    for rule in rules(services.settings):
        query = f"SELECT count(*) FROM ({getattr(queries, f'due_{rule.key}')}) AS due"  # noqa: S608 - a query of ours
        found[rule.key] = await services.db.fetchval(query, now - timedelta(days=rule.days), None, *_start(rule))
    return found


async def apply(services: Services, who: str = audit.SYSTEM) -> dict[str, int]:
    """End what is past its time; how many records by rule. Harmless to repeat; what a dead run left is found again."""
    now, ended = datetime.now(UTC), {}
    for rule in rules(services.settings):
        before, count, after = now - timedelta(days=rule.days), 0, _start(rule)
        limit = ERASURES_A_RUN if rule.action == "erase" else CHUNK
        find = getattr(queries, f"due_{rule.key}")
        while ids := [row["id"] for row in await services.db.fetch(find, before, limit, *after)]:
            after = ids[-1:] if after else []
            done = await _END.get(rule.key, _delete)(services, rule, ids)
            count += done
            if len(ids) < limit or rule.action == "erase" or not done:
                break
        ended[rule.key] = count
    if ended.get("conversations"):
        await lake.follow(services.settings)  # a run that dies before it is made good by the lake's own nightly one
    if any(ended.values()):
        async with services.transaction() as tx:
            detail = {key: count for key, count in ended.items() if count}
            await audit.write(tx, who, "privacy.retention_applied", "retention", None, detail=detail)
        log.info("retention", **ended)
    return ended


def _start(rule: Rule) -> list[UUID | None]:
    """Where a run begins to look: a rule that leaves its rows would find the ended ones again at every chunk."""
    return [None] if rule.key == "conversations" else []


async def _end_conversations(services: Services, rule: Rule, ids: list[UUID]) -> int:
    """The warehouse first, which only has copies; files, which have none, once nobody can hold the conversation any more.

    PostgreSQL's rows are what a dead run is found by: a mark stays in them until the files are gone.
    """
    await warehouse.erase_conversations(services.settings, ids)
    async with services.transaction() as tx:
        await tx.db.execute(queries.lock_people_of, ids)
        free = [row["id"] for row in await tx.db.fetch(queries.still_free, ids)]
        for step in _STEPS:
            await tx.db.execute(step, free)
    for end in ENDERS.values():
        await end(services, free)
    await services.db.execute(queries.forget_ending, free)
    return len(free)


async def _end_people(services: Services, rule: Rule, ids: list[UUID]) -> int:
    asked = 0
    for customer_id in ids:
        try:
            await erase.request(services, audit.SYSTEM, customer_id, "purpose_ended")
        except Conflict:  # held or asked for meanwhile
            continue
        asked += 1
    return asked


async def _end_contracts(services: Services, rule: Rule, ids: list[str]) -> int:
    async with services.transaction() as tx:
        for step in (queries.end_tickets, queries.end_invoices, queries.end_contracts):
            await tx.db.execute(step, ids)
    return len(ids)


async def _end_campaign_lists(services: Services, rule: Rule, ids: list[UUID]) -> int:
    async with services.transaction() as tx:
        steps = (queries.end_campaign_recipients, queries.end_campaign_triggers)
        return sum([_rows(await tx.db.execute(step, ids)) for step in steps])


async def _delete(services: Services, rule: Rule, ids: list[UUID]) -> int:
    return _rows(await services.db.execute(getattr(queries, f"end_{rule.key}"), ids))


def _rows(tag: str) -> int:
    return int(tag.rpartition(" ")[2])


_STEPS = (
    queries.end_keys,
    queries.end_events,
    queries.end_messages,
    queries.end_scheduled,
    queries.end_notes,
    queries.end_conversations,
)
_END: dict[str, Callable[[Services, Rule, list[Any]], Awaitable[int]]] = {
    "conversations": _end_conversations,
    "people": _end_people,
    "ended_contracts": _end_contracts,
    "campaign_lists": _end_campaign_lists,
}
