SELECT
    day, queue, priority,
    promised.1 AS promise,
    promised.2 AS target_seconds,
    count() AS conversations,
    countIf(promised.3 = 1) AS kept,
    countIf(promised.3 = 0) AS broken,
    countIf(promised.3 IS NULL) AS undecided,
    if(kept + broken = 0, NULL, kept / (kept + broken)) AS kept_share,
    quantileExactInclusiveOrNull(0.9)(promised.4) AS seconds_p90
FROM gold.conversation_facts
ARRAY JOIN [
    ('first_response', {sla_first_response_s:UInt32}, toNullable(sla_first_response_kept), first_response_business_seconds),
    ('resolution', {sla_resolution_s:UInt32}, toNullable(sla_resolution_kept), resolution_seconds)] AS promised
WHERE day IN {days:Array(Date)} AND messages_in > 0
GROUP BY day, queue, priority, promise, target_seconds
ORDER BY day
