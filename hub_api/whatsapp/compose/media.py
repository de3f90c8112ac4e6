"""From the id of a file to what the send call takes."""

from typing import Any

from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.compose.fields import Medium, as_sent


async def sendable(tx: Transaction, medium: Medium) -> dict[str, Any]:
    """The media object of a send call: `link` as it is, `id` as Meta knows it.

    The one place where a media id is resolved.
    """
    return as_sent(medium)
