SELECT
    day, hour,
    ifNull(facts.number_id, toUUID('00000000-0000-0000-0000-000000000000')) AS number_id,
    category,
    countIf(direction = 'in') AS messages_in,
    countIf(direction = 'out') AS messages_out,
    countIf(direction = 'out' AND is_accepted) AS accepted,
    countIf(direction = 'out' AND is_delivered) AS delivered,
    countIf(direction = 'out' AND is_read) AS read,
    countIf(direction = 'out' AND is_delivered AND reply_seconds IS NOT NULL) AS replied,
    countIf(direction = 'out' AND is_failed) AS failed,
    countIf(is_refused_by_user) AS refused_by_user,
    uniqExactIf(customer_id, direction = 'out') AS people,
    sum(facts.cost_micros) AS cost_micros,
    cost_currency AS currency
FROM gold.message_facts AS facts
WHERE day IN {days:Array(Date)}
GROUP BY day, hour, number_id, category, currency
ORDER BY day
