-- Only what was delivered is owed (channel document 4.2); the price is the last one told.
SELECT
    day,
    ifNull(messages.number_id, toUUID('00000000-0000-0000-0000-000000000000')) AS number_id,
    category,
    pricing_category,
    pricing_type,
    cost_currency AS currency,
    countIf(counts) AS messages,
    countIf(state IN ('delivered', 'read', 'played')) AS delivered,
    countIf(state IN ('delivered', 'read', 'played') AND messages.cost_micros > 0) AS charged,
    countIf(state IN ('delivered', 'read', 'played') AND messages.cost_micros IS NULL) AS untold,
    sumIf(ifNull(messages.cost_micros, 0), state IN ('delivered', 'read', 'played')) AS cost_micros
FROM silver.messages AS messages
WHERE day IN {days:Array(Date)} AND direction = 'out' AND state != 'echoed'
GROUP BY day, number_id, category, pricing_category, pricing_type, currency
ORDER BY day, number_id
