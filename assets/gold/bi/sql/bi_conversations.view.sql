-- Conversations for dashboards: what happened in each, and of nobody in particular
CREATE OR REPLACE VIEW gold.bi_conversations /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    opened_at DateTime64(6, 'UTC') COMMENT 'Opening, UTC',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot',
    channel LowCardinality(String) COMMENT 'Channel',
    priority UInt8 COMMENT '1 low to 5 critical',
    state LowCardinality(String) COMMENT 'Newest state',
    first_response_seconds Nullable(Float64) COMMENT 'Wait for a person, seconds; NULL without one',
    first_answer_seconds Nullable(Float64) COMMENT 'Wait for any answer, seconds; NULL without one',
    messages_in UInt32 COMMENT 'Messages from the customer, count',
    messages_out UInt32 COMMENT 'Messages from us, count',
    is_resolved Bool COMMENT 'Resolved or closed after it',
    resolution_seconds Nullable(Float64) COMMENT 'From opening to resolution, seconds; NULL unless resolved',
    is_bot_only Bool COMMENT 'No person and no queue',
    reopened_count UInt16 COMMENT 'Steps back to work, count',
    satisfaction Nullable(UInt8) COMMENT 'Newest rating, 1 to 5',
    nps Nullable(UInt8) COMMENT 'Newest answer to how much the customer would recommend us, 0 to 10',
    was_resolved Bool COMMENT 'It was resolved at least once',
    is_contained Bool COMMENT 'The customer wrote, and it ended without a queue and without a message by a person'
)
AS
SELECT
    day, opened_at, queue, channel, priority, state, first_response_seconds, first_answer_seconds, messages_in, messages_out,
    is_resolved, resolution_seconds, is_bot_only, reopened_count, satisfaction, nps,
    resolved_at IS NOT NULL AS was_resolved, is_contained
FROM gold.conversation_facts
COMMENT 'Conversations for dashboards: what happened in each, and of nobody in particular';
