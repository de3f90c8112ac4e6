-- Stays with an agent that reach into the days: of conversations with a step on the days, and of those that were with an
-- agent before them. A stay without an end lasts until the hour of the newest event, as the backlog does.
WITH
    toDateTime64(toDateTime({first:Date}, {timezone:String}), 6, 'UTC') AS range_start,
    toDateTime64(toDateTime(addDays({last:Date}, 1), {timezone:String}), 6, 'UTC') AS range_end,
    least(range_end, toDateTime64(toStartOfHour(toTimeZone((SELECT max(event_time) FROM bronze.events WHERE day >= {first:Date}), {timezone:String})) + INTERVAL 1 HOUR, 6, 'UTC')) AS range_now,
    days AS (SELECT day, agent_id, first_at, last_at FROM gold.agent_days WHERE day IN {days:Array(Date)}),
    stays AS
    (
        SELECT conversation_id, assumeNotNull(holder_id) AS agent_id, at AS since, greatest(at, ifNull(next_at, range_now)) AS until
        FROM
        (
            SELECT conversation_id, state, holder_id, at, leadInFrame(toNullable(at)) OVER later AS next_at
            FROM silver.conversation_states
            WHERE conversation_id IN (
                SELECT conversation_id FROM silver.conversation_states WHERE day IN {days:Array(Date)}
                UNION DISTINCT
                SELECT conversation_id FROM silver.conversation_states
                WHERE at < range_start AND (state = 'assigned' OR previous_state = 'assigned')
                GROUP BY conversation_id HAVING countIf(state = 'assigned') > countIf(previous_state = 'assigned'))
            WINDOW later AS (PARTITION BY conversation_id ORDER BY version ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
        )
        WHERE state = 'assigned' AND holder_id IS NOT NULL AND at < range_end AND (next_at IS NULL OR next_at > range_start)
    ),
    attended AS  -- the hours of each agent's day
    (
        SELECT
            day, agent_id,
            arrayJoin(arrayMap(n -> toStartOfHour(toTimeZone(first_at, {timezone:String})) + toIntervalHour(n),
                range(toUInt32(dateDiff('hour', toStartOfHour(toTimeZone(first_at, {timezone:String})), toTimeZone(last_at, {timezone:String})) + 1)))) AS local_hour,
            toDateTime(local_hour, 'UTC') AS hour,
            greatest(toUnixTimestamp64Micro(first_at), toInt64(toUnixTimestamp(local_hour)) * 1000000) AS since,
            greatest(since, least(toUnixTimestamp64Micro(last_at), toInt64(toUnixTimestamp(local_hour) + 3600) * 1000000)) AS until
        FROM days
    ),
    held AS  -- the part of each stay that lies in an attended hour
    (
        SELECT
            attended.day AS day, attended.hour AS hour, attended.agent_id AS agent_id, stays.conversation_id AS conversation_id,
            greatest(attended.since, toUnixTimestamp64Micro(stays.since)) AS since,
            least(attended.until, toUnixTimestamp64Micro(stays.until)) AS until
        FROM attended
        INNER JOIN stays ON stays.agent_id = attended.agent_id
        WHERE toUnixTimestamp64Micro(stays.since) < attended.until AND toUnixTimestamp64Micro(stays.until) > attended.since
    ),
    shared AS
    (
        SELECT
            day, hour, agent_id, conversation_id,
            until - since AS handling,
            greatest(0, until - greatest(since, ifNull(max(toNullable(until)) OVER earlier, since))) AS busy
        FROM held
        WINDOW earlier AS (PARTITION BY agent_id, hour ORDER BY since, conversation_id, until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    parts AS
    (
        SELECT day, hour, agent_id, toUUID('00000000-0000-0000-0000-000000000000') AS conversation_id, until - since AS attended,
            toInt64(0) AS handling, toInt64(0) AS busy, 0 AS messages, 0 AS taken, 0 AS resolved
        FROM attended
        UNION ALL
        SELECT day, hour, agent_id, conversation_id, 0, handling, busy, 0, 0, 0 FROM shared
        UNION ALL
        SELECT day, toDateTime(toStartOfHour(toTimeZone(sent_at, {timezone:String})), 'UTC'), assumeNotNull(author_id), conversation_id, 0, 0, 0, toUInt8(counts), 0, 0
        FROM silver.messages WHERE day IN {days:Array(Date)} AND author = 'agent' AND author_id IS NOT NULL
        UNION ALL
        SELECT day, toDateTime(toStartOfHour(toTimeZone(at, {timezone:String})), 'UTC'), assumeNotNull(holder_id), conversation_id, 0, 0, 0, 0, 1, 0
        FROM silver.conversation_states
        WHERE day IN {days:Array(Date)} AND state = 'assigned' AND holder_id IS NOT NULL
            AND ifNull(previous_holder_id, toUUID('00000000-0000-0000-0000-000000000000')) != holder_id
        UNION ALL
        SELECT day, toDateTime(toStartOfHour(toTimeZone(at, {timezone:String})), 'UTC'), assumeNotNull(previous_holder_id), conversation_id, 0, 0, 0, 0, 0, 1
        FROM silver.conversation_states
        WHERE day IN {days:Array(Date)} AND state = 'resolved' AND previous_holder_id IS NOT NULL
    )
SELECT
    parts.day AS day,
    parts.hour AS hour,
    parts.agent_id AS agent_id,
    parts.conversation_id AS conversation_id,
    any(facts.customer_id) AS customer_id,
    any(facts.number_id) AS number_id,
    any(facts.queue) AS queue,
    any(facts.channel) AS channel,
    any(facts.state_code) AS state_code,
    any(facts.region) AS region,
    any(facts.plan) AS plan,
    sum(parts.attended) AS attended_micros,
    sum(parts.handling) AS handling_micros,
    sum(parts.busy) AS busy_micros,
    sum(parts.messages) AS messages,
    sum(parts.taken) AS taken,
    sum(parts.resolved) AS resolved
FROM parts
LEFT JOIN
(
    SELECT conversation_id, customer_id, number_id, queue, channel, state_code, region, plan FROM gold.conversation_facts
    WHERE conversation_id IN (SELECT conversation_id FROM parts)
) AS facts ON facts.conversation_id = parts.conversation_id
WHERE parts.day IN {days:Array(Date)}
GROUP BY day, hour, agent_id, conversation_id
ORDER BY day
