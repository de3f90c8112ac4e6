-- The same figures from the events themselves, by joins instead of arrays: the first answer is the earliest of all
-- pairs (customer's first message, later message by a person), over messages whose newest state is neither failed nor
-- cancelled.
WITH
    opened AS
    (
        SELECT conversation_id FROM bronze.events
        WHERE day IN {days:Array(Date)} AND type = 'conversation.opened'
        GROUP BY conversation_id
    ),
    lost AS
    (
        SELECT aggregate_id FROM bronze.events
        WHERE type = 'message.state_changed' AND conversation_id IN (SELECT conversation_id FROM opened)
        GROUP BY aggregate_id
        HAVING argMax(to_state, aggregate_version) IN ('failed', 'cancelled')
    ),
    asked AS
    (
        SELECT conversation_id, min(event_time) AS at FROM bronze.events
        WHERE type = 'message.received' AND conversation_id IN (SELECT conversation_id FROM opened)
        GROUP BY conversation_id
    ),
    answered AS
    (
        SELECT
            asked.conversation_id,
            dateDiff('microsecond', any(asked.at), min(answers.event_time)) / 1e6 AS seconds
        FROM asked
        INNER JOIN bronze.events AS answers ON answers.conversation_id = asked.conversation_id
        WHERE (answers.type = 'message.echoed' OR (answers.type = 'message.queued' AND answers.author IN ('agent', 'phone_app')))
            AND answers.event_time >= asked.at
            AND answers.aggregate_id NOT IN (SELECT aggregate_id FROM lost)
        GROUP BY asked.conversation_id
    ),
    facts AS (SELECT * FROM gold.conversation_facts WHERE day IN {days:Array(Date)})
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['conversations', 'answered by a person', 'seconds to the first response', 'messages from customers', 'resolved',
            'recommendations, from 0 to 10'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(count(first_response_seconds)), sum(ifNull(first_response_seconds, 0)),
            toFloat64(sum(messages_in)), toFloat64(countIf(is_resolved)), toFloat64(sum(ifNull(nps, 0)))] FROM facts) AS ours,
        [
            (SELECT toFloat64(count()) FROM opened),
            (SELECT toFloat64(count()) FROM answered),
            (SELECT sum(seconds) FROM answered),
            (SELECT toFloat64(uniqExact(aggregate_id)) FROM bronze.events
                WHERE type = 'message.received' AND conversation_id IN (SELECT conversation_id FROM opened)),
            (SELECT toFloat64(countIf(state IN ('resolved', 'closed') AND ever)) FROM (
                SELECT argMax(to_state, aggregate_version) AS state, countIf(to_state = 'resolved') > 0 AS ever FROM bronze.events
                WHERE type IN ('conversation.opened', 'conversation.state_changed')
                    AND conversation_id IN (SELECT conversation_id FROM opened)
                GROUP BY conversation_id)),
            (SELECT toFloat64(sum(ifNull(last_score, 0))) FROM (
                SELECT score AS last_score FROM bronze.events
                WHERE type = 'conversation.recommended' AND conversation_id IN (SELECT conversation_id FROM opened)
                ORDER BY aggregate_version DESC LIMIT 1 BY conversation_id))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
