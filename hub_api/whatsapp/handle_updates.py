"""What concerns no conversation: wishes set in the app, and news of the channel, which are kept, shown and partly applied."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from hub_api.chat import consent
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.handle_fold import Letter
from hub_api.whatsapp.inbound import ChannelError, Preference, Update
from hub_api.whatsapp.pool import news as pool_news
from hub_api.whatsapp.send.meta import Refusal
from hub_api.whatsapp.send.reactions import react_to_number
from hub_api.whatsapp.templates import news as templates_news

queries = sqlfile.load(__package__, "handle.sql")

# Under which name an item that is no management field is kept.
_FIELDS = {
    "status": "messages.statuses",
    "error": "messages.errors",
    "user_action": "messages.user_actions",
    "call": "calls",
    "call_status": "calls.statuses",
    "history_error": "history.errors",
    "state_sync": "smb_app_state_sync",
}


async def prefer(tx: Transaction, preferences: Sequence[tuple[UUID, Preference, datetime]]) -> None:
    """Record what people chose in the app about marketing: `stop`, `resume` or `signup`."""
    for customer_id, preference, at in preferences:
        if preference.value not in ("stop", "resume", "signup"):
            continue
        evidence = {"value": preference.value, "category": preference.category, "signup_id": preference.signup_id}
        await consent.record(
            tx,
            customer_id,
            "marketing",
            granted=preference.value != "stop",
            source="meta_preference",
            evidence={name: value for name, value in evidence.items() if value},
            occurred_at=at,
        )


async def keep(tx: Transaction, letters: Sequence[Letter]) -> None:
    """Store every update with its value; what it says of templates, numbers, accounts and flows is applied at once."""
    if not letters:
        return
    rows = []
    for letter in letters:
        update = letter.inbound
        applied = False
        if isinstance(update, Update):
            applied = await templates_news.apply(tx, update) or await pool_news.apply(tx, update)
        elif isinstance(update, ChannelError) and letter.number_id:
            refusals = [Refusal(fault.code, fault.title or "", fault.details or "") for fault in update.faults]
            applied = await react_to_number(tx, letter.number_id, refusals, letter.time.at)
        rows.append(
            (
                uuid7(),
                letter.row["webhook_id"],
                update.field if isinstance(update, Update) else _FIELDS.get(letter.row["kind"], letter.row["kind"]),
                letter.row["phone_number_id"],
                letter.row["waba_id"],
                _value(letter),
                datetime.now(UTC) if applied else None,
            )
        )
    await tx.db.execute(queries.insert_updates, *zip(*rows, strict=True))


def _value(letter: Letter) -> Any:
    if isinstance(letter.inbound, Update):
        return letter.inbound.value
    return orjson.loads(letter.row["payload"])["data"]
