CREATE TABLE IF NOT EXISTS gold.backlog_changes /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the step',
    hour DateTime('UTC') COMMENT 'Its hour, UTC; hours begin as they do in HUB_TIMEZONE',
    at DateTime64(6, 'UTC') COMMENT 'When the step was taken, UTC',
    conversation_id UUID COMMENT 'Conversation',
    version Int64 COMMENT 'Version after the step',
    change Int8 COMMENT '1: it came into this queue or to this agent, or was opened; -1: it left, or ended. Summed: conversations open, count',
    customer_id UUID COMMENT 'Customer of the conversation',
    queue LowCardinality(String) COMMENT 'Queue it came into or left; empty for the bot',
    agent_id Nullable(UUID) COMMENT 'Agent it came to or left',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    channel LowCardinality(String) COMMENT 'Channel of the conversation',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) as in conversation_facts',
    region LowCardinality(String) COMMENT 'Region (IBGE) of state_code',
    plan LowCardinality(String) COMMENT 'Plan as in conversation_facts'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toMonday(day)
ORDER BY (day, hour, queue, conversation_id, version)
COMMENT 'Conversations neither resolved nor closed, as their comings and goings: the sum of change up to a moment is the backlog then';
