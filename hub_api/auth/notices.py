"""Mail, SMS and codes by WhatsApp: written in the transaction that wants them, sent by a job, deleted once they have left.

They carry links and codes, so they wait encrypted, and not at all in Redis.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import orjson

from hub_api.platform import sqlfile
from hub_api.platform.crypto import decrypt, encrypt
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "notices.sql")

Channel = Literal["email", "sms", "whatsapp"]
# Who sends what: WhatsApp's job stands above this package, so it is named and not imported.
SENDERS: dict[Channel, str] = {
    "email": "auth.jobs.send_notices",
    "sms": "auth.jobs.send_notices",
    "whatsapp": "whatsapp.codes.jobs.send_codes",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What goes to one address or phone; `subject` for e-mail only. By WhatsApp goes the `code` of a user, in a template."""

    channel: Channel
    to: str
    subject: str | None
    text: str
    code: str | None = None
    user_id: str | None = None


async def put(services: Services, tx: Transaction, notice: Notice, *, lives: timedelta) -> None:
    """Send it after the commit; of no use when `lives` is over, it is deleted unsent."""
    sealed = encrypt(services.settings.secret_key.get_secret_value(), orjson.dumps(asdict(notice)).decode())
    await tx.db.execute(queries.put, uuid7(), notice.channel, sealed, datetime.now(UTC) + lives)
    tx.ring(REGISTRY[SENDERS[notice.channel]])


def unseal(services: Services, sealed: bytes) -> Notice:
    """The notice of a row."""
    return Notice(**orjson.loads(decrypt(services.settings.secret_key.get_secret_value(), sealed)))
