"""Notes on a conversation that only we see, with mentions of colleagues."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat import conversations
from hub_api.chat.desk.put_off import queries
from hub_api.errors import Invalid
from hub_api.events import ConversationNoted
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services


async def add_note(
    tx: Transaction, who: Principal, conversation_id: UUID, text: str, mentions: Sequence[UUID] = ()
) -> UUID:
    """A note; its id. Whoever is mentioned finds it among his mentions, if he sees the conversation.

    Raises NotFound, Invalid for a mention of somebody who is no active user.
    """
    conversation = await conversations.lock(tx, conversation_id)
    named = list(dict.fromkeys(mentions))
    if strangers := [str(row["id"]) for row in await tx.db.fetch(queries.inactive_users, named)]:
        message = f"no active users: {', '.join(strangers)}"
        raise Invalid(message, errors=[{"field": "body.mentions", "message": message}])
    note_id = uuid7()
    await tx.db.execute(queries.insert_note, note_id, conversation_id, who.user_id, text, named)
    tx.emit(
        ConversationNoted(
            aggregate_id=conversation_id,
            aggregate_version=conversation["version"],
            occurred_at=datetime.now(UTC),
            customer_id=conversation["customer_id"],
            note_id=note_id,
            author_id=who.user_id,
            mentions=tuple(named),
        )
    )
    after = {"mentions": [str(one) for one in named]}
    await audit.write(tx, who, "conversation.noted", "conversation", conversation_id, after=after)
    return note_id


async def list_notes(services: Services, conversation_id: UUID, *, limit: int, cursor: str | None) -> Rows:
    """Newest first. Raises Invalid for a foreign cursor."""
    rows = await services.db.fetch(queries.list_notes, conversation_id, *read_cursor(cursor, UUID), limit + 1)
    return page(rows, limit, "id")


async def list_mentions(services: Services, caller: Principal, *, limit: int, cursor: str | None) -> Rows:
    """Notes that name the caller, of conversations that he sees, newest first. Raises Invalid for a foreign cursor."""
    rows = await services.db.fetch(queries.list_mentions, *caller.scope, *read_cursor(cursor, UUID), limit + 1)
    return page(rows, limit, "id")
