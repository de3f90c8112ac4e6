CREATE TABLE IF NOT EXISTS gold.service_kpi_hourly /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the hour',
    hour DateTime('UTC') COMMENT 'Start of the hour, UTC; hours begin as they do in HUB_TIMEZONE',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot. Messages, steps and backlog: the queue at that moment; opened conversations: their last queue',
    messages_in UInt32 COMMENT 'Customers'' messages written in the hour, count',
    messages_out UInt32 COMMENT 'Our messages queued in the hour that neither failed nor were cancelled, count',
    conversations_opened UInt32 COMMENT 'Conversations opened in the hour, count',
    first_response_count UInt32 COMMENT 'Of those opened in the hour, answered by a person so far, count',
    first_response_seconds_sum Float64 COMMENT 'Sum of their first_response_seconds (customer''s first message to the first one by a person), seconds',
    first_response_seconds_median Nullable(Float64) COMMENT 'quantileExactInclusive(0.5) of them, seconds; NULL without one',
    first_response_seconds_p90 Nullable(Float64) COMMENT 'quantileExactInclusive(0.9) of them, seconds; NULL without one',
    first_answer_count UInt32 COMMENT 'Of those opened in the hour, answered by anyone (bot included) so far, count',
    first_answer_seconds_sum Float64 COMMENT 'Sum of their first_answer_seconds, seconds',
    first_answer_seconds_median Nullable(Float64) COMMENT 'quantileExactInclusive(0.5) of them, seconds; NULL without one',
    first_answer_seconds_p90 Nullable(Float64) COMMENT 'quantileExactInclusive(0.9) of them, seconds; NULL without one',
    resolved_count UInt32 COMMENT 'Of those opened in the hour, resolved so far and not at work again, count',
    resolution_rate Nullable(Float64) COMMENT 'resolved_count / conversations_opened, those that we began included (gold.kpi_resolution_rate: in which the customer wrote), 0 to 1; NULL when none was opened',
    satisfaction_count UInt32 COMMENT 'Of those opened in the hour, rated by the customer, count',
    satisfaction_sum UInt32 COMMENT 'Sum of their ratings, 1 to 5 each',
    resolutions UInt32 COMMENT 'Steps to resolved taken in the hour, whenever the conversation was opened, count',
    reopened UInt32 COMMENT 'Steps out of resolved back to bot, queued or assigned taken in the hour, count',
    backlog UInt32 COMMENT 'Conversations neither resolved nor closed at the end of the hour, count',
    backlog_waiting UInt32 COMMENT 'Those of the backlog in state queued, that is waiting for a person, count'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toMonday(day)
ORDER BY (day, hour, queue)
COMMENT 'Service figures by hour and queue; only hours with something to count, up to the hour of the newest event';
