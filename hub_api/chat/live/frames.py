"""What a socket is sent, as JSON text: rows as they are now, written once for all who may see the same."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from hub_api.auth.principal import Principal
from hub_api.chat import views
from hub_api.chat.live.position import Position, cursor_of
from hub_api.chat.live.tail import queries
from hub_api.chat.shown import conversation_for, message_for
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

INBOX = '{"type":"conversation","stream":"inbox","cursor":"$cursor","data":%s}'
GONE = '{"type":"gone","stream":"inbox","cursor":"$cursor","id":"%s"}'
MESSAGE = '{"type":"message","stream":"conversation","id":"%s","cursor":"$cursor","data":%s}'
LEFT = '{"type":"gone","stream":"conversation","cursor":"$cursor","id":"%s"}'


Frame = tuple[str, tuple[Any, ...]]  # a template with its values


def frame(**fields: Any) -> str:
    """Any other frame."""
    return orjson.dumps(fields, default=str).decode()


class Batch:
    """The rows that a batch of events concerns, and their JSON by who may see it."""

    def __init__(self, conversations: Mapping[UUID, Row], messages: Mapping[UUID, list[Row]]) -> None:
        self.conversations, self.messages = conversations, messages
        self._written: dict[tuple[UUID, bool], list[str]] = {}

    def conversation(self, conversation_id: UUID, reader: Principal, sees_all: bool) -> str:
        """The conversation as JSON for this reader."""
        return self._once(conversation_id, reader, sees_all, conversation_for, [self.conversations[conversation_id]])[0]

    def messages_of(self, conversation_id: UUID, reader: Principal, sees_all: bool) -> list[str]:
        """Its new and changed messages as JSON for this reader, oldest first."""
        rows = self.messages.get(conversation_id, [])
        return self._once(rows[0]["id"], reader, sees_all, message_for, rows) if rows else []

    def _once(self, key: UUID, reader: Principal, sees_all: bool, shown: Any, rows: list[Row]) -> list[str]:
        if (key, sees_all) not in self._written:
            self._written[key, sees_all] = [shown(reader, row).model_dump_json() for row in rows]
        return self._written[key, sees_all]


async def load(services: Services, conversations: Collection[UUID], messages: Mapping[UUID, Collection[UUID]]) -> Batch:
    """The rows as they are now; messages of several conversations at once."""
    rows = await services.db.fetch(queries.conversations, list(conversations)) if conversations else []
    found = await asyncio.gather(*(views.messages_by_id(services, one, list(ids)) for one, ids in messages.items()))
    return Batch({row["id"]: row for row in rows}, dict(zip(messages, found, strict=True)))


def progress(before: Position, after: Position, frames: Sequence[Frame]) -> list[str]:
    """Frames with their cursors filled in: only the last one moves on, so that one cut off in between loses nothing."""
    if not frames:
        return []
    *first, (template, values) = frames
    stay, move = cursor_of(before), cursor_of(after)
    return [_filled(one, given, stay) for one, given in first] + [_filled(template, values, move)]


def _filled(template: str, values: tuple[Any, ...], cursor: str) -> str:
    return template.replace("$cursor", cursor, 1) % values
