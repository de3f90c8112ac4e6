-- Every part gives (hour, queue) and its own figures; the last SELECT lays them side by side. Hours are UTC instants
-- that begin as the hours of the business zone do.
WITH
    toDateTime(toDateTime({first:Date}, {timezone:String}), 'UTC') AS range_start,
    toDateTime(toDateTime(addDays({last:Date}, 1), {timezone:String}), 'UTC') AS range_end,
    volume AS
    (
        SELECT
            toDateTime(toStartOfHour(toTimeZone(messages.sent_at, {timezone:String})), 'UTC') AS hour,
            steps.queue AS queue,
            countIf(messages.direction = 'in') AS messages_in,
            countIf(messages.direction = 'out' AND messages.counts) AS messages_out
        FROM (SELECT conversation_id, sent_at, direction, counts FROM silver.messages WHERE day IN {days:Array(Date)}) AS messages
        ASOF LEFT JOIN
        (
            SELECT conversation_id, at, argMax(queue, version) AS queue  -- of steps taken at one moment the last
            FROM silver.conversation_states
            WHERE conversation_id IN (SELECT conversation_id FROM silver.messages WHERE day IN {days:Array(Date)})
            GROUP BY conversation_id, at
        ) AS steps ON steps.conversation_id = messages.conversation_id AND messages.sent_at >= steps.at
        GROUP BY hour, queue
    ),
    opened AS
    (
        SELECT
            toDateTime(toStartOfHour(toTimeZone(opened_at, {timezone:String})), 'UTC') AS hour,
            queue,
            count() AS conversations_opened,
            count(first_response_seconds) AS first_response_count,
            sum(toInt64(round(ifNull(first_response_seconds, 0) * 1e6))) / 1e6 AS first_response_seconds_sum,
            quantileExactInclusiveOrNull(0.5)(first_response_seconds) AS first_response_seconds_median,
            quantileExactInclusiveOrNull(0.9)(first_response_seconds) AS first_response_seconds_p90,
            count(first_answer_seconds) AS first_answer_count,
            sum(toInt64(round(ifNull(first_answer_seconds, 0) * 1e6))) / 1e6 AS first_answer_seconds_sum,
            quantileExactInclusiveOrNull(0.5)(first_answer_seconds) AS first_answer_seconds_median,
            quantileExactInclusiveOrNull(0.9)(first_answer_seconds) AS first_answer_seconds_p90,
            countIf(is_resolved) AS resolved_count,
            count(satisfaction) AS satisfaction_count,
            sum(ifNull(satisfaction, 0)) AS satisfaction_sum
        FROM gold.conversation_facts
        WHERE day IN {days:Array(Date)}
        GROUP BY hour, queue
    ),
    moved AS
    (
        SELECT
            toDateTime(toStartOfHour(toTimeZone(at, {timezone:String})), 'UTC') AS hour,
            queue,
            countIf(state = 'resolved') AS resolutions,
            countIf(previous_state = 'resolved' AND state IN ('bot', 'queued', 'assigned')) AS reopened
        FROM silver.conversation_states
        WHERE day IN {days:Array(Date)}
        GROUP BY hour, queue
    ),
    -- Each step takes its conversation out of one (queue, state) and puts it into another; what was before the range
    -- is laid on the hour before it.
    changes AS
    (
        SELECT
            greatest(toDateTime(toStartOfHour(toTimeZone(at, {timezone:String})), 'UTC'), range_start - INTERVAL 1 HOUR) AS hour,
            side.1 AS queue,
            sum(side.2) AS in_work,
            sum(side.3) AS waiting
        FROM (SELECT at, previous_state, previous_queue, state, queue AS next_queue FROM silver.conversation_states)
        ARRAY JOIN [
            (toString(previous_queue), -toInt64(previous_state NOT IN ('', 'resolved', 'closed')), -toInt64(previous_state = 'queued')),
            (toString(next_queue), toInt64(state NOT IN ('resolved', 'closed')), toInt64(state = 'queued'))] AS side
        WHERE at < range_end
        GROUP BY hour, queue
    ),
    level AS
    (
        SELECT hour, queue, sum(in_work) OVER upto AS backlog, sum(waiting) OVER upto AS backlog_waiting
        FROM
        (
            SELECT hour, queue, sum(in_work) AS in_work, sum(waiting) AS waiting
            FROM
            (
                SELECT hour, queue, in_work, waiting FROM changes
                UNION ALL
                SELECT
                    arrayJoin(arrayMap(hours -> range_start + toIntervalHour(hours), range(toUInt32(greatest(0, dateDiff('hour', range_start,
                        least(range_end, toDateTime((SELECT max(event_time) FROM bronze.events WHERE day >= {first:Date}), 'UTC') + INTERVAL 1 HOUR))))))) AS hour,
                    queue, 0 AS in_work, 0 AS waiting
                FROM (SELECT DISTINCT queue FROM changes)
            )
            GROUP BY hour, queue
        )
        WINDOW upto AS (PARTITION BY queue ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    keys AS
    (
        SELECT hour, queue FROM volume
        UNION DISTINCT SELECT hour, queue FROM opened
        UNION DISTINCT SELECT hour, queue FROM moved
        UNION DISTINCT SELECT hour, queue FROM level WHERE backlog > 0
    )
SELECT
    toDate(keys.hour, {timezone:String}) AS day,
    keys.hour AS hour,
    keys.queue AS queue,
    volume.messages_in AS messages_in,
    volume.messages_out AS messages_out,
    opened.conversations_opened AS conversations_opened,
    opened.first_response_count AS first_response_count,
    opened.first_response_seconds_sum AS first_response_seconds_sum,
    opened.first_response_seconds_median AS first_response_seconds_median,
    opened.first_response_seconds_p90 AS first_response_seconds_p90,
    opened.first_answer_count AS first_answer_count,
    opened.first_answer_seconds_sum AS first_answer_seconds_sum,
    opened.first_answer_seconds_median AS first_answer_seconds_median,
    opened.first_answer_seconds_p90 AS first_answer_seconds_p90,
    opened.resolved_count AS resolved_count,
    if(conversations_opened = 0, NULL, resolved_count / conversations_opened) AS resolution_rate,
    opened.satisfaction_count AS satisfaction_count,
    opened.satisfaction_sum AS satisfaction_sum,
    moved.resolutions AS resolutions,
    moved.reopened AS reopened,
    level.backlog AS backlog,
    level.backlog_waiting AS backlog_waiting
FROM keys
LEFT JOIN volume ON volume.hour = keys.hour AND volume.queue = keys.queue
LEFT JOIN opened ON opened.hour = keys.hour AND opened.queue = keys.queue
LEFT JOIN moved ON moved.hour = keys.hour AND moved.queue = keys.queue
LEFT JOIN level ON level.hour = keys.hour AND level.queue = keys.queue
WHERE day IN {days:Array(Date)}
ORDER BY day
