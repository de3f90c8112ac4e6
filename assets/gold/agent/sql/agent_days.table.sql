CREATE TABLE IF NOT EXISTS gold.agent_days /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    agent_id UUID COMMENT 'Agent',
    first_at DateTime64(6, 'UTC') COMMENT 'First act of the day: a message written, a conversation taken or resolved, UTC',
    last_at DateTime64(6, 'UTC') COMMENT 'Last act of the day, UTC',
    acts UInt32 COMMENT 'Acts of the day, count'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY agent_id
COMMENT 'One row per agent and day with an act. The hub does not record presence: attended time is from the first to the last act';
