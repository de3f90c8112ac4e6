"""The circuit breakers of numbers, templates and accounts: judged on a clock from the tally, kept in PostgreSQL.

An open one stops its subject by what the sender reads anyway: a number or account is paused until then, a template is
`stopped_until`. Half open, a number's bulk goes at a trickle, and of a template a few waiting messages. Codes that stop
by themselves (send/errors_table.py) have done so before; breakers see what no single code shows.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.pool.breaker_policy import TRIAL_AT_MOST, TRIAL_ENOUGH, Breaker, Recent
from hub_api.whatsapp.pool.breaker_policy import judge as next_state
from hub_api.whatsapp.pool.classes import class_of
from hub_api.whatsapp.pool.speed_policy import FLOOR
from hub_api.whatsapp.send import reactions
from hub_api.whatsapp.send.errors_table import rule_for

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "breakers.sql")

SOURCE = "breaker"
LOOK_AT = timedelta(minutes=1)
Key = tuple[str, UUID]


async def judge(services: Services, *, at: datetime | None = None) -> None:
    """Let every breaker take its next step at `at` (now unless given)."""
    at = at or datetime.now(UTC)
    async with services.transaction() as tx:
        if not await tx.db.fetchval(queries.one_judge):
            return
        rows = await tx.db.fetch(queries.recent, at - TRIAL_AT_MOST - LOOK_AT)
        known = {(row["kind"], row["subject_id"]): _breaker(row) for row in await tx.db.fetch(queries.breakers)}
        sends: dict[Key, list[Any]] = defaultdict(list)
        for row in rows:
            for subject in _subjects(row):
                sends[subject].append(row)
        for key in sorted(known.keys() | sends.keys(), key=str):
            breaker = known.get(key, Breaker())
            since = (
                max(at - LOOK_AT, breaker.changed_at or at - LOOK_AT)
                if breaker.state == "closed"
                else breaker.changed_at
            )
            after = next_state(breaker, recent(sends.get(key, ()), key[0], since or at - LOOK_AT), at)
            if after != breaker:
                await _change(tx, key, after)


def recent(rows: Iterable[Any], kind: str, since: datetime) -> Recent:
    """What became of the sends of one number, account or template since then. Only faults of its own kind count: a wrong
    parameter speaks against the template, a customer out of reach against nobody."""
    faults: dict[int | None, int] = defaultdict(int)
    sent = 0
    for row in rows:
        if row["at"] < since:
            continue
        if row["outcome"] != "failed":  # a status' failure was counted as accepted before
            sent += row["count"]
        if row["outcome"] != "accepted" and class_of(row["code"]) == ("template" if kind == "template" else "number"):
            faults[row["code"]] += row["count"]
    if not faults:
        return Recent(sent)
    worst = max(faults, key=lambda code: faults[code])
    words = "sem resposta" if worst is None else f"{worst}: {rule_for(worst).meaning}"
    return Recent(max(sent, sum(faults.values())), sum(faults.values()), words)


def _subjects(row: Any) -> list[Key]:
    subjects: list[Key] = [("number", row["number_id"]), ("account", row["account_id"])]
    return [*subjects, ("template", row["template_id"])] if row["template_id"] else subjects


def _breaker(row: Any) -> Breaker:
    return Breaker(row["state"], row["openings"], row["open_until"], row["reason"], row["changed_at"])


async def _change(tx: Transaction, key: Key, after: Breaker) -> None:
    kind, subject = key
    await tx.db.execute(
        queries.save, kind, subject, after.state, after.reason, after.openings, after.open_until, after.changed_at
    )
    await _ACTS[kind](tx, subject, after)
    tell = log.error if after.state == "open" else log.info
    tell("breaker", kind=kind, subject=str(subject), state=after.state, reason=after.reason, openings=after.openings)


async def _number(tx: Transaction, number_id: UUID, after: Breaker) -> None:
    if after.state == "open":
        reason = f"disjuntor aberto: {after.reason}"
        await tx.db.execute(reactions.queries.pause_number, number_id, "paused", reason, after.open_until, SOURCE)
    if after.state == "closed":
        await tx.db.execute(queries.full_speed, number_id)
    else:
        await tx.db.execute(queries.trickle, number_id, FLOOR, "disjuntor: poucas por vez até dar certo")


async def _account(tx: Transaction, account_id: UUID, after: Breaker) -> None:
    if after.state == "open":
        reason = f"disjuntor aberto: {after.reason}"
        await tx.db.execute(reactions.queries.pause_account, account_id, "paused", reason, after.open_until, SOURCE)


async def _template(tx: Transaction, template_id: UUID, after: Breaker) -> None:
    if after.state == "half_open" and after.changed_at is not None:
        until = after.changed_at + TRIAL_AT_MOST + LOOK_AT
        await tx.db.execute(queries.try_template, template_id, TRIAL_ENOUGH, until)
    else:
        await tx.db.execute(queries.stop_template, template_id, after.open_until)


_ACTS = {"number": _number, "account": _account, "template": _template}
