WITH
    said_no AS
    (
        SELECT day, event_time AS at, id AS event_id, assumeNotNull(customer_id) AS customer_id, scope, source
        FROM bronze.events
        WHERE day IN {days:Array(Date)} AND type = 'consent.changed' AND granted = false
    ),
    sent AS  -- a person may get two messages at one moment: of those the one with the higher id
    (
        SELECT customer_id, sent_at, argMax(tuple(conversation_id, number_id, toString(queue), toString(template), toString(channel),
            toString(state_code), toString(region), toString(plan)), message_id) AS last
        FROM gold.message_facts
        WHERE direction = 'out' AND counts AND day BETWEEN {first:Date} - 8 AND {last:Date} AND customer_id IN (SELECT customer_id FROM said_no)
        GROUP BY customer_id, sent_at
    ),
    near AS
    (
        SELECT said_no.event_id AS event_id, sent.sent_at AS sent_at, sent.last AS last
        FROM said_no ASOF INNER JOIN sent ON sent.customer_id = said_no.customer_id AND said_no.at >= sent.sent_at
        WHERE sent.sent_at >= said_no.at - INTERVAL 7 DAY
    )
SELECT
    said_no.day AS day,
    toDateTime(toStartOfHour(toTimeZone(said_no.at, {timezone:String})), 'UTC') AS hour,
    said_no.at AS at,
    said_no.event_id AS event_id,
    said_no.customer_id AS customer_id,
    said_no.scope AS scope,
    said_no.source AS source,
    near.last.1 AS conversation_id,
    near.sent_at AS sent_at,
    near.last.2 AS number_id,
    near.last.3 AS queue,
    near.last.4 AS template,
    near.last.5 AS channel,
    near.last.6 AS state_code,
    near.last.7 AS region,
    near.last.8 AS plan
FROM said_no LEFT JOIN near ON near.event_id = said_no.event_id
ORDER BY day
