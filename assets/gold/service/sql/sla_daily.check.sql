-- The first response again without the calendar's running sum: the overlap of each wait with each day's opening hours.
WITH
    facts AS (SELECT * FROM gold.conversation_facts WHERE day IN {days:Array(Date)} AND messages_in > 0),
    waits AS
    (
        SELECT conversation_id, sum(greatest(0, least(toUnixTimestamp64Micro(assumeNotNull(first_response_at)), toInt64(toUnixTimestamp(closes_at)) * 1000000)
            - greatest(toUnixTimestamp64Micro(assumeNotNull(first_customer_message_at)), toInt64(toUnixTimestamp(opens_at)) * 1000000))) AS micros
        FROM (SELECT conversation_id, first_customer_message_at, first_response_at FROM facts WHERE first_response_at IS NOT NULL) AS answered
        CROSS JOIN (SELECT opens_at, closes_at FROM gold.business_calendar WHERE day BETWEEN {first:Date} - 2 AND {last:Date} + 120) AS calendar
        GROUP BY conversation_id
    ),
    quick AS (SELECT conversation_id FROM waits WHERE micros <= toInt64({sla_first_response_s:UInt32}) * 1000000)
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['first responses kept', 'first responses late or never', 'resolutions kept', 'business seconds to the first response'] AS figures,
        [
            (SELECT toFloat64(sumIf(kept, promise = 'first_response')) FROM gold.sla_daily WHERE day IN {days:Array(Date)}),
            (SELECT toFloat64(sumIf(broken, promise = 'first_response')) FROM gold.sla_daily WHERE day IN {days:Array(Date)}),
            (SELECT toFloat64(sumIf(kept, promise = 'resolution')) FROM gold.sla_daily WHERE day IN {days:Array(Date)}),
            (SELECT sum(ifNull(first_response_business_seconds, 0)) FROM facts)
        ] AS ours,
        [
            (SELECT toFloat64(count()) FROM quick),
            (SELECT toFloat64(countIf(first_response_at IS NOT NULL OR (is_abandoned AND first_response_at IS NULL))) FROM facts
                WHERE conversation_id NOT IN (SELECT conversation_id FROM quick)),
            (SELECT toFloat64(countIf(is_resolved AND dateDiff('microsecond', opened_at, assumeNotNull(resolved_at)) <= toInt64({sla_resolution_s:UInt32}) * 1000000)) FROM facts),
            (SELECT sum(micros) / 1e6 FROM waits)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
