-- Figures of whole days by queue and of all queues, each as it stood at the end of its own day: metric, dimension, key, day, value,
-- how many conversations it is of. What came later (an answer in the morning, a resolution in three days) is left out of every
-- day, since of the newest one it is not known yet: with it each newest day would be out of the ordinary.
WITH
    ends AS
    (
        SELECT conversation_id, argMax(state, version) IN ('resolved', 'closed') AND countIf(state = 'resolved') > 0 AS resolved
        FROM silver.conversation_states
        WHERE day BETWEEN addDays({last:Date}, -{memory:UInt16}) AND {last:Date}
        GROUP BY day, conversation_id
        HAVING countIf(previous_state = '') > 0  -- the day it was opened
    ),
    facts AS
    (
        SELECT
            facts.day AS day, facts.queue AS queue, facts.satisfaction AS satisfaction, ends.resolved AS resolved,
            if(facts.first_response_at < toDateTime(addDays(facts.day, 1), {timezone:String}), facts.first_response_seconds, NULL) AS response
        FROM gold.conversation_facts AS facts
        LEFT JOIN ends ON ends.conversation_id = facts.conversation_id
        WHERE facts.day BETWEEN addDays({last:Date}, -{memory:UInt16}) AND {last:Date} AND facts.first_customer_message_at IS NOT NULL
    )
SELECT figure.1 AS metric, dimension, key, day, figure.2 AS value, figure.3 AS conversations FROM
(
    SELECT
        'queue' AS dimension, toString(queue) AS key, day,
        [('first_response_seconds', ifNull(quantileExactInclusive(0.5)(response), nan), count(response)),
         ('satisfaction', ifNull(avg(satisfaction), nan), count(satisfaction)),
         ('resolution_rate', avg(resolved), count())] AS figures
    FROM facts WHERE queue != '' GROUP BY key, day
    UNION ALL
    SELECT
        'all', '', day,
        [('first_response_seconds', ifNull(quantileExactInclusive(0.5)(response), nan), count(response)),
         ('satisfaction', ifNull(avg(satisfaction), nan), count(satisfaction)),
         ('resolution_rate', avg(resolved), count())]
    FROM facts GROUP BY day
)
ARRAY JOIN figures AS figure
WHERE figure.3 >= 20
ORDER BY metric, dimension, key, day
