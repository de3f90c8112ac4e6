CREATE TABLE IF NOT EXISTS gold.sla_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the conversations'' opening',
    queue LowCardinality(String) COMMENT 'Last queue; empty for the bot',
    priority UInt8 COMMENT '1 low to 5 critical',
    promise LowCardinality(String) COMMENT 'first_response (business time) or resolution (calendar time)',
    target_seconds UInt32 COMMENT 'What was promised when the day was built (HUB_SLA_…), seconds',
    conversations UInt32 COMMENT 'Conversations in which the customer wrote, count',
    kept UInt32 COMMENT 'Of those, with the promise kept, count',
    broken UInt32 COMMENT 'Of those, with the promise broken, count',
    undecided UInt32 COMMENT 'Of those, neither kept nor broken yet, or not concerned, count',
    kept_share Nullable(Float64) COMMENT 'kept / (kept + broken), 0 to 1; NULL when none is decided',
    seconds_p90 Nullable(Float64) COMMENT 'quantileExactInclusive(0.9) of the time taken, in the promise''s kind of time, seconds; NULL without one'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (queue, priority, promise)
COMMENT 'Promises kept, by day, queue and priority';
