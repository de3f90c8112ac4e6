-- The first assignment counts, on whatever day it was; later ones of the same customer make no row (results.py counts them).
SELECT first.1 AS day, who.1 AS experiment_id, first.2 AS experiment, first.3 AS campaign_id, who.2 AS customer_id, first.4 AS variant, first.5 AS assigned_at
FROM
(
    SELECT
        tuple(assumeNotNull(experiment_id), assumeNotNull(customer_id)) AS who,
        argMin(tuple(day, experiment, campaign_id, variant, event_time), tuple(event_time, id)) AS first
    FROM bronze.events
    WHERE type = 'experiment.assigned' AND experiment_id IS NOT NULL AND customer_id IS NOT NULL AND day <= {last:Date}
    GROUP BY who
)
WHERE first.1 IN {days:Array(Date)}
ORDER BY day, experiment_id, customer_id
