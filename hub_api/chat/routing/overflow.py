"""What happens to who waits too long: his queue's neighbour gets him (overflow), or he becomes more urgent (escalation).

Both clocks run from his coming into this queue, in the queue's hours only: at night nobody is late.
"""

from datetime import UTC, datetime

from hub_api.chat.hours import hours_of
from hub_api.chat.routing.claim import queries
from hub_api.chat.transfer import transfer
from hub_api.events import ConversationPrioritised
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

BATCH = 100


async def overflow(services: Services) -> int:
    """Move those past their queue's patience to its overflow queue, at their place in line; how many were looked at."""
    found = await services.db.fetch(queries.past_overflow, BATCH)
    for row in filter(lambda one: _is_open(services, one), found):
        async with services.transaction() as tx:
            waiting = await tx.db.fetch(queries.lock_past_overflow, row["id"])
            if waiting:
                await transfer(tx, row["id"], row["key"], reason="overflow")
    return len(found)


async def escalate(services: Services) -> int:
    """Raise the priority of those past their queue's limit, once; how many were looked at."""
    found = await services.db.fetch(queries.past_escalation, BATCH)
    for row in filter(lambda one: _is_open(services, one), found):
        async with services.transaction() as tx:
            after = await tx.db.fetchrow(queries.escalate, row["id"], row["escalate_to"])
            if after is not None:
                tx.emit(
                    ConversationPrioritised(
                        aggregate_id=row["id"],
                        aggregate_version=after["version"],
                        occurred_at=datetime.now(UTC),
                        customer_id=after["customer_id"],
                        from_priority=after["from_priority"],
                        priority=row["escalate_to"],
                        reason="waited",
                    )
                )
    return len(found)


def _is_open(services: Services, row: Row) -> bool:
    hours = hours_of(services.settings, row["business_hours"], holidays_closed=row["holidays_closed"])
    return hours.is_open(datetime.now(UTC))
