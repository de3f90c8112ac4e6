-- days: the business days of the labels. A message that was erased, or taken back by its writer, has no words: its label teaches
-- nothing any more, and the next build leaves it out.
SELECT
    said.day AS day,
    said.message_id AS message_id,
    said.teacher AS teacher,
    said.newest.1 AS labelled_at,
    words.conversation_id AS conversation_id,
    said.newest.2 AS customer_id,
    said.newest.3 AS sentiment,
    said.newest.4 AS intent,
    said.newest.5 AS confidence,
    said.newest.6 AS chosen_by,
    said.newest.7 AS prompt
FROM
(
    SELECT
        day,
        aggregate_id AS message_id,
        JSONExtractString(label, 'teacher') AS teacher,
        argMax(
            tuple(
                event_time, customer_id, JSONExtractString(label, 'sentiment'), JSONExtractString(label, 'intent'),
                JSONExtractFloat(label, 'confidence'), JSONExtractString(label, 'chosen_by'), JSONExtractString(label, 'prompt')),
            (occurred_at, id)) AS newest
    FROM bronze.events
    WHERE day IN {days:Array(Date)} AND type = 'message.labelled'
    GROUP BY day, message_id, teacher
) AS said
INNER JOIN
(
    SELECT message_id, conversation_id FROM silver.messages
    WHERE author = 'customer' AND revoked_at IS NULL AND trimBoth(ifNull(content, '')) != ''
        AND message_id IN (SELECT aggregate_id FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'message.labelled')
) AS words ON words.message_id = said.message_id
