-- Service figures for dashboards: what may be added up, by hour and queue
CREATE OR REPLACE VIEW gold.bi_service_hourly /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    hour DateTime('UTC') COMMENT 'Start of the hour, UTC',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot',
    messages_in UInt32 COMMENT 'Customers'' messages, count',
    messages_out UInt32 COMMENT 'Our messages, count',
    conversations_opened UInt32 COMMENT 'Conversations opened, count',
    first_response_count UInt32 COMMENT 'Of those, answered by a person, count',
    first_response_seconds_sum Float64 COMMENT 'Sum of their wait for a person, seconds',
    first_answer_count UInt32 COMMENT 'Of those, answered by anyone, count',
    first_answer_seconds_sum Float64 COMMENT 'Sum of their wait for any answer, seconds',
    resolved_count UInt32 COMMENT 'Of those, resolved, count',
    satisfaction_count UInt32 COMMENT 'Of those, rated, count',
    satisfaction_sum UInt32 COMMENT 'Sum of their ratings, 1 to 5 each',
    resolutions UInt32 COMMENT 'Steps to resolved in the hour, count',
    reopened UInt32 COMMENT 'Steps back to work in the hour, count',
    backlog UInt32 COMMENT 'Neither resolved nor closed at the end of the hour, count',
    backlog_waiting UInt32 COMMENT 'Of those, waiting for a person, count'
)
AS
SELECT
    day, hour, queue, messages_in, messages_out, conversations_opened, first_response_count, first_response_seconds_sum,
    first_answer_count, first_answer_seconds_sum, resolved_count, satisfaction_count, satisfaction_sum, resolutions, reopened,
    backlog, backlog_waiting
FROM gold.service_kpi_hourly
COMMENT 'Service figures for dashboards: what may be added up, by hour and queue';
