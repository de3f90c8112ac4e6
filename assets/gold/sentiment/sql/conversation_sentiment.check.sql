-- The same from the messages by windows and a regression function, without arrays.
WITH
    placed AS
    (
        SELECT
            conversation_id, toFloat64(score) AS score, label,
            row_number() OVER (PARTITION BY conversation_id ORDER BY sent_at, message_id) AS place,
            count() OVER (PARTITION BY conversation_id) AS n
        FROM gold.message_sentiment
        WHERE conversation_id IN (SELECT conversation_id FROM silver.conversations WHERE day IN {days:Array(Date)})
    ),
    kept AS (SELECT * FROM gold.conversation_sentiment WHERE day IN {days:Array(Date)})
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['conversations', 'messages', 'sum of scores', 'sum of scores at the start', 'sum of scores at the end', 'sum of lowest scores',
            'sum of slopes', 'negative messages'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(sum(messages)), sum(score_mean * messages), sum(score_start), sum(score_end),
            sum(score_minimum), sum(ifNull(score_slope, 0)), toFloat64(sum(negative_messages))] FROM kept) AS ours,
        [
            (SELECT toFloat64(uniqExact(conversation_id)) FROM placed),
            (SELECT toFloat64(count()) FROM placed),
            (SELECT sum(score) FROM placed),
            (SELECT sum(mean) FROM (SELECT avg(score) AS mean FROM placed WHERE place <= ceil(n / 3) GROUP BY conversation_id)),
            (SELECT sum(mean) FROM (SELECT avg(score) AS mean FROM placed WHERE place > n - ceil(n / 3) GROUP BY conversation_id)),
            (SELECT sum(lowest) FROM (SELECT min(score) AS lowest FROM placed GROUP BY conversation_id)),
            (SELECT sum(slope) FROM (SELECT simpleLinearRegression(place, score).1 AS slope FROM placed WHERE n > 1 GROUP BY conversation_id)),
            (SELECT toFloat64(countIf(label = 'negative')) FROM placed)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
