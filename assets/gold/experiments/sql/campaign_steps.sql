-- What became of each campaign message, step by step: what gold.campaign_funnel and the campaigns' live results count.
-- What a customer does is laid to the last campaign message before it. Messages older than 90 days get no more steps.
-- bronze.events stands here four times, and each part reads the one before it only: the engine resolves a named subquery anew wherever
-- it is named, and a funnel of joins, which had named the events fifteen times, kept live results waiting for a second of planning.
WITH
    plans AS
    (
        SELECT campaign_id, argMin(JSONExtractString(experiment_plan, 'goal'), aggregate_version) AS goal,
            argMin(JSONExtractUInt(experiment_plan, 'window_days'), aggregate_version) AS window_days
        FROM bronze.events WHERE type = 'experiment.planned' AND campaign_id IS NOT NULL
        GROUP BY campaign_id
    ),
    -- Campaigns' messages and who got them: all else is about one of these.
    addressed AS
    (
        SELECT arrayJoin([aggregate_id, assumeNotNull(customer_id)]) AS id
        FROM bronze.events
        WHERE type = 'message.queued' AND campaign_id IS NOT NULL /* addressed */ AND day BETWEEN addDays({first:Date}, -90) AND {last:Date}
    ),
    -- A row per campaign message with its fate and its clicks, and one per act of a customer. A click is its message's own, whatever was
    -- sent since; the link says which.
    things AS
    (
        SELECT
            multiIf(type = 'message.received', 'reply', type = 'goal.recorded', 'goal', type = 'consent.changed', 'opt_out', '') AS act,
            if(type = 'link.clicked', assumeNotNull(clicked_message_id), aggregate_id) AS thing,
            aggregate_version * (type = 'consent.changed') AS version,  -- a goal told again is one goal
            argMinIf(
                (
                    assumeNotNull(customer_id), ifNull(campaign_id, toUUID('00000000-0000-0000-0000-000000000000')), toString(variant),
                    ifNull(number_id, toUUID('00000000-0000-0000-0000-000000000000')), event_time,
                    toString(kind), ifNull(value_micros, 0), toString(value_currency)
                )::Tuple(
                    customer_id UUID, campaign_id UUID, variant String, number_id UUID, at DateTime64(6, 'UTC'),
                    kind String, value Int64, value_currency String
                ),
                aggregate_version, act != '' OR type = 'message.queued'
            ) AS origin,
            minOrNullIf(event_time, to_state IN ('delivered', 'read', 'played')) AS delivered_at,
            minOrNullIf(event_time, to_state IN ('read', 'played')) AS read_at,
            minOrNullIf(event_time, to_state = 'failed') AS failed_at,
            argMaxIf(cost_micros, aggregate_version, cost_micros IS NOT NULL) AS cost,
            argMaxIf(cost_currency, aggregate_version, cost_micros IS NOT NULL) AS currency,
            arraySort(groupArrayIf((event_time, aggregate_id, aggregate_version), type = 'link.clicked')) AS visits
        FROM bronze.events
        WHERE
            (
                type IN ('message.state_changed', 'message.priced')
                    /* tables: what became of a message is told after it was queued, so older days are not read but for those with news
                    that were recorded since (within a day: clocks of our own hosts), which a wrong clock of the channel put there */
                    AND (day >= addDays({first:Date}, -90) OR day IN (
                        SELECT day FROM bronze.events
                        WHERE day < addDays({first:Date}, -90) AND recorded_at >= toDateTime(addDays({first:Date}, -91), {timezone:String})
                            AND type IN ('message.state_changed', 'message.priced')))
                    /* /tables */
                OR day BETWEEN addDays({first:Date}, -90) AND {last:Date} AND
                (
                    type = 'message.queued' AND campaign_id IS NOT NULL
                    OR type IN ('message.received', 'goal.recorded', 'link.clicked')
                    OR type = 'consent.changed' AND granted = 0 AND scope IN ('marketing', 'all')
                )
            )
            AND multiIf(
                type IN ('message.state_changed', 'message.priced'), aggregate_id, type = 'link.clicked', clicked_message_id, customer_id
            ) IN (SELECT id FROM addressed)
        GROUP BY act, thing, version
        HAVING countIf(act != '' OR type = 'message.queued') > 0
    ),
    laid AS
    (
        SELECT
            *,
            anyLastIf((thing, origin.campaign_id, origin.variant, origin.number_id, origin.at)
                ::Tuple(id UUID, campaign_id UUID, variant String, number_id UUID, sent_at DateTime64(6, 'UTC')), act = '')
                OVER (PARTITION BY origin.customer_id ORDER BY origin.at, act != '', thing ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS message
        FROM things
    ),
    numbered AS
    (
        SELECT laid.*, row_number() OVER (PARTITION BY message.id, act ORDER BY origin.at, thing, version) AS number
        FROM laid
        LEFT JOIN plans ON plans.campaign_id = laid.message.campaign_id
        WHERE act = ''
            OR act = 'reply' AND origin.at < message.sent_at + INTERVAL 72 HOUR
            OR act = 'goal' AND (plans.goal = '' OR origin.kind = plans.goal)
                AND origin.at < message.sent_at + toIntervalDay(if(plans.window_days = 0, 14, plans.window_days))
            OR act = 'opt_out' AND origin.at < message.sent_at + INTERVAL 7 DAY
    ),
    steps AS
    (
        SELECT
            origin.customer_id AS customer_id, message.campaign_id AS campaign_id, message.variant AS variant, message.number_id AS number_id,
            message.sent_at AS sent_at, one.1 AS step, assumeNotNull(one.2) AS at,
            if(act = '', 0, origin.value) AS value, if(act = '', '', origin.value_currency) AS value_currency,
            if(step = 'delivered', ifNull(cost, 0), 0) AS cost, if(step = 'delivered', currency, '') AS cost_currency
        FROM numbered
        ARRAY JOIN if(
            act = '',
            arrayConcat(
                [
                    ('sent', toNullable(origin.at)), ('delivered', delivered_at), ('read', read_at),
                    ('failed', if(delivered_at IS NULL, failed_at, NULL))
                ],
                arrayMap(
                    (visit, nth) -> (if(nth = 1, 'first click', 'another click'), toNullable(visit.1)),
                    arrayFilter((visit, again) -> again = 1, visits, arrayEnumerateUniq(visits.2, visits.3)) AS opened,
                    arrayEnumerate(opened)
                )
            ),
            [(concat(if(number = 1, 'first ', 'another '), act), toNullable(origin.at))]
        ) AS one
        WHERE one.2 IS NOT NULL
    )
