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
    reason LowCardinality(String) COMMENT 'Why it was taken'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (conversation_id, version)
COMMENT 'One row per step of a conversation, its opening included';
