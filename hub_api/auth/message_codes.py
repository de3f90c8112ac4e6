"""A code by message, for who has the phone but not the app: six digits, five minutes, five tries."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub_api.auth import notices
from hub_api.auth.second_factor import keyed, queries
from hub_api.errors import Conflict
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

LIFE = timedelta(minutes=5)
TRIES = 5


def possible(services: Services, user: Row) -> bool:
    """Whether a code can reach this user: he has a phone and the hub a way to send SMS."""
    return bool(user["phone"] and services.settings.sms_url)


async def send(services: Services, tx: Transaction, user: Row) -> None:
    """Send a new code, which ends the one before. Raises Conflict when none can reach the user."""
    if not possible(services, user):
        raise Conflict("no code can be sent: the user has no phone, or HUB_SMS_URL is not set")
    code = f"{secrets.randbelow(1_000_000):06d}"
    await tx.db.execute(
        queries.put_message_code, user["id"], keyed(services, user["id"], code), "sms", datetime.now(UTC) + LIFE
    )
    words = f"{code} é o seu código do Telecom Chat. Não o informe a ninguém."
    await notices.put(services, tx, notices.Notice("sms", user["phone"], None, words), lives=LIFE)


async def check(services: Services, tx: Transaction, user_id: UUID, code: str) -> str | None:
    """The channel by which the code came if it is the right one, which is gone then; else None, and a try is counted."""
    row = await tx.db.fetchrow(queries.try_message_code, user_id, TRIES)
    if row is None or not hmac.compare_digest(row["code_sha256"], keyed(services, user_id, code)):
        return None
    await tx.db.execute(queries.delete_message_code, user_id)
    return str(row["channel"])
