CREATE TABLE IF NOT EXISTS gold.conversation_facts /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the opening',
    conversation_id UUID COMMENT 'Conversation; each once',
    customer_id UUID COMMENT 'Customer at the opening',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    channel LowCardinality(String) COMMENT 'whatsapp, import and so on',
    queue LowCardinality(String) COMMENT 'Last queue; empty when it never left the bot',
    agent_id Nullable(UUID) COMMENT 'Last agent',
    priority UInt8 COMMENT '1 low to 5 critical',
    state LowCardinality(String) COMMENT 'Newest state',
    opened_at DateTime64(6, 'UTC') COMMENT 'Opening, UTC',
    first_customer_message_at Nullable(DateTime64(6, 'UTC')) COMMENT 'The customer''s first message, UTC; NULL when the customer never wrote',
    first_response_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First message by a person (agent or phone_app) at or after first_customer_message_at, UTC',
    first_response_seconds Nullable(Float64) COMMENT 'first_response_at - first_customer_message_at, seconds; NULL without an answer by a person',
    first_answer_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First message by anyone but a campaign at or after first_customer_message_at, UTC',
    first_answer_seconds Nullable(Float64) COMMENT 'first_answer_at - first_customer_message_at, seconds; NULL without an answer',
    messages_in UInt32 COMMENT 'Messages from the customer, count',
    messages_out UInt32 COMMENT 'Messages from us that neither failed nor were cancelled, count',
    messages_person UInt32 COMMENT 'Those of messages_out by a person, count',
    last_message_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last message of either side, UTC',
    queued_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First time in a queue, UTC',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last resolution, UTC',
    is_resolved Bool COMMENT 'It was resolved, and its newest state is resolved or closed',
    resolution_seconds Nullable(Float64) COMMENT 'resolved_at - opened_at, seconds; NULL unless is_resolved',
    is_bot_only Bool COMMENT 'No queue was ever named and no person ever wrote',
    reopened_count UInt16 COMMENT 'Steps out of resolved back to work, count',
    satisfaction Nullable(UInt8) COMMENT 'Newest rating by the customer, 1 to 5'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (opened_at, conversation_id)
COMMENT 'One row per conversation. Medians and percentiles: quantileExactInclusive (linear interpolation, as numpy and pandas do by default)';
