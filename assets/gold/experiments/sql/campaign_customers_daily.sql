-- Each step counts on the day it happened, once per message; `steps` is campaign_steps.sql, which comes before this.
SELECT
    toDate(at, {timezone:String}) AS day,
    campaign_id,
    variant,
    customer_id,
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
FROM steps
WHERE toDate(at, {timezone:String}) IN {days:Array(Date)} AND step NOT IN ('another reply', 'another opt_out')
    AND dateDiff('day', sent_at, at, {timezone:String}) <= 90  -- the same whichever days are built together
GROUP BY day, campaign_id, variant, customer_id
ORDER BY day, campaign_id, variant, customer_id
