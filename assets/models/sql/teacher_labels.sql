-- The newest label that each teacher gave each message, with the words of the message as they are now. Erased words are
-- gone from silver, and with them their label. What a teacher is less sure of weighs less, and never more than half a line of
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
        message_id,
        teacher,
        argMax(toString(sentiment), labelled_at) AS sentiment,
        argMax(toString(intent), labelled_at) AS intent,
        argMax(confidence, labelled_at) AS confidence
    FROM silver.message_labels
    GROUP BY message_id, teacher
) AS labels
INNER JOIN
(
    SELECT message_id, content FROM silver.messages
    WHERE author = 'customer' AND revoked_at IS NULL AND trimBoth(ifNull(content, '')) != ''
        AND message_id IN (SELECT message_id FROM silver.message_labels)
) AS said ON said.message_id = labels.message_id
WHERE labels.sentiment IN ('', 'negative', 'neutral', 'positive', 'mixed') AND (labels.sentiment != '' OR labels.intent != '')
ORDER BY text, source, sentiment, intent
