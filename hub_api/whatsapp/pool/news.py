"""What Meta's webhooks say of accounts, numbers and flows, applied (channel document §1.5).

A webhook may come late and out of order: one of an account that is older than what was applied last changes nothing.
Numbers are named by what people dial, with or without the ninth digit.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from hub_api.chat.phone import variants
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.inbound import Update
from hub_api.whatsapp.pool.limits import UnknownTier, users_of
from hub_api.whatsapp.send import outbox, reactions
from hub_api.whatsapp.send.outbox import End
from hub_api.whatsapp.updates import (
    AccountAlert,
    AccountReview,
    AccountUpdate,
    CapabilityUpdate,
    FlowUpdate,
    NumberNameUpdate,
    NumberQualityUpdate,
    SecurityUpdate,
)

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "news.sql")

SOURCE = "webhook"
REVIEW = "review"  # the source of a stop that Meta's approval of the account lifts
HIGH_MPS = 1000
FLOW_STOPPED = frozenset({"BLOCKED", "THROTTLED"})
# A restriction of what a business may do besides sending.
_NOT_SENDING = frozenset({"RESTRICTED_ADD_PHONE_NUMBER_ACTION"})
_QUALITY_OF = {"FLAGGED": "RED", "UNFLAGGED": "UNKNOWN"}


async def apply(tx: Transaction, update: Update) -> bool:
    """Apply one update of an account, number or flow; False when it is none, old news, or not about ours."""
    if isinstance(update, AccountAlert | SecurityUpdate):
        _inform(update)
        return True
    for kind, act in _ACTS.items():
        if isinstance(update, kind):
            return await act(tx, update)
    return False


def _inform(update: AccountAlert | SecurityUpdate) -> None:
    """What a person must read and nothing here follows from."""
    if isinstance(update, SecurityUpdate):
        log.error("meta_security_event", waba=update.waba_id, what=update.event, requester=update.requester)
        return
    tell = log.error if update.severity == "CRITICAL" and update.status != "RESOLVED" else log.warning
    about = {"entity": update.entity_type, "kind": update.alert_type, "status": update.status}
    tell("meta_alert", waba=update.waba_id, text=update.description, **about)


async def _numbers(tx: Transaction, waba_id: str | None, display: str | None) -> list[Row]:
    if not display:
        return []
    digits = variants(display) or ["".join(filter(str.isdigit, display))]
    return await tx.db.fetch(queries.numbers_by_display, waba_id, digits)


async def _quality(tx: Transaction, update: NumberQualityUpdate) -> bool:
    numbers = await _numbers(tx, update.waba_id, update.display_phone_number)
    await set_limit(tx, update.limit, waba_id=update.waba_id)
    mps = HIGH_MPS if update.event == "THROUGHPUT_UPGRADE" else None
    for number in numbers:
        await tx.db.execute(queries.note_quality, number["id"], _QUALITY_OF.get(update.event), mps)
        if update.event in ("FLAGGED", "DOWNGRADE"):
            log.error("number_quality_fell", number=number["phone_number_id"], what=update.event, limit=update.limit)
    return bool(numbers)


async def _capability(tx: Transaction, update: CapabilityUpdate) -> bool:
    await set_limit(tx, update.limit, waba_id=update.waba_id)
    return update.limit is not None


async def set_limit(
    tx: Transaction, tier: str | None, *, account_id: UUID | None = None, waba_id: str | None = None
) -> None:
    """The portfolio's limit in Meta's words; what nobody knows is told and changes nothing."""
    if tier is None:
        return
    try:
        users = users_of(tier)
    except UnknownTier:
        log.warning("unknown_messaging_limit", limit=tier)
        return
    await tx.db.execute(queries.set_limit, waba_id, account_id, users)


async def _name(tx: Transaction, update: NumberNameUpdate) -> bool:
    numbers = await _numbers(tx, update.waba_id, update.display_phone_number)
    approved = update.decision == "APPROVED"
    for number in numbers:
        name = update.requested_name if approved else None
        await tx.db.execute(queries.note_name, number["id"], update.decision, name)
        if approved and (number["state_reason"] or "").startswith("131037:"):
            await tx.db.execute(queries.lift, number["id"], SOURCE)
        if not approved:
            log.warning(
                "display_name", number=number["phone_number_id"], decision=update.decision, reason=update.reason
            )
    return bool(numbers)


async def _account(tx: Transaction, update: AccountUpdate) -> bool:
    account = await _noted(tx, update)
    if account is None:
        return False
    event, ban = update.event, update.ban_state
    match event, ban:
        case "ACCOUNT_RESTRICTION", _:
            await _restrict(tx, account, update)
        case "DISABLED_UPDATE", "DISABLE":
            await _stop(tx, account, "disabled", "Meta desativou a conta (DISABLE)")
        case "DISABLED_UPDATE", "REINSTATE":
            if account["state"] in ("restricted", "disabled"):
                await tx.db.execute(queries.reinstate, account["id"], SOURCE)
        case "ACCOUNT_DELETED", _:
            await _stop(tx, account, "disabled", "a conta foi excluída na Meta")
        case (("ACCOUNT_OFFBOARDED" | "ACCOUNT_RECONNECTED"), _):
            for number in await _numbers(tx, update.waba_id, update.display_phone_number):
                if event == "ACCOUNT_RECONNECTED":
                    await tx.db.execute(queries.lift, number["id"], SOURCE)
                else:
                    reason = "o número saiu da Cloud API (ACCOUNT_OFFBOARDED)"
                    await tx.db.execute(reactions.queries.pause_number, number["id"], "offline", reason, None, SOURCE)
        case (("ACCOUNT_VIOLATION" | "DISABLED_UPDATE" | "PARTNER_REMOVED"), _):
            pass  # told below: a person must act, sending still works
        case _:
            return False  # prices, terms, partners: whoever needs them reads what is stored
    log.error("meta_account_event", waba=update.waba_id, what=event, ban=ban, violation=update.violation)
    return True


async def _noted(tx: Transaction, update: Update) -> Row | None:
    at = datetime.fromtimestamp(update.time, UTC) if update.time else datetime.now(UTC)
    return await tx.db.fetchrow(queries.note_account, update.waba_id, at)


async def _restrict(tx: Transaction, account: Row, update: AccountUpdate) -> None:
    sending = [restriction for restriction in update.restrictions if restriction.type not in _NOT_SENDING]
    if not sending:
        return
    ends = [datetime.fromtimestamp(one.expires, UTC) for one in sending if one.expires]
    until = max(ends) if len(ends) == len(sending) else None
    if until is None or until > datetime.now(UTC):
        reason = "Meta restringiu a conta: " + ", ".join(sorted(one.type for one in sending))
        await _stop(tx, account, "restricted", reason, until)


async def _stop(
    tx: Transaction, account: Row, state: str, reason: str, until: datetime | None = None, source: str = SOURCE
) -> None:
    await tx.db.execute(reactions.queries.pause_account, account["id"], state, reason, until, source)


async def _review(tx: Transaction, update: AccountReview) -> bool:
    account = await _noted(tx, update)
    if account is None:
        return False
    await tx.db.execute(queries.note_review, account["id"], update.decision)
    if update.decision == "APPROVED":
        if account["state_source"] == REVIEW and account["state"] in ("paused", "restricted"):
            await tx.db.execute(queries.reinstate, account["id"], REVIEW)
        return True
    state = "restricted" if update.decision == "REJECTED" else "paused"
    await _stop(tx, account, state, f"análise da conta pela Meta: {update.decision}", source=REVIEW)
    log.error("meta_account_review", waba=update.waba_id, decision=update.decision)
    return True


async def _flow(tx: Transaction, update: FlowUpdate) -> bool:
    """A flow that Meta blocked or throttled is shown to nobody: what waits with it fails, and compose refuses new ones."""
    if update.flow_id is None:
        return False
    flow = await tx.db.fetchrow(
        queries.note_flow, update.waba_id, update.flow_id, update.state, update.alert_state, update.message
    )
    if flow is None:
        return False
    if flow["status"] in FLOW_STOPPED:
        log.error("flow_stopped", flow=update.flow_id, status=flow["status"])
        title = f"the flow is {flow['status']} at Meta: offer a menu instead"
        waiting = await tx.db.fetch(queries.waiting_with_flow, flow["account_id"], update.flow_id)
        await outbox.finish(
            tx, [End(row["id"], row["created_at"], "queued", "failed", title, 132068) for row in waiting]
        )
    return True


_ACTS: dict[type[Update], Callable[[Transaction, Any], Awaitable[bool]]] = {
    NumberQualityUpdate: _quality,
    NumberNameUpdate: _name,
    AccountUpdate: _account,
    AccountReview: _review,
    CapabilityUpdate: _capability,
    FlowUpdate: _flow,
}
