"""Before a message is queued: the files it names by our ids become Meta's ids, and are remembered as the message's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from hub_api.auth.principal import Principal
from hub_api.errors import Conflict
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.compose.fields import DocumentFile, Medium
from hub_api.whatsapp.media.check import FileRefused
from hub_api.whatsapp.media.upload import find_visible, meta_media_id, queries, require_stored

M = TypeVar("M", bound=BaseModel)


class NoNumber(Conflict):
    """The conversation has no number of ours: a file has to be uploaded to one."""

    code = "conversation_without_number"


@dataclass(frozen=True, slots=True)
class Ready:
    """One of our files as a message names it to Meta."""

    meta_id: str
    filename: str | None


async def prepare(services: Services, caller: Principal, conversation_id: UUID, message: M) -> tuple[M, list[UUID]]:
    """`message` with Meta's ids in place of ours, and the ids of our files in it.

    Uploads what the conversation's number does not have yet, so that sending never waits for a file. Raises NotFound (also for
    a file that `caller` does not see),
    NotSendable, FileRefused (an audio where an image is wanted), NoNumber, RejectedByMeta, Unavailable.
    """
    wanted = {media.id: media.kind for media in _media_in(message) if media.id and "-" in media.id}
    if not wanted:
        return message, []
    place = await services.db.fetchrow(queries.number_of_conversation, conversation_id)
    on_site = place is not None and place["channel"] == "site"
    if place is None or (place["number_id"] is None and not on_site):
        raise NoNumber(f"conversation {conversation_id} has no WhatsApp number from which a file could be sent")
    ready: dict[str, Ready] = {}
    for text, kind in wanted.items():
        media = await find_visible(services, caller, UUID(text))
        if media["kind"] != kind:
            fault = f"media {text} is of kind {media['kind']}, and the message wants {kind}"
            raise FileRefused(fault, errors=[{"field": f"body.{kind}.id", "message": fault}])
        if on_site:  # the visitor reads it here; our id as a number, since what is composed has Meta's, which are
            ready[text] = Ready(str(require_stored(media)["id"].int), media["filename"])
        else:
            ready[text] = Ready(await meta_media_id(services, media["id"], place["number_id"]), media["filename"])
    return _replaced(message, ready), [UUID(text) for text in wanted]


async def attach(tx: Transaction, conversation_id: UUID, message_id: UUID, media_ids: list[UUID]) -> None:
    """Remember that a queued message shows these files."""
    if media_ids:
        await tx.db.execute(queries.attach, message_id, media_ids, conversation_id)


def _media_in(value: Any) -> list[Medium]:
    if isinstance(value, Medium):
        return [value]
    if isinstance(value, BaseModel):
        return [media for name in type(value).model_fields for media in _media_in(getattr(value, name))]
    return [media for item in value for media in _media_in(item)] if isinstance(value, list | tuple) else []


def _replaced(value: Any, ready: Mapping[str, Ready]) -> Any:
    if isinstance(value, Medium):
        if value.id is None or value.id not in ready:
            return value
        found = ready[value.id]
        named = isinstance(value, DocumentFile) and value.filename is None and found.filename is not None
        return value.model_copy(update={"id": found.meta_id, **({"filename": found.filename} if named else {})})
    if isinstance(value, BaseModel):
        changed = {name: _replaced(getattr(value, name), ready) for name in type(value).model_fields}
        return value.model_copy(update={n: v for n, v in changed.items() if v is not getattr(value, n)})
    if isinstance(value, list | tuple):
        items = [_replaced(item, ready) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value
