"""The language model as a teacher: it labels a few messages a day, from which our own models learn when they pass their floors.

Off unless HUB_LLM_LABELS_PER_DAY says how many. A quarter of them is drawn by chance, the rest is what the model in use is least
sure of (gold.message_sentiment). `teacher_turns` holds what was chosen: a message is labelled once, whatever dies in between.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any
from uuid import UUID

import structlog

from hub_api.ai.labels import TOKENS_A_MESSAGE, Said, instruction, prompt_version, question, read_answer, without_people
from hub_api.ai.model import Model, open_model
from hub_api.errors import Unavailable
from hub_api.events import MessageLabelled
from hub_api.platform import sqlfile
from hub_api.platform.metrics import messages_labelled
from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.platform.warehouse import ask

queries = sqlfile.load(__package__, "teaching.sql")
candidates = sqlfile.load(__package__, "candidates.clickhouse.sql")
log = structlog.get_logger(__name__)

RANDOM_PERCENT = 25  # of the day's messages, and of all messages: who is in the random pool is told by a hash
WINDOW = timedelta(days=14)  # older messages are not asked about: people speak otherwise by then
KEPT = timedelta(days=90)  # what was chosen is remembered for longer than anything can be chosen
BATCH = 10
MOST_ATTEMPTS = 3
SPARE = 4  # candidates for one place: some have lost their words since the tables were built
# A job hands the worker back after this long and rings itself again: other queues wait behind it.
WORK_S = 5.0


@dataclass
class Done:
    """What one run did, in messages."""

    chosen: int = 0
    labelled: int = 0
    refused: int = 0  # the answer did not say what was asked; each is asked again, up to MOST_ATTEMPTS
    gone: int = 0  # without words by now
    away: bool = False  # the model or the warehouse did not answer


@job("maintenance", timeout_s=300)
async def label(services: Services) -> None:
    """Choose what is left of today's messages and ask about those that wait, until none does or time is up."""
    done = await teach(services, stop_after_s=WORK_S)
    if not done.away and (await counts(services))["waiting"] and done.labelled + done.refused + done.gone:
        await services.bells.ring([(label, ())])


async def teach(services: Services, *, stop_after_s: float | None = None) -> Done:
    """What the job does, and how much of it. Nothing without HUB_LLM_URL and HUB_LLM_LABELS_PER_DAY. A warehouse or a model that is
    away is told by `away`: what waits stays, and the next run goes on."""
    done, began = Done(), time.monotonic()
    model = await services.shared(open_model)
    if model is None or not services.settings.llm_labels_per_day:
        return done
    try:
        done.chosen = await _choose(services)
    except Unavailable as error:
        log.warning("teacher_without_candidates", error=error.message)
        done.away = True
    while stop_after_s is None or time.monotonic() - began < stop_after_s:
        taken = await services.db.fetch(queries.take, BATCH)
        if not taken:
            break
        if not await _ask(services, model, [row["message_id"] for row in taken], taken[0]["taken_at"], done):
            done.away = True
            break
    return done


async def counts(services: Services) -> Mapping[str, int]:
    """today: messages chosen since the business day began; waiting: those without an answer; waiting_before: those of days before."""
    (row,) = await services.db.fetch(queries.counts, _day_began(services))
    return {name: int(row[name]) for name in ("today", "waiting", "waiting_before")}


async def _choose(services: Services) -> int:
    """Fill the day up to its number of messages; those that still wait of days before count too, so no backlog grows."""
    if (free := await _free(services)) <= 0:
        return 0
    since = datetime.now(UTC) - WINDOW
    first = since.astimezone(services.settings.zone).date()
    given = {"first": first, "pool": RANDOM_PERCENT, "limit": SPARE * free}
    found = {
        name: [row[0] for row in (await ask(services, getattr(candidates, name), given)).rows]
        for name in ("random", "uncertain")
    }
    oldest = datetime.combine(first, clock_time.min, services.settings.zone)
    async with services.transaction() as tx:
        await tx.db.execute(queries.lock)
        free = await _free(services)  # another worker may have chosen meanwhile, and holds the lock no more
        by_chance = min(free, -(-free * RANDOM_PERCENT // 100))
        chosen = len(await tx.db.fetch(queries.choose_random, found["random"], oldest, by_chance)) if free > 0 else 0
        left = max(0, free - chosen)
        chosen += len(await tx.db.fetch(queries.choose_uncertain, found["uncertain"], oldest, left))
        await tx.db.execute(queries.forget, datetime.now(UTC) - KEPT)
    return chosen


async def _free(services: Services) -> int:
    now = await counts(services)
    return services.settings.llm_labels_per_day - now["today"] - now["waiting_before"]


def _day_began(services: Services) -> datetime:
    zone = services.settings.zone
    return datetime.combine(datetime.now(zone).date(), clock_time.min, zone)


async def _ask(services: Services, model: Model, taken: list[UUID], taken_at: datetime, done: Done) -> bool:
    """Ask about messages that were taken, and keep what is said; False when the model does not answer: they wait again."""
    texts = {
        row["message_id"]: without_people(row["content"], row["name"], row["username"])
        for row in await services.db.fetch(queries.words, taken)
    }
    asked = list(texts)
    said: dict[int, Said] = {}
    if asked:
        try:
            words = await model.complete(
                instruction(), question([texts[one] for one in asked]), most_tokens=TOKENS_A_MESSAGE * len(asked)
            )
        except Unavailable as error:
            log.warning("teacher_away", error=error.message, messages=len(asked))
            await services.db.execute(queries.give_back, taken, taken_at)
            return False
        said = read_answer(words, len(asked))
    by_message = {asked[number - 1]: one for number, one in said.items()}
    labelled = await _keep(services, model.name, by_message, taken_at)
    gone = [one for one in taken if one not in texts or (one in by_message and one not in labelled)]
    unclear = [one for one in asked if one not in by_message]
    await services.db.execute(queries.done, gone, taken_at, "gone")
    await services.db.execute(queries.not_understood, unclear, taken_at, MOST_ATTEMPTS)
    done.labelled, done.gone, done.refused = (
        done.labelled + len(labelled), done.gone + len(gone), done.refused + len(unclear),
    )  # fmt: skip
    for outcome, messages in (("labelled", labelled), ("gone", gone), ("refused", unclear)):
        messages_labelled.labels(outcome).inc(len(messages))
    return True


async def _keep(services: Services, teacher: str, said: Mapping[UUID, Said], taken_at: datetime) -> set[UUID]:
    """Mark and tell, in one transaction, what is still there and still ours: each message once, none of who was erased meanwhile."""
    now = datetime.now(UTC)
    async with services.transaction() as tx:
        rows: list[Any] = await tx.db.fetch(queries.still_there, list(said), taken_at)
        for row in rows:
            one = said[row["message_id"]]
            tx.emit(
                MessageLabelled(
                    aggregate_id=row["message_id"],
                    aggregate_version=1,
                    occurred_at=now,
                    customer_id=row["customer_id"],
                    teacher=teacher,
                    sentiment=one.sentiment,
                    intent=one.intent,
                    confidence=one.confidence,
                    chosen_by=row["chosen_by"],
                    prompt=prompt_version(),
                )
            )
        await tx.db.execute(queries.done, [row["message_id"] for row in rows], taken_at, "labelled")
    return {row["message_id"] for row in rows}
