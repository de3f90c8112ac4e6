CREATE TABLE IF NOT EXISTS silver.conversations /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the opening',
    conversation_id UUID COMMENT 'Conversation; each once',
    customer_id UUID COMMENT 'Customer at the opening',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    protocol String COMMENT 'Protocol number told to the customer',
    channel LowCardinality(String) COMMENT 'whatsapp, import and so on',
    priority UInt8 COMMENT 'Priority at the opening, 1 low to 5 critical',
    previous_id Nullable(UUID) COMMENT 'Earlier conversation that this one continues',
    opened_at DateTime64(6, 'UTC') COMMENT 'Opening, UTC',
    state LowCardinality(String) COMMENT 'Newest state by version',
    queue LowCardinality(String) COMMENT 'Last queue named; empty when it never left the bot',
    agent_id Nullable(UUID) COMMENT 'Last agent named',
    queued_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First time in a queue, UTC',
    assigned_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First time with an agent, UTC',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last resolution, UTC; NULL when never resolved',
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Closing, UTC',
    reopened_count UInt16 COMMENT 'Steps out of resolved back to work, count',
    satisfaction Nullable(UInt8) COMMENT 'Newest rating by the customer, 1 to 5',
    rated_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was given, UTC',
    nps Nullable(UInt8) COMMENT 'Newest answer to how much the customer would recommend us, 0 to 10; NULL without one',
    recommended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When that was answered, UTC',
    version Int64 COMMENT 'Newest version folded in'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (conversation_id)
COMMENT 'One row per conversation: its state folded from its events by version';

-- Warehouses older than the columns get them; days built before say nothing in them until they are built again.
ALTER TABLE silver.conversations /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS nps Nullable(UInt8) COMMENT 'Newest answer to how much the customer would recommend us, 0 to 10; NULL without one' AFTER rated_at,
    ADD COLUMN IF NOT EXISTS recommended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When that was answered, UTC' AFTER nps;
