"""From the id of a file to what the send call takes."""

from typing import Any
from uuid import UUID

from hub_api.errors import NotFound
from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.compose.fields import Medium, as_sent


async def sendable(tx: Transaction, conversation_id: UUID, medium: Medium) -> dict[str, Any]:
    """The media object of a send call from the number of this conversation: `link` as it is, `id` as Meta knows it.

    The one place where a media id is resolved. Raises NotFound for an id of ours that no file has.
    """
    if medium.id is not None and not medium.id.isdigit():
        raise NotFound(f"there is no file {medium.id}: upload it first, or give Meta's id or a link", media=medium.id)
    return as_sent(medium)
