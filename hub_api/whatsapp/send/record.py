"""Writing down what became of calls, many in one transaction: accepted, failed, given back, unknown.

An acceptance that is not recorded would become `unknown`, so recording is tried again for as long as the database is
away; what one broken row spoils is written row by row.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from hub_api.chat import statuses
from hub_api.platform import metrics
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.cost.estimate import Sent, estimates
from hub_api.whatsapp.pool import tally
from hub_api.whatsapp.pool.tally import Tally
from hub_api.whatsapp.send import outbox
from hub_api.whatsapp.send.buckets import Buckets
from hub_api.whatsapp.send.errors_table import NO_CONNECTION, RULES, Rule, delay_s
from hub_api.whatsapp.send.meta import Accepted, NotAccepted, OutcomeUnknown, RejectedByMeta
from hub_api.whatsapp.send.outbox import Claimed, End
from hub_api.whatsapp.send.reactions import Refused, react, without_numbers

log = structlog.get_logger(__name__)

RETRY_S = 0.25


class NotCalled(Exception):
    """The claim was older than a second before the call began: given back, and Meta was never asked."""


Outcome = Accepted | RejectedByMeta | NotAccepted | OutcomeUnknown | NotCalled


@dataclass(frozen=True, slots=True)
class Done:
    """A claimed message and what became of its call."""

    message: Claimed
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Release:
    """Back to the queue: not before `not_before`, after `calls` calls (0 or 1) of this claim."""

    message: Claimed
    not_before: datetime | None
    calls: int
    code: int | None = None
    title: str | None = None


async def record(services: Services, buckets: Buckets, done: Sequence[Done]) -> None:
    """Write all outcomes; returns once they are committed, whatever the database goes through meanwhile.

    Cancelled before that, the messages stay claimed and become `unknown`.
    """
    refused = [_refused(one) for one in done if isinstance(one.outcome, RejectedByMeta)]
    for one in refused:
        _tell(one)
    slowed = {
        one.message.number: slow_s
        for one in done
        if isinstance(one.outcome, RejectedByMeta) and (slow_s := _refused(one).rule.slow_s)
    }
    for number, seconds in slowed.items():
        await buckets.slow(number.phone_number_id, number.pace, seconds)
    await _persist(services, done, refused)


async def _persist(services: Services, done: Sequence[Done], refused: Sequence[Refused]) -> None:
    while True:
        try:
            if refused:
                async with services.transaction() as tx:
                    await react(tx, refused)
            async with services.transaction() as tx:
                await _write(tx, done, services.settings.rate_cards)
            return
        except RETRYABLE as error:
            log.warning("outcomes_wait_for_database", count=len(done), error=type(error).__name__)
            await asyncio.sleep(RETRY_S)
        except Exception as error:
            if len(done) == 1:
                log.exception("outcome_not_recorded", message=str(done[0].message.id), error=type(error).__name__)
                return
            for one in done:
                await _persist(services, [one], [r for r in refused if r.message_id == one.message.id])
            return


async def _write(tx: Transaction, done: Sequence[Done], cards: Path | None) -> None:
    now = datetime.now(UTC)
    accepted: list[tuple[Claimed, Accepted]] = []
    after: list[End | _Release] = []
    for one in done:
        message = one.message
        match one.outcome:
            case Accepted() as acceptance:
                accepted.append((message, acceptance))
            case OutcomeUnknown(message=why):
                after.append(End(message.id, message.created_at, "claimed", "unknown", why))
            case NotCalled():
                after.append(_Release(message, None, calls=0))
            case NotAccepted(message=why):
                after.append(_again(message, now, NO_CONNECTION, None, why))
            case RejectedByMeta() as error:
                refusal = error.refusal
                after.append(_again(message, now, _refused(one).rule, refusal.code, refusal.title or refusal.details))
    if accepted:
        await _accept(tx, accepted, now, cards)
    await outbox.finish(tx, [end for end in after if isinstance(end, End)])
    await _settle_quota(tx, done)
    await tally.count(tx, _tallies(done))
    if releases := [release for release in after if isinstance(release, _Release)]:
        await tx.db.execute(
            outbox.queries.release,
            *outbox.keys([release.message for release in releases]),
            [release.not_before for release in releases],
            [release.calls for release in releases],
            [release.code for release in releases],
            [release.title for release in releases],
        )


def _tallies(done: Sequence[Done]) -> list[Tally]:
    """What breakers and speed are judged by; a call that never reached Meta says nothing of a number."""
    tallies = []
    for one in done:
        message = one.message
        template = "/".join(message.template) if message.template else None
        match one.outcome:
            case Accepted():
                tallies.append(Tally(message.number.id, "accepted", template))
            case RejectedByMeta(refusal=refusal):
                tallies.append(Tally(message.number.id, "refused", template, refusal.code))
            case OutcomeUnknown():
                tallies.append(Tally(message.number.id, "unknown", template))
            case _:
                pass
    return tallies


async def _settle_quota(tx: Transaction, done: Sequence[Done]) -> None:
    """Places of the portfolio's quota: taken for good by an acceptance, given back by a clear no, kept while in doubt."""
    reserved = [one for one in done if one.message.reserved and not isinstance(one.outcome, OutcomeUnknown)]
    for accepted, query in ((True, outbox.queries.confirm_quota), (False, outbox.queries.give_quota_back)):
        messages = [one.message for one in reserved if isinstance(one.outcome, Accepted) == accepted]
        if messages:
            portfolios = [message.number.portfolio_id for message in messages]
            await tx.db.execute(query, portfolios, [m.customer_id for m in messages], [m.id for m in messages])


def _again(message: Claimed, now: datetime, rule: Rule, code: int | None, title: str) -> End | _Release:
    """Back to the queue when the table says that a retry can help, else failed."""
    delay = delay_s(rule, message.attempt, random.random())
    if delay is None:
        return End(message.id, message.created_at, "claimed", "failed", title, code)
    return _Release(message, now + timedelta(seconds=delay) if delay else None, 1, code, title)


async def _accept(
    tx: Transaction, accepted: Sequence[tuple[Claimed, Accepted]], now: datetime, cards: Path | None
) -> None:
    accepted = sorted(accepted, key=lambda pair: pair[0].id)  # one order for all who lock messages
    messages = [message for message, _ in accepted]
    wamids = [acceptance.wamid for _, acceptance in accepted]
    states = ["held" if acceptance.held else "accepted" for _, acceptance in accepted]
    ids, created_at, low, high = outbox.keys(messages)
    costs = await estimates(tx, [_sent(message) for message in messages], now, cards)
    micros, currencies = [cost and cost.micros for cost in costs], [cost and cost.currency for cost in costs]
    columns = (wamids, states, micros, currencies)
    rows = await tx.db.fetch(outbox.queries.accept, ids, created_at, low, high, *columns)
    if len(rows) < len(ids):
        recorded = {row["id"] for row in rows}
        late = [at for at, message_id in enumerate(ids) if message_id not in recorded]
        arguments = [[column[at] for at in late] for column in (ids, created_at)]
        more = [[column[at] for at in late] for column in columns]
        rows += await tx.db.fetch(outbox.queries.accept_overtaken, *arguments, low, high, *more)
    await statuses.remember(tx, dict(zip(wamids, map(statuses.Place, ids, created_at), strict=True)))
    new = [
        (message, acceptance.wa_id) for message, acceptance in accepted if message.first_contact and acceptance.wa_id
    ]
    if new:
        await tx.db.execute(
            outbox.queries.store_wa_ids,
            [uuid7() for _ in new],
            [message.customer_id for message, _ in new],
            [wa_id for _, wa_id in new],
        )
    tx.emit(*(outbox.state_changed(row, now) for row in rows if row["state"] != row["from_state"]))
    for message, state in zip(messages, states, strict=True):
        metrics.messages_sent.labels(message.type, state).inc()
        metrics.messages_accepted.labels(message.number.phone_number_id).inc()
    await statuses.apply_parked(tx, wamids)


def _sent(message: Claimed) -> Sent:
    address = message.body.get("to") or message.body["recipient"]
    return Sent(message.number.id, message.conversation_id, message.category, address)


def _refused(one: Done) -> Refused:
    assert isinstance(one.outcome, RejectedByMeta)  # noqa: S101 - callers pick refusals only
    message = one.message
    return Refused(
        one.outcome.refusal,
        datetime.now(UTC),
        message.number.id,
        message.number.account_id,
        message.id,
        message.customer_id,
        message.template,
    )


def _tell(one: Refused) -> None:
    refusal = one.refusal
    metrics.meta_refusals.labels(str(refusal.code) if refusal.code in RULES else "other").inc()
    log.warning(
        "send_refused",
        message=str(one.message_id),
        code=refusal.code,
        meaning=one.rule.meaning,
        details=without_numbers(refusal.details),
        fbtrace_id=refusal.fbtrace_id,
    )
