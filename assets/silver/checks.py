"""silver has one row per message and conversation that bronze speaks of."""

from assets.checks import expectations
from assets.silver.assets import conversations, messages

messages_expectations = expectations(
    messages,
    "silver.messages",
    "SELECT uniqExact(aggregate_id) FROM bronze.events WHERE day IN {days:Array(Date)} "
    "AND type IN ('message.received', 'message.queued', 'message.echoed')",
)
conversations_expectations = expectations(
    conversations,
    "silver.conversations",
    "SELECT uniqExact(aggregate_id) FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'conversation.opened'",
)
