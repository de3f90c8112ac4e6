"""Mail and SMS to users: written in the transaction that wants them, sent by a job, and deleted once they have left.

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


@dataclass(frozen=True, slots=True)
class Notice:
    """What goes to one address or phone; `subject` for e-mail only."""

    channel: Literal["email", "sms"]
    to: str
    subject: str | None
    text: str


async def put(services: Services, tx: Transaction, notice: Notice, *, lives: timedelta) -> None:
    """Send it after the commit; of no use when `lives` is over, it is deleted unsent."""
    sealed = encrypt(services.settings.secret_key.get_secret_value(), orjson.dumps(asdict(notice)).decode())
    await tx.db.execute(queries.put, uuid7(), notice.channel, sealed, datetime.now(UTC) + lives)
    tx.ring(REGISTRY["auth.jobs.send_notices"])


def unseal(services: Services, sealed: bytes) -> Notice:
    """The notice of a row."""
    return Notice(**orjson.loads(decrypt(services.settings.secret_key.get_secret_value(), sealed)))
