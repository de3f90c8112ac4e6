"""An agent takes the next conversation of the line by himself."""

from datetime import UTC, datetime
from uuid import UUID

from hub_api.auth.principal import Principal
from hub_api.chat.assign import Why, assign_locked
from hub_api.chat.conversations import queries as conversation_queries
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "take.sql")


async def take_next(tx: Transaction, who: Principal, user_id: UUID, queue: str | None = None) -> UUID | None:
    """Give the user the conversation that waits first, of `queue` (its key) or of all that the caller sees; None: nobody waits.

    As by hand: skills and free slots are the taker's own business. Of two who ask at once each gets another conversation.
    """
    await tx.db.fetchval(conversation_queries.lock_agent, user_id)  # before his conversations, as the router locks
    conversation_id: UUID | None = await tx.db.fetchval(queries.first_waiting, *who.scope, queue)
    if conversation_id is not None:
        await assign_locked(tx, conversation_id, user_id, Why("taken_next"), datetime.now(UTC))
    return conversation_id
