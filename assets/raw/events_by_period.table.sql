-- Which conversations got events in which quarter of an hour, and by which batch: from it follows which days must be
-- rebuilt (assets/gold/sql/stale_days.sql). A quarter of an hour divides the days of every time zone.
CREATE TABLE IF NOT EXISTS raw.events_by_period /*ON CLUSTER*/
(
    conversation_id UUID COMMENT 'Conversation; zero for events that belong to none',
    period DateTime('UTC') COMMENT 'Start of the quarter of an hour of event_time, UTC',
    events SimpleAggregateFunction(sum, UInt64) COMMENT 'Events, count',
    last_batch SimpleAggregateFunction(max, UInt64) COMMENT 'Newest relay batch among them',
    last_state_batch SimpleAggregateFunction(max, UInt64) COMMENT 'Newest relay batch with an opening or a change of state among them; 0 when there is none'
)
ENGINE = /*Replicated*/AggregatingMergeTree
ORDER BY (conversation_id, period)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Newest batch per conversation and quarter of an hour';

CREATE MATERIALIZED VIEW IF NOT EXISTS raw.events_by_period_view /*ON CLUSTER*/ TO raw.events_by_period
AS SELECT
    conversation_id,
    toStartOfFifteenMinutes(toDateTime(event_time, 'UTC')) AS period,
    count() AS events,
    max(batch) AS last_batch,
    max(if(type IN ('conversation.opened', 'conversation.state_changed'), batch, 0)) AS last_state_batch
FROM raw.events
GROUP BY conversation_id, period;
