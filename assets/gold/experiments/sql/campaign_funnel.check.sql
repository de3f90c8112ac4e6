-- Messages and costs from silver, arrivals numbered by a window; answers by a join with every earlier message and the newest kept.
WITH
    plans AS
    (
        SELECT campaign_id, any(JSONExtractString(experiment_plan, 'goal')) AS goal, any(JSONExtractUInt(experiment_plan, 'window_days')) AS window_days
        FROM bronze.events WHERE type = 'experiment.planned' GROUP BY campaign_id
    ),
    messages AS
    (
        SELECT * FROM silver.messages
        WHERE campaign_id IS NOT NULL AND day BETWEEN addDays({first:Date}, -90) AND {last:Date}
    ),
    arrivals AS
    (
        SELECT message_id, day, step, row_number() OVER (PARTITION BY message_id, step ORDER BY at) AS number
        FROM
        (
            SELECT events.aggregate_id AS message_id, events.day AS day, events.event_time AS at,
                arrayJoin(if(events.to_state = 'delivered', ['delivered'], ['delivered', 'read'])) AS step
            FROM bronze.events AS events
            INNER JOIN messages ON messages.message_id = events.aggregate_id
            WHERE events.type = 'message.state_changed' AND events.to_state IN ('delivered', 'read', 'played')
                AND events.day <= addDays(messages.day, 90)
        )
    ),
    laid AS
    (
        SELECT acts.id AS act_id, acts.type AS type, acts.event_time AS at, acts.value_micros AS value,
            argMax(tuple(messages.message_id, messages.sent_at, messages.campaign_id), messages.sent_at) AS message
        FROM (
            SELECT id, type, customer_id, event_time, value_micros, kind, aggregate_id FROM bronze.events
            WHERE day BETWEEN addDays({first:Date}, -90) AND {last:Date}
                AND (type IN ('message.received', 'goal.recorded') OR type = 'consent.changed' AND granted = 0 AND scope != 'utility')
            ORDER BY aggregate_version LIMIT 1 BY aggregate_id, type, if(type = 'consent.changed', aggregate_version, 0)
        ) AS acts
        INNER JOIN messages ON messages.customer_id = acts.customer_id
        WHERE messages.sent_at <= acts.event_time
        GROUP BY act_id, type, at, value
    ),
    counted AS
    (
        SELECT laid.type AS type, laid.message.1 AS message_id, laid.at AS at, laid.value AS value
        FROM laid
        LEFT JOIN plans ON plans.campaign_id = laid.message.3
        LEFT JOIN (SELECT id, kind FROM bronze.events WHERE type = 'goal.recorded') AS goals ON goals.id = laid.act_id
        WHERE dateDiff('day', laid.message.2, laid.at, {timezone:String}) <= 90 AND multiIf(
            type = 'message.received', dateDiff('microsecond', laid.message.2, laid.at) < 72 * 3600 * 1000000,
            type = 'consent.changed', dateDiff('microsecond', laid.message.2, laid.at) < 7 * 86400 * 1000000,
            (plans.goal = '' OR plans.goal = goals.kind)
                AND dateDiff('microsecond', laid.message.2, laid.at) < if(plans.window_days = 0, 14, plans.window_days) * 86400 * 1000000)
    ),
    visits AS
    (
        SELECT DISTINCT opened.clicked_message_id AS message_id, opened.aggregate_id AS link_id, opened.aggregate_version AS visit, opened.day AS day
        FROM bronze.events AS opened
        INNER JOIN messages ON messages.message_id = opened.clicked_message_id
        WHERE opened.type = 'link.clicked' AND opened.day <= {last:Date} AND dateDiff('day', messages.sent_at, opened.event_time, {timezone:String}) <= 90
    ),
    firsts AS
    (
        SELECT type, message_id, toDate(min(at), {timezone:String}) AS first_day FROM counted GROUP BY type, message_id
    )
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['sent', 'delivered', 'read', 'cost in millionths', 'replied', 'converted', 'value in millionths', 'opted out', 'clicked', 'clicks'] AS figures,
        (SELECT [toFloat64(sum(sent)), toFloat64(sum(delivered)), toFloat64(sum(read)), toFloat64(sum(cost_micros)),
            toFloat64(sum(replied)), toFloat64(sum(converted)), toFloat64(sum(value_micros)), toFloat64(sum(opted_out)),
            toFloat64(sum(clicked)), toFloat64(sum(clicks))]
            FROM gold.campaign_funnel WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(count()) FROM silver.messages WHERE campaign_id IS NOT NULL AND day IN {days:Array(Date)}),
            (SELECT toFloat64(countIf(step = 'delivered')) FROM arrivals WHERE number = 1 AND day IN {days:Array(Date)}),
            (SELECT toFloat64(countIf(step = 'read')) FROM arrivals WHERE number = 1 AND day IN {days:Array(Date)}),
            (SELECT toFloat64(sum(ifNull(cost_micros, 0))) FROM messages WHERE message_id IN (
                SELECT message_id FROM arrivals WHERE number = 1 AND step = 'delivered' AND day IN {days:Array(Date)})),
            (SELECT toFloat64(countIf(type = 'message.received' AND first_day IN {days:Array(Date)})) FROM firsts),
            (SELECT toFloat64(countIf(type = 'goal.recorded' AND first_day IN {days:Array(Date)})) FROM firsts),
            (SELECT toFloat64(sumIf(ifNull(counted.value, 0), type = 'goal.recorded' AND toDate(at, {timezone:String}) IN {days:Array(Date)})) FROM counted),
            (SELECT toFloat64(countIf(type = 'consent.changed' AND first_day IN {days:Array(Date)})) FROM firsts),
            (SELECT toFloat64(countIf(first_day IN {days:Array(Date)})) FROM (SELECT message_id, min(day) AS first_day FROM visits GROUP BY message_id)),
            (SELECT toFloat64(countIf(day IN {days:Array(Date)})) FROM visits)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
