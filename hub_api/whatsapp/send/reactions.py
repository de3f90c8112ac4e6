"""What a refusal does beyond its own message: pauses, template states, consent, strikes (the table's columns).

The sender calls it for refused calls; handling for failed statuses and errors of a number, which bring the same codes
later. For the sender it runs in a transaction of its own, before the message's end is recorded: it locks customers, and
whoever handles an inbound message locks them before messages.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from hub_api.chat import consent
from hub_api.errors import NotFound
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.whatsapp.pool import tally
from hub_api.whatsapp.pool.tally import Tally
from hub_api.whatsapp.send.decide import STRIKES
from hub_api.whatsapp.send.errors_table import Rule, rule_for
from hub_api.whatsapp.send.meta import Refusal

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "reactions.sql")

_LONG_NUMBER = re.compile(r"\d{7,}")

SOURCE = "meta_error"  # in the history of what a refusal stopped
SUPPRESS_FOR = timedelta(hours=24)
# A webhook that comes later than this (Meta redelivers for days) says nothing about how things stand now.
NEWS_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal, when it happened, and what it was about: the message and whom it was for (if any), where it was sent from."""

    refusal: Refusal
    at: datetime
    number_id: UUID
    account_id: UUID
    message_id: UUID | None = None
    customer_id: UUID | None = None
    template: tuple[str, str] | None = None  # name, language

    @property
    def rule(self) -> Rule:
        """The row of the error table."""
        return rule_for(self.refusal.code, self.refusal.subcode)


async def react(tx: Transaction, refused: Iterable[Refused]) -> None:
    """Apply what the error table says about each refusal; repeating one changes nothing more."""
    for one in sorted(refused, key=lambda one: str(one.customer_id)):
        rule = one.rule
        reason = f"{one.refusal.code}: {rule.meaning}"
        await _stop(tx, rule, one, reason)
        if rule.template_status is not None and one.template is not None:
            await tx.db.execute(queries.set_template, one.account_id, *one.template, rule.template_status, reason)
            if rule.template_status == "NOT_FOUND":
                tx.ring(REGISTRY["whatsapp.send.jobs.resync_templates"], str(one.account_id))
        if one.customer_id is not None:
            await _about_the_customer(tx, rule, one, one.customer_id)
        if rule.alert:
            log.error(
                "meta_needs_attention",
                code=one.refusal.code,
                meaning=rule.meaning,
                details=without_numbers(one.refusal.details),
                number=str(one.number_id),
                account=str(one.account_id),
                template=one.template and one.template[0],
                fbtrace_id=one.refusal.fbtrace_id,
            )


async def react_to_statuses(tx: Transaction, failed: Sequence[tuple[str, Refusal, datetime]]) -> None:
    """React to failed statuses: (wamid, first error, payload time) each. Unknown wamids and old news are left alone."""
    since = datetime.now(UTC) - NEWS_FOR
    news = {wamid: (refusal, at) for wamid, refusal, at in failed if at > since and not _is_plain(refusal)}
    if not news:
        return
    refused = []
    for row in await tx.db.fetch(queries.messages_of_wamids, list(news)):
        refusal, at = news[row["wamid"]]
        template = (row["template_name"], row["template_language"]) if row["template_name"] else None
        refused.append(
            Refused(refusal, at, row["number_id"], row["account_id"], row["message_id"], row["customer_id"], template)
        )
    await react(tx, refused)


async def react_to_number(tx: Transaction, number_id: UUID, refusals: Sequence[Refusal], at: datetime) -> bool:
    """React to errors that Meta reports of a number and of no message; False for old news, which is left alone."""
    if at <= datetime.now(UTC) - NEWS_FOR:
        return False
    await tally.count(tx, [Tally(number_id, "refused", code=refusal.code) for refusal in refusals])
    if news := [refusal for refusal in refusals if not _is_plain(refusal)]:
        account_id = await tx.db.fetchval(queries.account_of_number, number_id)
        await react(tx, [Refused(refusal, at, number_id, account_id) for refusal in news])
    return True


def without_numbers(details: str) -> str:
    """Meta's words for a log line: a long number may be somebody's phone."""
    return _LONG_NUMBER.sub("…", details)


def _is_plain(refusal: Refusal) -> bool:
    """Whether the code ends its message and does nothing else."""
    rule = rule_for(refusal.code, refusal.subcode)
    return not (rule.pause or rule.hold or rule.consent or rule.template_status or rule.strike or rule.alert)


async def _stop(tx: Transaction, rule: Rule, one: Refused, reason: str) -> None:
    if (pause := rule.pause) is not None:
        until = one.at + timedelta(seconds=pause.for_s) if pause.for_s else None
        if pause.what == "number":
            await tx.db.execute(queries.pause_number, one.number_id, pause.state, reason, until, SOURCE)
        else:
            await tx.db.execute(queries.pause_account, one.account_id, pause.state, reason, until, SOURCE)
    if (hold := rule.hold) is not None:
        until = one.at + timedelta(seconds=hold.for_s)
        if hold.what == "number":
            await tx.db.execute(queries.hold_number, one.number_id, [hold.category], reason, until, SOURCE)
        else:
            await tx.db.execute(queries.hold_account, one.account_id, [hold.category], reason, until)


async def _about_the_customer(tx: Transaction, rule: Rule, one: Refused, customer_id: UUID) -> None:
    if rule.consent == "opt_out":
        await consent.record(
            tx,
            customer_id,
            "marketing",
            granted=False,
            source="meta_error",
            evidence={"message_id": one.message_id, "error_code": one.refusal.code},
            occurred_at=one.at,
        )
    elif rule.consent == "suppress_marketing":
        reason = f"meta_{one.refusal.code}"
        await consent.suppress(tx, customer_id, "marketing", reason=reason, until=one.at + SUPPRESS_FOR)
    if rule.strike:
        await tx.db.execute(queries.strike, customer_id, one.at.timestamp(), STRIKES)


async def resume_paused(services: Services) -> None:
    """Let numbers and accounts send again whose pause is over; the sweep finds their messages."""
    await services.db.execute(queries.end_account_holds)
    await services.db.execute(queries.end_number_holds)
    accounts = await services.db.fetch(queries.resume_accounts)
    numbers = await services.db.fetch(queries.resume_numbers)
    if accounts or numbers:
        log.info("sending_resumed", accounts=[str(r["id"]) for r in accounts], numbers=[str(r["id"]) for r in numbers])


async def resume_account(tx: Transaction, account_id: UUID, source: str) -> None:
    """A person (`source`) repaired what had stopped an account. Raises NotFound."""
    if await tx.db.fetchval(queries.resume_account, account_id, source) is None:
        raise NotFound(f"there is no WhatsApp account {account_id}", account_id=str(account_id))
