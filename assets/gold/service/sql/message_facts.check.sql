-- Messages by queue, from joins of each message with all steps before it.
WITH
    said AS (SELECT message_id, conversation_id, sent_at FROM silver.messages WHERE day IN {days:Array(Date)}),
    placed AS
    (
        SELECT said.message_id AS message_id, argMax(steps.queue, (steps.at, steps.version)) AS queue FROM said
        INNER JOIN silver.conversation_states AS steps ON steps.conversation_id = said.conversation_id
        WHERE steps.at <= said.sent_at
        GROUP BY message_id
    )
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['messages', 'messages in a queue', 'cost in millionths'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(countIf(queue != '')), toFloat64(sum(cost_micros))] FROM gold.message_facts WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(count()) FROM said),
            (SELECT toFloat64(countIf(queue != '')) FROM placed),
            (SELECT toFloat64(sum(ifNull(cost_micros, 0))) FROM silver.messages WHERE day IN {days:Array(Date)} AND state IN ('delivered', 'read', 'played'))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
