-- The prices again message by message: of each conversation opened on the days, those in its newest currency.
WITH
    opened AS (SELECT conversation_id FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'conversation.opened' GROUP BY conversation_id),
    told AS
    (
        SELECT conversation_id, message_id, sent_at, cost_micros, toString(cost_currency) AS currency, state IN ('delivered', 'read', 'played') AS owed
        FROM silver.messages WHERE conversation_id IN (SELECT conversation_id FROM opened) AND cost_currency != ''
    ),
    newest AS
    (
        SELECT conversation_id, currency FROM told
        ORDER BY conversation_id, sent_at DESC, message_id DESC LIMIT 1 BY conversation_id
    )
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['conversations', 'cost in millionths', 'messages'] AS figures,
        (SELECT [toFloat64(sum(conversations)), toFloat64(sum(cost_micros)), toFloat64(sum(messages))] FROM gold.cost_daily WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(count()) FROM opened),
            (SELECT toFloat64(sum(ifNull(told.cost_micros, 0))) FROM told
                INNER JOIN newest ON newest.conversation_id = told.conversation_id AND newest.currency = told.currency WHERE told.owed),
            (SELECT toFloat64(count()) FROM silver.messages WHERE conversation_id IN (SELECT conversation_id FROM opened) AND (direction = 'in' OR counts))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
