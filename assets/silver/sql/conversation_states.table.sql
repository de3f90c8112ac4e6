CREATE TABLE IF NOT EXISTS silver.conversation_states /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the step',
    conversation_id UUID COMMENT 'Conversation',
    version Int64 COMMENT 'Version after the step; steps follow each other by it',
    at DateTime64(6, 'UTC') COMMENT 'When the step was taken, UTC',
    state LowCardinality(String) COMMENT 'State after it: bot, queued, assigned, waiting_customer, resolved or closed',
    previous_state LowCardinality(String) COMMENT 'State before it; empty at the opening',
    queue LowCardinality(String) COMMENT 'Queue after it: the last one named; empty while none was',
    previous_queue LowCardinality(String) COMMENT 'Queue before it',
    agent_id Nullable(UUID) COMMENT 'Agent that the step names',
    holder_id Nullable(UUID) COMMENT 'Agent who has the conversation after the step: the last one named, in assigned and waiting_customer',
    previous_holder_id Nullable(UUID) COMMENT 'Agent who had it before the step',
    reason LowCardinality(String) COMMENT 'Why it was taken'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (conversation_id, version)
COMMENT 'One row per step of a conversation, its opening included';

-- Warehouses older than the columns get them; days built before know no holder until they are built again.
ALTER TABLE silver.conversation_states /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS holder_id Nullable(UUID) COMMENT 'Agent who has the conversation after the step: the last one named, in assigned and waiting_customer' AFTER agent_id,
    ADD COLUMN IF NOT EXISTS previous_holder_id Nullable(UUID) COMMENT 'Agent who had it before the step' AFTER holder_id;
