-- What is asked of the steps of campaigns (assets/gold/experiments/sql/campaign_steps.sql) while events are still on their way into
-- tables. `steps` is put in front by live.py. {campaign}, {days}, {timezone} as there. The sums are those of gold.campaign_funnel.

-- name: figures  -- {segments}: whether by segment too -> a row per variant, number and hour, whose segment_id is zero, and one per segment
-- that a recipient is a member of now; who is in two counts in both
SELECT
    place.1 AS segment_id,
    place.2 AS variant,
    place.3 AS number_id,
    place.4 AS hour,
    countIf(step = 'sent') AS sent,
    countIf(step = 'delivered') AS delivered,
    countIf(step = 'read') AS read,
    countIf(step = 'failed') AS failed,
    countIf(step = 'first click') AS clicked,
    countIf(endsWith(step, ' click')) AS clicks,
    countIf(step = 'first reply') AS replied,
    countIf(step = 'first goal') AS converted,
    countIf(endsWith(step, ' goal')) AS goals,
    sum(steps.value) AS value_micros,
    max(steps.value_currency) AS value_currency,
    countIf(step = 'first opt_out') AS opted_out,
    sum(steps.cost) AS cost_micros,
    max(steps.cost_currency) AS cost_currency
FROM
(
    SELECT
        step, steps.value, steps.value_currency, steps.cost, steps.cost_currency,
        arrayJoin(arrayConcat(
            [(toUUID('00000000-0000-0000-0000-000000000000'), variant, number_id, toStartOfHour(toTimeZone(at, {timezone:String})))],
            arrayMap(one -> (one, '', toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, {timezone:String})), member.segments)
        )) AS place
    FROM steps
    LEFT JOIN
    (
        SELECT customer_id, groupUniqArray(segment_id) AS segments FROM gold.segment_membership
        WHERE {segments:Bool} AND customer_id IN (SELECT id FROM addressed) GROUP BY customer_id
    ) AS member ON member.customer_id = steps.customer_id
    WHERE campaign_id = {campaign:UUID} AND toDate(at, {timezone:String}) IN {days:Array(Date)}
        AND step NOT IN ('another reply', 'another opt_out') AND dateDiff('day', sent_at, at, {timezone:String}) <= 90
) AS steps
GROUP BY place
ORDER BY hour, variant, number_id;

-- name: arms  -- {begin}, {end} of sending, {step}, {minutes} -> variant, begins (of so many minutes), units, successes of the messages sent then
SELECT
    variant,
    toStartOfInterval(at, toIntervalMinute({minutes:UInt32})) AS begins,
    countIf(step = 'sent') AS units,
    countIf(step = {step:String}) AS successes
FROM steps
WHERE campaign_id = {campaign:UUID} AND sent_at >= {begin:DateTime64(6, 'UTC')} AND sent_at < {end:DateTime64(6, 'UTC')}
    AND step IN ('sent', {step:String})
GROUP BY variant, begins
ORDER BY begins, variant;

-- name: can_keep  -- -> whether this ClickHouse keeps a named subquery in memory for all its uses
SELECT count() AS can FROM system.settings WHERE name = 'enable_materialized_cte';

-- name: built  -- {first}, {last} -> day, batch: up to which relay batch bronze has each day
SELECT day, max(batch) AS batch FROM bronze.built_days WHERE day BETWEEN {first:Date} AND {last:Date} GROUP BY day;

-- name: arrived  -- -> when the newest event came into the warehouse
SELECT max(relayed_at) AS newest FROM raw.events WHERE relayed_at > now() - INTERVAL 40 DAY;
