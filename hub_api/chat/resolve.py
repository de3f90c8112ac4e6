"""End a conversation: `resolve` (the customer may still come back to it), `close` (for good), `rate` and `recommend` (what it was worth)."""

from datetime import UTC, datetime
from uuid import UUID

from hub_api.chat import conversations
from hub_api.chat.conversations import queries
from hub_api.errors import Invalid, NotFound
from hub_api.events import ConversationRated, ConversationRecommended
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction


async def resolve(
    tx: Transaction,
    conversation_id: UUID,
    *,
    reason: str = "resolved",
    ask_rating: bool = True,
    at: datetime | None = None,
) -> Row:
    """The demand is answered. With `ask_rating` the bot asks how it was. Returns the conversation.

    Resolving twice changes nothing. Raises NotFound, and ForbiddenMove from `closed`.
    """
    at = at or datetime.now(UTC)
    before = await conversations.lock(tx, conversation_id)
    after = await conversations.move(tx, conversation_id, "resolved", reason=reason, at=at)
    await tx.db.execute(queries.end_assignment, conversation_id, at)
    if ask_rating and before["state"] != "resolved":
        await tx.db.execute(queries.ask_bot, conversation_id, "resolved")
    return after


async def close(tx: Transaction, conversation_id: UUID, *, reason: str = "closed", at: datetime | None = None) -> Row:
    """The conversation ends for good: what the customer writes next opens another. Raises NotFound."""
    at = at or datetime.now(UTC)
    after = await conversations.move(tx, conversation_id, "closed", reason=reason, at=at)
    await tx.db.execute(queries.end_assignment, conversation_id, at)
    return after


async def rate(tx: Transaction, conversation_id: UUID, satisfaction: int, *, at: datetime | None = None) -> None:
    """The customer's satisfaction, 1 (worst) to 5; the last word counts. Raises NotFound, and Invalid outside 1 to 5."""
    if not 1 <= satisfaction <= 5:
        raise Invalid(f"satisfaction is 1 to 5, not {satisfaction}")
    at = at or datetime.now(UTC)
    row = await tx.db.fetchrow(queries.rate, conversation_id, satisfaction, at)
    if row is None:
        raise NotFound(f"there is no conversation {conversation_id}", conversation_id=str(conversation_id))
    tx.emit(
        ConversationRated(
            aggregate_id=conversation_id,
            aggregate_version=row["version"],
            occurred_at=at,
            customer_id=row["customer_id"],
            satisfaction=satisfaction,
        )
    )


async def recommend(tx: Transaction, conversation_id: UUID, score: int, *, at: datetime | None = None) -> None:
    """How much the customer would recommend us after it, 0 to 10 (NPS: Reichheld, 2003); the last word counts. Raises NotFound,
    and Invalid outside 0 to 10."""
    if not 0 <= score <= 10:
        raise Invalid(f"a recommendation is 0 to 10, not {score}")
    if (await conversations.lock(tx, conversation_id))["nps"] == score:
        return  # said twice, as a form that was sent again
    at = at or datetime.now(UTC)
    (row,) = await tx.db.fetch(queries.recommend, conversation_id, score, at)
    tx.emit(
        ConversationRecommended(
            aggregate_id=conversation_id,
            aggregate_version=row["version"],
            occurred_at=at,
            customer_id=row["customer_id"],
            score=score,
        )
    )
