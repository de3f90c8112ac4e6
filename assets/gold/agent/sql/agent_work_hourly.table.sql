CREATE TABLE IF NOT EXISTS gold.agent_work_hourly /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the hour',
    hour DateTime('UTC') COMMENT 'Start of the hour, UTC; hours begin as they do in HUB_TIMEZONE',
    agent_id UUID COMMENT 'Agent',
    conversation_id UUID COMMENT 'Conversation the agent worked on; zeros for the row of the attended time',
    customer_id UUID COMMENT 'Its customer; zeros for the row of the attended time',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    queue LowCardinality(String) COMMENT 'Last queue of the conversation; empty for the row of the attended time',
    channel LowCardinality(String) COMMENT 'Channel of the conversation',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) as in conversation_facts',
    region LowCardinality(String) COMMENT 'Region (IBGE) of state_code',
    plan LowCardinality(String) COMMENT 'Plan as in conversation_facts',
    attended_micros Int64 COMMENT 'Time from the first to the last act of the agent''s day that lies in the hour, microseconds; on the row without a conversation',
    handling_micros Int64 COMMENT 'Attended time in which the conversation was assigned to the agent, microseconds; parallel conversations count each',
    busy_micros Int64 COMMENT 'The part of it in which no conversation assigned earlier was at work too, microseconds: summed, the time with at least one',
    messages UInt32 COMMENT 'Messages of the agent in it, count',
    taken UInt32 COMMENT 'Times it came to the agent, count',
    resolved UInt32 COMMENT 'Times the agent resolved it, count'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toMonday(day)
ORDER BY (day, hour, agent_id, conversation_id)
COMMENT 'What each agent did for each conversation in each hour, and one row with the attended time';
