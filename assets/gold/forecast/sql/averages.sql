-- Figures of whole days by queue and of all queues: metric, dimension, key, day, value, how many conversations it is of.
WITH facts AS
(
    SELECT day, queue, first_response_seconds, satisfaction, is_resolved
    FROM gold.conversation_facts
    WHERE day BETWEEN addDays({last:Date}, -{memory:UInt16}) AND {last:Date} AND first_customer_message_at IS NOT NULL
)
SELECT figure.1 AS metric, dimension, key, day, figure.2 AS value, figure.3 AS conversations FROM
(
    SELECT
        'queue' AS dimension, toString(queue) AS key, day,
        [('first_response_seconds', ifNull(quantileExactInclusive(0.5)(first_response_seconds), nan), count(first_response_seconds)),
         ('satisfaction', ifNull(avg(satisfaction), nan), count(satisfaction)),
         ('resolution_rate', avg(is_resolved), count())] AS figures
    FROM facts WHERE queue != '' GROUP BY key, day
    UNION ALL
    SELECT
        'all', '', day,
        [('first_response_seconds', ifNull(quantileExactInclusive(0.5)(first_response_seconds), nan), count(first_response_seconds)),
         ('satisfaction', ifNull(avg(satisfaction), nan), count(satisfaction)),
         ('resolution_rate', avg(is_resolved), count())]
    FROM facts GROUP BY day
)
ARRAY JOIN figures AS figure
WHERE figure.3 >= 20
ORDER BY metric, dimension, key, day
