-- Seconds of a person per conversation of each queue in the last 28 days.
SELECT toString(queue) AS queue, avg(handling_seconds) FROM gold.conversation_facts
WHERE day BETWEEN addDays({last:Date}, -27) AND {last:Date} AND queue != '' AND handling_seconds > 0
GROUP BY queue
