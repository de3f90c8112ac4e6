"""A person (or a program in a person's place) writes to the customer of a conversation."""

from datetime import UTC, datetime
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.outgoing import Draft, queue_message
from hub_api.errors import Conflict
from hub_api.platform.postgres import Transaction


class WindowClosed(Conflict):
    """More than 24 h since the customer last wrote or called: only templates may go out (channel document §4.1)."""

    code = "window_closed"


class ConversationClosed(Conflict):
    """The conversation has ended; a template in a new one is how to reach the customer again."""

    code = "conversation_closed"


async def reply(tx: Transaction, conversation_id: UUID, draft: Draft) -> UUID:
    """Queue `draft`; an agent who has the conversation now waits for the customer. Returns the message's id.

    Raises NotFound, ConversationClosed, and WindowClosed for anything but a template outside the 24 h window.
    """
    conversation = await conversations.lock(tx, conversation_id)
    if conversation["state"] == "closed":
        raise ConversationClosed(
            f"conversation {conversation['protocol']} is closed", conversation_id=str(conversation_id)
        )
    if draft.type != "template" and not conversations.window_open(conversation, datetime.now(UTC)):
        raise WindowClosed(
            f"the customer of conversation {conversation['protocol']} last wrote more than 24 h ago: send a template",
            conversation_id=str(conversation_id),
        )
    message_id = await queue_message(tx, conversation_id, draft)
    if conversation["state"] == "assigned":
        await conversations.move(tx, conversation_id, "waiting_customer", reason="replied")
    return message_id
