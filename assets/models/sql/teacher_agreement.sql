-- How often each teacher and the model that read the message say the same: messages by teacher, by how they were chosen, and by both
-- sentiments; of them those with the same intent, and those whose teacher named one. The newest label of each message counts.
SELECT
    labels.teacher AS teacher,
    labels.chosen_by AS chosen_by,
    labels.sentiment AS said,
    toString(read.label) AS found,
    count() AS messages,
    countIf(labels.intent != '') AS with_intent,
    countIf(labels.intent != '' AND labels.intent = read.intent) AS same_intent
FROM
(
    SELECT
        aggregate_id,
        JSONExtractString(payload, 'teacher') AS teacher,
        argMax(ifNull(JSONExtract(payload, 'chosen_by', 'Nullable(String)'), ''), (occurred_at, id)) AS chosen_by,
        argMax(ifNull(JSONExtract(payload, 'sentiment', 'Nullable(String)'), ''), (occurred_at, id)) AS sentiment,
        argMax(ifNull(JSONExtract(payload, 'intent', 'Nullable(String)'), ''), (occurred_at, id)) AS intent
    FROM raw.events
    WHERE type = 'message.labelled'
    GROUP BY aggregate_id, teacher
) AS labels
INNER JOIN gold.message_sentiment AS read ON read.message_id = labels.aggregate_id
WHERE labels.sentiment != ''
GROUP BY teacher, chosen_by, said, found
ORDER BY teacher, chosen_by, said, found
