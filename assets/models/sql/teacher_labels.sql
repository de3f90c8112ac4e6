-- The newest label that each teacher gave each message, with the words of the message as they are now. Erased words are
-- gone from silver, and with them their label. What a teacher is less sure of weighs less, and never more than a line of
-- our corpus.
SELECT
    said.content AS text,
    labels.sentiment AS sentiment,
    labels.intent AS intent,
    least(1., greatest(0.05, labels.confidence)) * 0.5 AS weight,
    labels.teacher AS source
FROM
(
    SELECT
        aggregate_id,
        JSONExtractString(payload, 'teacher') AS teacher,
        argMax(ifNull(JSONExtract(payload, 'sentiment', 'Nullable(String)'), ''), (occurred_at, id)) AS sentiment,
        argMax(ifNull(JSONExtract(payload, 'intent', 'Nullable(String)'), ''), (occurred_at, id)) AS intent,
        argMax(JSONExtractFloat(payload, 'confidence'), (occurred_at, id)) AS confidence
    FROM raw.events
    WHERE type = 'message.labelled'
    GROUP BY aggregate_id, teacher
) AS labels
INNER JOIN
(
    SELECT message_id, content FROM silver.messages
    WHERE author = 'customer' AND revoked_at IS NULL AND trimBoth(ifNull(content, '')) != ''
        AND message_id IN (SELECT aggregate_id FROM raw.events WHERE type = 'message.labelled')
) AS said ON said.message_id = labels.aggregate_id
WHERE labels.sentiment IN ('', 'negative', 'neutral', 'positive', 'mixed') AND (labels.sentiment != '' OR labels.intent != '')
ORDER BY text, source, sentiment, intent
