"""A code by message, for who has the phone but not the app: six digits, five minutes, five tries.

By WhatsApp where an authentication template is set (HUB_SIGN_IN_TEMPLATE), with the same code by SMS when that fails or
does not arrive (`whatsapp/codes`, which stands above this package); else by SMS.
"""

import hmac
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from hub_api.auth import notices
from hub_api.auth.notices import Notice
from hub_api.auth.second_factor import keyed, keyed_by_all, queries
from hub_api.errors import Conflict
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

LIFE = timedelta(minutes=5)
TRIES = 5


class NoWay(Conflict):
    """No code can reach the user."""

    code = "no_way_for_codes"


def possible(services: Services, user: Row) -> bool:
    """Whether a code can reach this user: he has a phone and the hub a way to it."""
    settings = services.settings
    return bool(user["phone"] and (settings.sms_url or settings.sign_in_template))


async def send(services: Services, tx: Transaction, user: Row) -> None:
    """Send a new code, which ends the one before. Raises NoWay when none can reach the user."""
    if not possible(services, user):
        raise NoWay(
            "no code can be sent: the user has no phone, or neither HUB_SMS_URL nor HUB_SIGN_IN_TEMPLATE is set"
        )
    code = f"{secrets.randbelow(1_000_000):06d}"
    words = f"{code} é o seu código do Telecom Chat. Não o informe a ninguém."
    notice = Notice("sms", user["phone"], None, words)
    if services.settings.sign_in_template:
        notice = Notice("whatsapp", user["phone"], None, words, code, str(user["id"]))
    hashed = keyed(services, user["id"], code)
    await tx.db.execute(queries.put_message_code, user["id"], hashed, notice.channel, datetime.now(UTC) + LIFE)
    await notices.put(services, tx, notice, lives=LIFE)


async def check(services: Services, tx: Transaction, user_id: UUID, code: str) -> str | None:
    """The channel by which the code came if it is the right one, which is gone then; else None, and a try is counted."""
    row = await tx.db.fetchrow(queries.try_message_code, user_id, TRIES)
    if row is None or not hmac.compare_digest(row["code_sha256"], keyed(services, user_id, code)):
        return None
    await tx.db.execute(queries.delete_message_code, user_id)
    return str(row["channel"])


async def fall_back(services: Services, tx: Transaction, notice_id: UUID, notice: Notice) -> None:
    """The code of a notice did not leave by WhatsApp, or nobody knows that it arrived: it leaves by SMS if it still counts.

    A code that was used, or that a newer one has ended, leaves no more; one that is no user's (a visitor's of a website) does.
    """
    await tx.db.execute(notices.queries.sent, notice_id)
    assert notice.code is not None  # noqa: S101 - who puts a notice by WhatsApp puts its code
    expires_at: datetime | None = datetime.now(UTC) + LIFE
    if notice.user_id is not None:
        user_id = UUID(notice.user_id)
        hashes = keyed_by_all(services, user_id, notice.code)
        expires_at = await tx.db.fetchval(queries.message_code_by_sms, user_id, hashes)
    if expires_at is None:
        return
    if services.settings.sms_url is None:
        log.warning("code_not_sent", reason="not by WhatsApp, and HUB_SMS_URL is not set")
        return
    by_sms = replace(notice, channel="sms", code=None, user_id=None)
    await notices.put(services, tx, by_sms, lives=expires_at - datetime.now(UTC))
