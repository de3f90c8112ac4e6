-- Each customer's assignments numbered by a window, and the first one taken, for every experiment and variant together.
WITH numbered AS
(
    SELECT
        day, experiment_id, customer_id, variant,
        row_number() OVER (PARTITION BY experiment_id, customer_id ORDER BY event_time, id) AS number
    FROM bronze.events
    WHERE type = 'experiment.assigned'
)
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['assignments', 'customers', 'hash of customer and variant'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(uniqExact(customer_id)), toFloat64(sum(cityHash64(experiment_id, customer_id, variant) % 1000003))]
            FROM gold.experiment_assignments WHERE day IN {days:Array(Date)}) AS ours,
        (SELECT [toFloat64(count()), toFloat64(uniqExact(customer_id)), toFloat64(sum(cityHash64(assumeNotNull(experiment_id), assumeNotNull(customer_id), variant) % 1000003))]
            FROM numbered WHERE number = 1 AND day IN {days:Array(Date)}) AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
