"""The health of numbers, read from Meta in turn: status, quality, throughput level, limit, name, and what blocks sending;
and with each account's first number, how the account is billed.

Webhooks tell most of it sooner; reading finds what no webhook told. Turns are spread over time, and at most half of the
calls that Meta allows an account in an hour are used, so that people have the rest (§4.3).
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.cost import billing
from hub_api.whatsapp.pool import news
from hub_api.whatsapp.send import reactions
from hub_api.whatsapp.send.meta import RejectedByMeta
from hub_api.whatsapp.send.reactions import Refused
from hub_api.whatsapp.templates.access import KEPT_FOR_PEOPLE, access

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "health.sql")

FIELDS = (
    "quality_rating,status,throughput,whatsapp_business_manager_messaging_limit,verified_name,name_status,health_status"
)
SOURCE = "health"
EVERY = timedelta(minutes=30)
SOONER = timedelta(minutes=5)  # a number that does not send as it should
AT_ONCE = 20

# What Meta's status of a number means for sending; a word that is not here is kept and changes nothing.
_STOPS = {
    "PENDING": "offline",
    "DISCONNECTED": "offline",
    "OFFLINE": "offline",
    "MIGRATED": "offline",
    "UNVERIFIED": "offline",
    "DELETED": "offline",
    "BANNED": "restricted",
    "RESTRICTED": "restricted",
}


async def check_due(services: Services) -> int:
    """Read the numbers whose turn has come; how many. One that cannot be read is tried again in its next turn."""
    rows = await services.db.fetch(queries.due_checks, AT_ONCE)
    for row in rows:
        done = await check(services, row["id"], row["account_id"], row["phone_number_id"])
        if done and row["tells_account"]:
            await _learn_billing(services, row["account_id"])
    return len(rows)


async def _learn_billing(services: Services, account_id: UUID) -> None:
    """How Meta bills the account, with the turn of its first number; what cannot be read now is read in the next turn."""
    try:
        account = await access(services, account_id)
        node = await account.get(account.waba_id, kept=KEPT_FOR_PEOPLE, fields=billing.FIELDS)
    except (RejectedByMeta, HubError) as error:
        log.info("account_not_read", account=str(account_id), error=type(error).__name__)
        return
    await billing.learn(services, account_id, node)


async def check(services: Services, number_id: UUID, account_id: UUID, phone_number_id: str) -> bool:
    """Read one number now and apply what Meta says; False when it could not be read (`check_failure` says why)."""
    try:
        account = await access(services, account_id)
        node = await account.get(phone_number_id, kept=KEPT_FOR_PEOPLE, fields=FIELDS)
    except RejectedByMeta as error:
        async with services.transaction() as tx:
            await reactions.react(tx, [Refused(error.refusal, datetime.now(UTC), number_id, account_id)])
            await tx.db.execute(queries.record_failure, number_id, error.message, _next(SOONER))
        return False
    except HubError as error:  # no answer, no calls left for now, a token that cannot be read
        await services.db.execute(queries.record_failure, number_id, error.message, _next(EVERY))
        return False
    async with services.transaction() as tx:
        await apply(tx, number_id, account_id, node)
    return True


async def apply(tx: Transaction, number_id: UUID, account_id: UUID, node: dict[str, Any]) -> None:
    """What a number's node at Meta says. A stop that this made earlier ends when Meta says that it is well again."""
    status, health = _text(node.get("status")), node.get("health_status")
    health = health if isinstance(health, dict) else {}
    throughput = node.get("throughput")
    blocked = _blocked(health)
    stop = _STOPS.get(status or "")
    is_well = stop is None and not blocked
    row = await tx.db.fetchrow(
        queries.record_health,
        number_id,
        status,
        _text(node.get("quality_rating")),
        _text(throughput.get("level")) if isinstance(throughput, dict) else None,
        _text(node.get("verified_name")),
        _text(node.get("name_status")),
        health,
        _next(EVERY if is_well else SOONER),
    )
    if row is None:
        return
    if stop is not None:
        await _stop_number(tx, number_id, stop, f"na Meta o número está {status}")
    elif "PHONE_NUMBER" in blocked:
        await _stop_number(tx, number_id, "restricted", f"a Meta bloqueou o envio: {blocked['PHONE_NUMBER']}")
    elif row["state_source"] == SOURCE and row["state"] in ("offline", "restricted"):
        await tx.db.execute(news.queries.lift, number_id, SOURCE)
    await _account(tx, account_id, blocked)
    await news.set_limit(tx, _text(node.get("whatsapp_business_manager_messaging_limit")), account_id=account_id)


async def _stop_number(tx: Transaction, number_id: UUID, state: str, reason: str) -> None:
    await tx.db.execute(reactions.queries.pause_number, number_id, state, reason, None, SOURCE)


async def _account(tx: Transaction, account_id: UUID, blocked: dict[str, str]) -> None:
    row = await tx.db.fetchrow(queries.account_state, account_id)
    if why := blocked.get("WABA") or blocked.get("BUSINESS"):
        reason = f"a Meta bloqueou o envio da conta: {why}"
        await tx.db.execute(reactions.queries.pause_account, account_id, "restricted", reason, None, SOURCE)
    elif row is not None and row["state_source"] == SOURCE and row["state"] == "restricted":
        await tx.db.execute(news.queries.reinstate, account_id, SOURCE)


def _blocked(health: dict[str, Any]) -> dict[str, str]:
    """Which entities on the way block sending (PHONE_NUMBER, WABA, BUSINESS, APP), and why."""
    entities = health.get("entities")
    found = {}
    for entity in entities if isinstance(entities, list) else []:
        if isinstance(entity, dict) and entity.get("can_send_message") == "BLOCKED":
            errors = [e.get("error_description") for e in entity.get("errors") or [] if isinstance(e, dict)]
            found[str(entity.get("entity_type"))] = "; ".join(filter(None, errors)) or "sem explicação"
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _next(after: timedelta) -> datetime:
    return datetime.now(UTC) + after * random.uniform(0.8, 1.2)
