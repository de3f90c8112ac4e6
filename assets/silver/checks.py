"""silver has one row per message and conversation that bronze speaks of."""

from assets.checks import expectations
from assets.silver.assets import conversations, message_labels, messages

messages_expectations = expectations(
    messages,
    "silver.messages",
    "SELECT uniqExact(aggregate_id) FROM bronze.events WHERE day IN {days:Array(Date)} "
    "AND type IN ('message.received', 'message.queued', 'message.echoed')",
)
# Words by the events themselves: as last edited, and not taken back.
labels_expectations = expectations(
    message_labels,
    "silver.message_labels",
    "SELECT uniqExact(day, aggregate_id, JSONExtractString(label, 'teacher')) FROM bronze.events "
    "WHERE day IN {days:Array(Date)} AND type = 'message.labelled' AND aggregate_id IN ("
    "SELECT aggregate_id FROM bronze.events WHERE type IN ('message.received', 'message.edited', 'message.revoked') AND aggregate_id IN "
    "(SELECT aggregate_id FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'message.labelled') "
    "GROUP BY aggregate_id HAVING countIf(type = 'message.revoked') = 0 AND trimBoth(ifNull("
    "argMaxIf(tuple(content), aggregate_version, type IN ('message.received', 'message.edited')).1, '')) != '')",
)
conversations_expectations = expectations(
    conversations,
    "silver.conversations",
    "SELECT uniqExact(aggregate_id) FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'conversation.opened'",
)
