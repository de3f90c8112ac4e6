"""Messages of ours: every author (bot, agent, campaign, program) puts them into the outbox through `queue_message`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.errors import NotFound
from hub_api.events import MessageQueued, MessageStateChanged
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.metrics import response_time
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "outgoing.sql")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be sent: `body` is the object the Cloud API expects under the key `type`, `content` what people read.

    `priority`: 0 human reply, 1 bot and authentication, 2 utility, 3 marketing. `reply_to`: the wamid to quote.
    `template`, `campaign_id` and `variant` (of the campaign's test) are for the events. `author_id`: the agent.
    """

    type: str
    body: dict[str, Any] | list[dict[str, Any]]
    content: str | None
    author: str = "bot"
    author_id: UUID | None = None
    category: str = "service"
    priority: int = 1
    reply_to: str | None = None
    template: str | None = None
    campaign_id: UUID | None = None
    variant: str | None = None

    def payload(self) -> dict[str, Any]:
        """The part of the send call that does not depend on the recipient."""
        payload: dict[str, Any] = {"type": self.type, self.type: self.body}
        if self.reply_to:
            payload["context"] = {"message_id": self.reply_to}
        return payload


def text(content: str, **options: Any) -> Draft:
    """A plain text message (at most 4,096 characters at Meta); `options` are further fields of Draft."""
    return Draft("text", {"body": content, "preview_url": False}, content, **options)


async def queue_message(tx: Transaction, conversation_id: UUID, draft: Draft) -> UUID:
    """Put `draft` into the outbox of its conversation; the sender's bell rings after the commit. Returns the message's id.

    On the website's chat there is nobody to send it to later: it is sent with the commit, by the visitor's stream.

    The conversation remembers the time and, when the customer was waiting, how long the answer took. Raises NotFound
    when there is no such conversation.
    """
    # The clock of this process and not now(): two messages of one transaction leave in the order they were queued.
    now = datetime.now(UTC)
    message_id = uuid7(int(now.timestamp() * 1000))
    row = await tx.db.fetchrow(
        queries.queue_message,
        conversation_id,
        message_id,
        now,
        draft.author,
        draft.author_id,
        draft.type,
        draft.content,
        draft.payload(),
        draft.reply_to,
        draft.category,
        draft.priority,
    )
    if row is None:
        raise NotFound(f"conversation {conversation_id} does not exist, so nothing was queued for it")
    if row["waited_s"] is not None:
        response_time.observe(row["waited_s"])
    tx.emit(
        MessageQueued(
            aggregate_id=message_id,
            aggregate_version=1,
            occurred_at=now,
            conversation_id=conversation_id,
            customer_id=row["customer_id"],
            message_type=draft.type,
            content=draft.content,
            author=draft.author,
            author_id=draft.author_id,
            category=draft.category,
            shard=row["shard"],
            number_id=row["number_id"],
            template=draft.template,
            campaign_id=draft.campaign_id,
            variant=draft.variant,
        )
    )
    if row["channel"] == "site":
        tx.emit(
            MessageStateChanged(
                aggregate_id=message_id,
                aggregate_version=2,
                occurred_at=now,
                conversation_id=conversation_id,
                customer_id=row["customer_id"],
                from_state="queued",
                to_state="sent",
            )
        )
    return message_id
