-- The messages from the events themselves, words as last edited, without silver; and each figure from the others: the
-- class is the likeliest, the score the difference, every aspect has a polarity.
WITH
    words AS
    (
        SELECT
            aggregate_id,
            argMaxIf(tuple(content), aggregate_version, type IN ('message.received', 'message.edited')).1 AS content,
            countIf(type = 'message.revoked') > 0 AS revoked
        FROM bronze.events
        WHERE type IN ('message.received', 'message.edited', 'message.revoked') AND aggregate_id IN (
            SELECT aggregate_id FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'message.received')
        GROUP BY aggregate_id
    ),
    read AS (SELECT * FROM gold.message_sentiment WHERE day IN {days:Array(Date)})
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['messages', 'negative messages', 'sum of scores', 'probabilities', 'aspects with a polarity'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(countIf(label = 'negative')), round(sum(toFloat64(score)), 2),
            toFloat64(count()), toFloat64(sum(length(aspects)))] FROM read) AS ours,
        [
            (SELECT toFloat64(count()) FROM words WHERE NOT revoked AND trimBoth(ifNull(content, '')) != ''),
            (SELECT toFloat64(countIf(negative > neutral AND negative > positive AND negative > mixed)) FROM read),
            (SELECT round(sum(toFloat64(positive) - toFloat64(negative)), 2) FROM read),
            (SELECT toFloat64(countIf(abs(negative + neutral + positive + mixed - 1) < 0.001)) FROM read),
            (SELECT toFloat64(sum(arrayCount(p -> p IN ('negative', 'neutral', 'positive'), mapValues(aspects)))) FROM read)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
