-- What became of each campaign message, step by step: what gold.campaign_funnel and the campaigns' live results count.
-- What a customer does is laid to the last campaign message
-- before it. Messages older than 90 days get no more steps.
WITH
    plans AS
    (
        SELECT campaign_id, argMin(JSONExtractString(experiment_plan, 'goal'), aggregate_version) AS goal,
            argMin(JSONExtractUInt(experiment_plan, 'window_days'), aggregate_version) AS window_days
        FROM bronze.events WHERE type = 'experiment.planned' AND campaign_id IS NOT NULL
        GROUP BY campaign_id
    ),
    sends AS
    (
        SELECT
            sent.aggregate_id AS message_id, assumeNotNull(sent.customer_id) AS customer_id, assumeNotNull(sent.campaign_id) AS campaign_id,
            sent.variant AS variant, ifNull(sent.number_id, toUUID('00000000-0000-0000-0000-000000000000')) AS number_id,
            sent.event_time AS sent_at, plans.goal AS goal, if(plans.window_days = 0, 14, plans.window_days) AS window_days
        FROM bronze.events AS sent
        LEFT JOIN plans ON plans.campaign_id = sent.campaign_id
        WHERE sent.type = 'message.queued' AND sent.campaign_id IS NOT NULL
            AND sent.day BETWEEN addDays({first:Date}, -90) AND {last:Date}
    ),
    fates AS
    (
        SELECT
            aggregate_id AS message_id,
            minOrNullIf(event_time, to_state IN ('delivered', 'read', 'played')) AS delivered_at,
            minOrNullIf(event_time, to_state IN ('read', 'played')) AS read_at,
            minOrNullIf(event_time, to_state = 'failed') AS failed_at,
            argMaxIf(cost_micros, aggregate_version, cost_micros IS NOT NULL) AS cost,
            argMaxIf(cost_currency, aggregate_version, cost_micros IS NOT NULL) AS currency
        FROM bronze.events
        WHERE type IN ('message.state_changed', 'message.priced') AND aggregate_id IN (SELECT message_id FROM sends)
        GROUP BY aggregate_id
    ),
    acts AS
    (
        SELECT
            assumeNotNull(customer_id) AS customer_id, event_time AS at,
            multiIf(type = 'message.received', 'reply', type = 'goal.recorded', 'goal', 'opt_out') AS act,
            kind, ifNull(value_micros, 0) AS value, value_currency
        FROM bronze.events
        WHERE day BETWEEN addDays({first:Date}, -90) AND {last:Date} AND customer_id IN (SELECT customer_id FROM sends)
            AND (type IN ('message.received', 'goal.recorded') OR type = 'consent.changed' AND granted = 0 AND scope IN ('marketing', 'all'))
        ORDER BY aggregate_version
        LIMIT 1 BY aggregate_id, type, aggregate_version * (type = 'consent.changed')  -- a goal told again is one goal
    ),
    answers AS
    (
        SELECT
            sends.message_id AS message_id, sends.customer_id AS customer_id, sends.campaign_id AS campaign_id, sends.variant AS variant, sends.number_id AS number_id,
            sends.sent_at AS sent_at, acts.act AS act, acts.at AS at, acts.value AS value, acts.value_currency AS value_currency,
            row_number() OVER (PARTITION BY sends.message_id, acts.act ORDER BY acts.at) AS number
        FROM acts
        ASOF INNER JOIN sends ON sends.customer_id = acts.customer_id AND acts.at >= sends.sent_at
        WHERE acts.act = 'reply' AND acts.at < sends.sent_at + INTERVAL 72 HOUR
            OR acts.act = 'goal' AND acts.kind = if(sends.goal = '', acts.kind, sends.goal) AND acts.at < sends.sent_at + toIntervalDay(sends.window_days)
            OR acts.act = 'opt_out' AND acts.at < sends.sent_at + INTERVAL 7 DAY
    ),
    -- A click is its message's own, whatever was sent since; the link says which.
    visits AS
    (
        SELECT clicked_message_id AS message_id, event_time AS at, aggregate_id, aggregate_version
        FROM bronze.events
        WHERE type = 'link.clicked' AND day BETWEEN addDays({first:Date}, -90) AND {last:Date} AND clicked_message_id IN (SELECT message_id FROM sends)
        LIMIT 1 BY aggregate_id, aggregate_version
    ),
    clicks AS
    (
        SELECT
            sends.customer_id AS customer_id, sends.campaign_id AS campaign_id, sends.variant AS variant, sends.number_id AS number_id,
            sends.sent_at AS sent_at, visits.at AS at,
            row_number() OVER (PARTITION BY sends.message_id ORDER BY visits.at, visits.aggregate_id, visits.aggregate_version) AS number
        FROM visits
        INNER JOIN sends ON sends.message_id = visits.message_id
    ),
    steps AS
    (
        SELECT customer_id, campaign_id, variant, number_id, sent_at, one.1 AS step, assumeNotNull(one.2) AS at, 0 AS value, '' AS value_currency,
            if(step = 'delivered', ifNull(fates.cost, 0), 0) AS cost, if(step = 'delivered', fates.currency, '') AS cost_currency
        FROM sends
        LEFT JOIN fates ON fates.message_id = sends.message_id
        ARRAY JOIN [
            ('sent', toNullable(sends.sent_at)), ('delivered', fates.delivered_at), ('read', fates.read_at),
            ('failed', if(fates.delivered_at IS NULL, fates.failed_at, NULL))] AS one
        WHERE one.2 IS NOT NULL
        UNION ALL
        SELECT customer_id, campaign_id, variant, number_id, sent_at, concat(if(number = 1, 'first ', 'another '), act) AS step, at, value, value_currency, 0, ''
        FROM answers
        UNION ALL
        SELECT customer_id, campaign_id, variant, number_id, sent_at, if(number = 1, 'first click', 'another click') AS step, at, 0, '', 0, ''
        FROM clicks
    )
