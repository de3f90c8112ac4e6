CREATE TABLE IF NOT EXISTS gold.agent_kpi_hourly /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the hour',
    hour DateTime('UTC') COMMENT 'Start of the hour, UTC; hours begin as they do in HUB_TIMEZONE',
    agent_id UUID COMMENT 'Agent',
    conversations UInt32 COMMENT 'Conversations the agent had or wrote in, count',
    taken UInt32 COMMENT 'Conversations that came to the agent, count',
    resolved UInt32 COMMENT 'Conversations the agent resolved, count',
    messages UInt32 COMMENT 'Messages the agent wrote that neither failed nor were cancelled, count',
    attended_seconds Float64 COMMENT 'Time between the first and the last act of the agent''s day that lies in the hour, seconds',
    handling_seconds Float64 COMMENT 'Attended time with each conversation assigned to the agent, parallel ones counted each, seconds',
    busy_seconds Float64 COMMENT 'Attended time with at least one conversation assigned to the agent, seconds',
    occupancy Nullable(Float64) COMMENT 'busy_seconds / attended_seconds, 0 to 1; NULL without attended time'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (hour, agent_id)
COMMENT 'Figures of each agent by hour; only hours with something to count';
