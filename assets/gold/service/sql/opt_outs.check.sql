-- The message before each opt-out as the latest of all pairs.
WITH pairs AS
(
    SELECT said_no.event_id AS event_id, max(sent.sent_at) AS sent_at
    FROM (SELECT event_id, customer_id, at FROM gold.opt_outs WHERE day IN {days:Array(Date)}) AS said_no
    INNER JOIN (SELECT customer_id, sent_at FROM silver.messages WHERE direction = 'out' AND counts AND day BETWEEN {first:Date} - 8 AND {last:Date}) AS sent
        ON sent.customer_id = said_no.customer_id
    WHERE sent.sent_at <= said_no.at AND sent.sent_at >= said_no.at - INTERVAL 7 DAY
    GROUP BY event_id
)
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['opt-outs', 'opt-outs after a message of ours'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(countIf(sent_at > toDateTime64(0, 6, 'UTC')))] FROM gold.opt_outs WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(uniqExact(id)) FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'consent.changed' AND granted = false),
            (SELECT toFloat64(count()) FROM pairs)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
