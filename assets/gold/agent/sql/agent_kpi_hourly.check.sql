-- The same figures another way: stays joined from the steps themselves (each step into `assigned` with the next step of its
-- conversation), their union by intervalLengthSum instead of a running maximum; messages and resolutions from the events.
WITH
    toDateTime64(toStartOfHour(toTimeZone((SELECT max(event_time) FROM bronze.events WHERE day >= {first:Date}), {timezone:String})) + INTERVAL 1 HOUR, 6, 'UTC') AS now_hour,
    steps AS
    (
        SELECT conversation_id, aggregate_version, event_time AS at, to_state,
            last_value(agent_id) IGNORE NULLS OVER (PARTITION BY conversation_id ORDER BY aggregate_version) AS agent,
            row_number() OVER (PARTITION BY conversation_id ORDER BY aggregate_version) AS n
        FROM bronze.events WHERE type IN ('conversation.opened', 'conversation.state_changed')
    ),
    stays AS
    (
        SELECT assumeNotNull(this.agent) AS agent_id, this.conversation_id AS conversation_id, this.at AS since,
            greatest(this.at, if(following.n = 0, now_hour, following.at)) AS until
        FROM (SELECT * FROM steps WHERE to_state = 'assigned' AND agent IS NOT NULL) AS this
        LEFT JOIN (SELECT conversation_id, n - 1 AS before, n, at FROM steps) AS following
            ON following.conversation_id = this.conversation_id AND following.before = this.n
    ),
    work AS
    (
        SELECT days.agent_id AS agent_id, days.day AS day,
            intervalLengthSum(greatest(toUnixTimestamp64Micro(stays.since), toUnixTimestamp64Micro(days.first_at)),
                least(toUnixTimestamp64Micro(stays.until), toUnixTimestamp64Micro(days.last_at))) AS busy,
            sum(least(toUnixTimestamp64Micro(stays.until), toUnixTimestamp64Micro(days.last_at))
                - greatest(toUnixTimestamp64Micro(stays.since), toUnixTimestamp64Micro(days.first_at))) AS handling
        FROM (SELECT * FROM gold.agent_days WHERE day IN {days:Array(Date)}) AS days
        INNER JOIN stays ON stays.agent_id = days.agent_id
        WHERE stays.since < days.last_at AND stays.until > days.first_at
        GROUP BY agent_id, day
    )
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['busy seconds', 'handling seconds', 'attended seconds', 'messages', 'resolved'] AS figures,
        (SELECT [sum(busy_seconds), sum(handling_seconds), sum(attended_seconds), toFloat64(sum(messages)), toFloat64(sum(resolved))]
            FROM gold.agent_kpi_hourly WHERE day IN {days:Array(Date)}) AS ours,
        [
            ifNull((SELECT sum(busy) / 1e6 FROM work), 0),
            ifNull((SELECT sum(handling) / 1e6 FROM work), 0),
            (SELECT sum(toUnixTimestamp64Micro(last_at) - toUnixTimestamp64Micro(first_at)) / 1e6 FROM gold.agent_days WHERE day IN {days:Array(Date)}),
            (SELECT toFloat64(uniqExact(aggregate_id)) FROM bronze.events
                WHERE day IN {days:Array(Date)} AND type = 'message.queued' AND author = 'agent' AND author_id IS NOT NULL
                    AND aggregate_id NOT IN (
                        SELECT aggregate_id FROM bronze.events WHERE type = 'message.state_changed'
                        GROUP BY aggregate_id HAVING argMax(to_state, aggregate_version) IN ('failed', 'cancelled'))),
            (SELECT toFloat64(count()) FROM (
                SELECT this.conversation_id AS c FROM (SELECT * FROM steps WHERE to_state = 'resolved' AND toDate(at, {timezone:String}) IN {days:Array(Date)}) AS this
                INNER JOIN (SELECT conversation_id, n + 1 AS next, to_state AS before, agent FROM steps) AS past
                    ON past.conversation_id = this.conversation_id AND past.next = this.n
                WHERE past.before IN ('assigned', 'waiting_customer') AND past.agent IS NOT NULL))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
