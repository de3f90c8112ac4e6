-- Volumes straight from the events, cohort figures from the facts, and the backlog at the end of the table's last hour
-- as the number of conversations whose newest step by then left them open: no running sums.
WITH
    kpi AS (SELECT * FROM gold.service_kpi_hourly WHERE day IN {days:Array(Date)}),
    facts AS (SELECT * FROM gold.conversation_facts WHERE day IN {days:Array(Date)}),
    (SELECT max(hour) FROM kpi) AS last_hour
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['messages in', 'messages out', 'opened', 'answered by a person', 'seconds to the first response', 'resolved', 'ratings',
            'resolutions', 'backlog at the end'] AS figures,
        (SELECT [toFloat64(sum(messages_in)), toFloat64(sum(messages_out)), toFloat64(sum(conversations_opened)),
            toFloat64(sum(first_response_count)), sum(first_response_seconds_sum), toFloat64(sum(resolved_count)),
            toFloat64(sum(satisfaction_sum)), toFloat64(sum(resolutions)), toFloat64(sumIf(backlog, hour = last_hour))] FROM kpi) AS ours,
        [
            (SELECT toFloat64(uniqExact(aggregate_id)) FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'message.received'),
            (SELECT toFloat64(uniqExact(aggregate_id)) FROM bronze.events
                WHERE day IN {days:Array(Date)} AND type IN ('message.queued', 'message.echoed')
                    AND aggregate_id NOT IN (
                        SELECT aggregate_id FROM bronze.events WHERE type = 'message.state_changed'
                            AND conversation_id IN (SELECT conversation_id FROM silver.messages WHERE day IN {days:Array(Date)})
                        GROUP BY aggregate_id HAVING argMax(to_state, aggregate_version) IN ('failed', 'cancelled'))),
            (SELECT toFloat64(count()) FROM facts),
            (SELECT toFloat64(count(first_response_at)) FROM facts),
            (SELECT sum(ifNull(dateDiff('microsecond', first_customer_message_at, first_response_at), 0)) / 1e6 FROM facts),
            (SELECT toFloat64(countIf(is_resolved)) FROM facts),
            (SELECT toFloat64(sum(ifNull(satisfaction, 0))) FROM facts),
            (SELECT toFloat64(count()) FROM bronze.events
                WHERE day IN {days:Array(Date)} AND type = 'conversation.state_changed' AND to_state = 'resolved'),
            (SELECT toFloat64(countIf(state NOT IN ('resolved', 'closed'))) FROM (
                SELECT argMax(to_state, aggregate_version) AS state FROM bronze.events
                WHERE type IN ('conversation.opened', 'conversation.state_changed') AND event_time < last_hour + INTERVAL 1 HOUR
                GROUP BY conversation_id))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
