-- Promotions and notices that Meta took although their customer had refused them: 15 seconds after the refusal was recorded, so that
-- what was claimed before it and waited for Meta's answer is none. Any consent since counts for all it may have lifted.
WITH
    wishes AS
    (
        SELECT assumeNotNull(customer_id) AS customer_id, recorded_at AS at, ifNull(granted, false) AS wanted,
            arrayJoin(if(wanted OR scope = 'all', ['marketing', 'utility'], [toString(scope)])) AS category
        FROM bronze.events
        WHERE type = 'consent.changed' AND customer_id IS NOT NULL AND day <= {last:Date}
    ),
    ours AS
    (
        SELECT aggregate_id AS message_id, any(assumeNotNull(customer_id)) AS of_customer, toString(any(category)) AS of_category
        FROM bronze.events
        WHERE type = 'message.queued' AND category IN ('marketing', 'utility') AND day BETWEEN addDays({first:Date}, -30) AND {last:Date}
        GROUP BY message_id
    ),
    taken AS
    (
        SELECT ours.of_customer AS customer_id, ours.of_category AS category, events.aggregate_id AS message_id,
            events.event_time - INTERVAL 15 SECOND AS before
        FROM bronze.events AS events
        INNER JOIN ours ON ours.message_id = events.aggregate_id
        WHERE events.type = 'message.state_changed' AND events.to_state = 'accepted' AND events.day IN {days:Array(Date)}
    )
SELECT uniqExact(taken.message_id) AS violations, arraySort(groupUniqArray(20)(toString(taken.message_id))) AS messages
FROM taken
ASOF INNER JOIN wishes ON wishes.customer_id = taken.customer_id AND wishes.category = taken.category AND taken.before >= wishes.at
WHERE NOT wishes.wanted
