"""Blue ticks and "typing…": told to Meta at once, because a second later they mean nothing (channel document §3.2)."""

from datetime import UTC, datetime
from uuid import UUID

import structlog

from hub_api.errors import HubError
from hub_api.platform import crypto
from hub_api.platform.services import Services
from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.draft import queries
from hub_api.whatsapp.send.callers import open_callers

log = structlog.get_logger(__name__)


async def mark_read(services: Services, conversation_id: UUID, *, typing: bool) -> bool:
    """Tell Meta that the customer's newest message, and so all before it, is read; `typing` shows for up to 25 s.

    Best effort: True when Meta took it. False when there is nothing of the last 30 days to mark, or Meta refused or did
    not answer; the log says which. It is no reply and opens no window.
    """
    since = datetime.now(UTC) - limits.TOUCHED_WITHIN
    row = await services.db.fetchrow(queries.last_inbound, conversation_id, since)
    if row is None:
        return False
    token = crypto.decrypt(services.settings.secret_key.get_secret_value(), row["token_encrypted"])
    client = (await services.shared(open_callers)).client
    try:
        await client.mark_read(row["phone_number_id"], token, row["wamid"], typing=typing)
    except HubError as error:
        log.warning("read_mark_not_taken", conversation=str(conversation_id), code=error.code)
        return False
    return True
