SELECT
    day,
    ifNull(facts.number_id, toUUID('00000000-0000-0000-0000-000000000000')) AS number_id,
    queue,
    cost_currency AS currency,
    count() AS conversations,
    countIf(is_resolved) AS resolved,
    sum(messages_in + messages_out) AS messages,
    sum(facts.cost_micros) AS cost_micros,
    if(resolved = 0, NULL, cost_micros / resolved) AS cost_per_resolved_micros
FROM gold.conversation_facts AS facts
WHERE day IN {days:Array(Date)}
GROUP BY day, number_id, queue, currency
ORDER BY day
