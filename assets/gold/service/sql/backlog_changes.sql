-- Each step takes its conversation out of one (queue, agent) and puts it into another; steps that change neither nor end it say nothing.
SELECT
    steps.day AS day,
    toDateTime(toStartOfHour(toTimeZone(steps.at, {timezone:String})), 'UTC') AS hour,
    steps.at AS at,
    steps.conversation_id AS conversation_id,
    steps.version AS version,
    side.1 AS change,
    facts.customer_id AS customer_id,
    side.2 AS queue,
    side.3 AS agent_id,
    facts.number_id AS number_id,
    facts.channel AS channel,
    facts.state_code AS state_code,
    facts.region AS region,
    facts.plan AS plan
FROM
(
    SELECT day, at, conversation_id, version,
        previous_state NOT IN ('', 'resolved', 'closed') AS was_open, state NOT IN ('resolved', 'closed') AS is_open,
        toString(previous_queue) AS queue_before, toString(queue) AS queue_after, previous_holder_id, holder_id,
        queue_before = queue_after AND ifNull(previous_holder_id, toUUID('00000000-0000-0000-0000-000000000000')) = ifNull(holder_id, toUUID('00000000-0000-0000-0000-000000000000')) AS stays
    FROM silver.conversation_states
    WHERE day IN {days:Array(Date)}
) AS steps
ARRAY JOIN arrayFilter(one -> one.1 != 0, [
    (toInt8(-(was_open AND NOT (is_open AND stays))), queue_before, previous_holder_id),
    (toInt8(is_open AND NOT (was_open AND stays)), queue_after, holder_id)]) AS side
LEFT JOIN
(
    SELECT conversation_id, customer_id, number_id, channel, state_code, region, plan FROM gold.conversation_facts
    WHERE conversation_id IN (SELECT conversation_id FROM silver.conversation_states WHERE day IN {days:Array(Date)})
) AS facts ON facts.conversation_id = steps.conversation_id
ORDER BY day
