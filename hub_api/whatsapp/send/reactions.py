"""What a refusal does beyond its own message: pauses, template states, consent, strikes (the table's columns).

The sender calls it for refused calls, handling for failed statuses, which bring the same codes later. It runs in a
transaction of its own, before the message's end is recorded: it locks customers, and whoever handles an inbound
message locks them before messages.
"""

from collections.abc import Iterable
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
from hub_api.whatsapp.send.decide import STRIKES
from hub_api.whatsapp.send.errors_table import Rule, rule_for
from hub_api.whatsapp.send.meta import Refusal

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "reactions.sql")

SUPPRESS_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal and what it was about: the message, whom it was for, where it was sent from."""

    refusal: Refusal
    message_id: UUID
    customer_id: UUID
    number_id: UUID
    account_id: UUID
    template: tuple[str, str] | None = None  # name, language

    @property
    def rule(self) -> Rule:
        """The row of the error table."""
        return rule_for(self.refusal.code, self.refusal.subcode)


async def react(tx: Transaction, refused: Iterable[Refused]) -> None:
    """Apply what the error table says about each refusal; repeating it changes nothing more."""
    for one in sorted(refused, key=lambda one: one.customer_id):
        rule = one.rule
        reason = f"{one.refusal.code}: {rule.meaning}"
        await _stop(tx, rule, one, reason)
        if rule.template_status is not None and one.template is not None:
            name, language = one.template
            await tx.db.execute(queries.set_template, one.account_id, name, language, rule.template_status, reason)
            if rule.template_status == "NOT_FOUND":
                tx.ring(REGISTRY["whatsapp.send.jobs.resync_templates"], str(one.account_id))
        await _about_the_customer(tx, rule, one)
        if rule.alert:
            log.error(
                "meta_needs_attention",
                code=one.refusal.code,
                meaning=rule.meaning,
                details=one.refusal.details,
                number=str(one.number_id),
                account=str(one.account_id),
                template=one.template and one.template[0],
                fbtrace_id=one.refusal.fbtrace_id,
            )


async def _stop(tx: Transaction, rule: Rule, one: Refused, reason: str) -> None:
    now = datetime.now(UTC)
    if (pause := rule.pause) is not None:
        until = now + timedelta(seconds=pause.for_s) if pause.for_s else None
        if pause.what == "number":
            await tx.db.execute(queries.pause_number, one.number_id, pause.state, reason, until)
        else:
            await tx.db.execute(queries.pause_account, one.account_id, pause.state, reason, until)
    if (hold := rule.hold) is not None:
        until = now + timedelta(seconds=hold.for_s)
        if hold.what == "number":
            await tx.db.execute(queries.hold_number, one.number_id, [hold.category], reason, until)
        else:
            await tx.db.execute(queries.hold_account, one.account_id, [hold.category], reason, until)


async def _about_the_customer(tx: Transaction, rule: Rule, one: Refused) -> None:
    now = datetime.now(UTC)
    if rule.consent == "opt_out":
        evidence = {"message_id": str(one.message_id), "code": one.refusal.code}
        await consent.record(
            tx, one.customer_id, "marketing", granted=False, source="meta_error", evidence=evidence, occurred_at=now
        )
    elif rule.consent == "suppress_marketing":
        reason = f"meta_{one.refusal.code}"
        await consent.suppress(tx, one.customer_id, "marketing", reason=reason, until=now + SUPPRESS_FOR)
    if rule.strike:
        await tx.db.execute(queries.strike, one.customer_id, now.timestamp(), STRIKES)


async def resume_paused(services: Services) -> None:
    """Let numbers and accounts send again whose pause is over; the sweep finds their messages."""
    await services.db.execute(queries.end_account_holds)
    await services.db.execute(queries.end_number_holds)
    accounts = await services.db.fetch(queries.resume_accounts)
    numbers = await services.db.fetch(queries.resume_numbers)
    if accounts or numbers:
        log.info("sending_resumed", accounts=[str(r["id"]) for r in accounts], numbers=[str(r["id"]) for r in numbers])


async def resume_number(services: Services, number_id: UUID) -> None:
    """A person repaired what had stopped a number. Raises NotFound."""
    if await services.db.fetchval(queries.resume_number, number_id) is None:
        raise NotFound(f"there is no WhatsApp number {number_id}", number_id=str(number_id))


async def resume_account(services: Services, account_id: UUID) -> None:
    """A person repaired what had stopped an account. Raises NotFound."""
    if await services.db.fetchval(queries.resume_account, account_id) is None:
        raise NotFound(f"there is no WhatsApp account {account_id}", account_id=str(account_id))
