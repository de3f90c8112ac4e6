-- A reply is the customer's next message in the same conversation, whatever day it came.
WITH
    said AS (SELECT * EXCEPT (content) FROM silver.messages WHERE day IN {days:Array(Date)}),
    placed AS
    (
        SELECT said.*, steps.queue AS queue
        FROM said
        ASOF LEFT JOIN
        (
            SELECT conversation_id, at, argMax(queue, version) AS queue  -- of steps taken at one moment the last
            FROM silver.conversation_states
            WHERE conversation_id IN (SELECT conversation_id FROM said)
            GROUP BY conversation_id, at
        ) AS steps ON steps.conversation_id = said.conversation_id AND said.sent_at >= steps.at
    ),
    answered AS
    (
        SELECT placed.*, toUnixTimestamp64Micro(replies.at) - toUnixTimestamp64Micro(placed.sent_at) AS reply_micros
        FROM placed
        ASOF LEFT JOIN
        (
            SELECT conversation_id, sent_at AS at FROM silver.messages
            WHERE direction = 'in' AND conversation_id IN (SELECT conversation_id FROM said)
        ) AS replies ON replies.conversation_id = placed.conversation_id AND placed.sent_at < replies.at
    )
SELECT
    answered.day AS day,
    toDateTime(toStartOfHour(toTimeZone(answered.sent_at, {timezone:String})), 'UTC') AS hour,
    answered.message_id AS message_id,
    answered.conversation_id AS conversation_id,
    answered.customer_id AS customer_id,
    answered.number_id AS number_id,
    answered.direction AS direction,
    answered.author AS author,
    if(answered.author = 'agent', answered.author_id, NULL) AS agent_id,
    answered.queue AS queue,
    facts.channel AS channel,
    facts.state_code AS state_code,
    facts.region AS region,
    facts.plan AS plan,
    answered.type AS type,
    answered.category AS category,
    answered.template AS template,
    answered.sent_at AS sent_at,
    answered.state AS state,
    answered.counts AS counts,
    answered.accepted_at IS NOT NULL OR is_delivered AS is_accepted,
    answered.state IN ('delivered', 'read', 'played') AS is_delivered,
    answered.state IN ('read', 'played') AS is_read,
    answered.state = 'failed' AS is_failed,
    is_failed AND ifNull(answered.error_code, 0) IN (131026, 131050) AS is_refused_by_user,
    if(direction = 'out' AND reply_micros BETWEEN 0 AND 86400 * 1000000, reply_micros / 1e6, NULL) AS reply_seconds,
    answered.error_code AS error_code,
    if(is_delivered, ifNull(answered.cost_micros, 0), 0) AS cost_micros,
    answered.cost_currency AS cost_currency
FROM answered
LEFT JOIN
(
    SELECT conversation_id, channel, state_code, region, plan FROM gold.conversation_facts
    WHERE conversation_id IN (SELECT conversation_id FROM said)
) AS facts ON facts.conversation_id = answered.conversation_id
ORDER BY day
