"""From a file that a message names to what the send call takes."""

from typing import Any

from hub_api.errors import NotFound
from hub_api.whatsapp.compose.fields import Medium, as_sent


def sendable(medium: Medium) -> dict[str, Any]:
    """The media object of a send call: a link as it is, an id as Meta knows it.

    Our own ids were replaced before (`whatsapp/media/prepare.py`), where a file is uploaded to the number it goes from.
    Raises NotFound for one that was not: Meta would call it a bad parameter, and the message would be lost.
    """
    if medium.id is not None and not medium.id.isdigit():
        raise NotFound(f"there is no file {medium.id}: upload it first, or give Meta's id or a link", media=medium.id)
    return as_sent(medium)
