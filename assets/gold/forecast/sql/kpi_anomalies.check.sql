-- What the alarms say happened, counted again from the conversations themselves.
WITH
    alarms AS (SELECT * FROM gold.kpi_anomalies WHERE day IN {days:Array(Date)}),
    counted AS (SELECT * FROM alarms WHERE metric = 'contacts')
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['contacts of the alarms', 'alarms on the side they say'] AS figures,
        [(SELECT sum(value) FROM counted), (SELECT toFloat64(count()) FROM alarms)] AS ours,
        [
            (SELECT toFloat64(count()) FROM gold.conversation_facts AS facts
                INNER JOIN counted ON facts.day = counted.day
                WHERE facts.first_customer_message_at IS NOT NULL AND facts.hour >= counted.started_at
                    AND facts.hour < counted.started_at + toIntervalHour(counted.hours)
                    AND (counted.dimension = 'queue' AND facts.queue = counted.key OR counted.dimension = 'state' AND facts.state_code = counted.key)),
            (SELECT toFloat64(countIf(direction = if(value > expected, 'above', 'below'))) FROM alarms)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
