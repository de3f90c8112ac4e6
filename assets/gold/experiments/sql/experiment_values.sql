-- What each customer's goals within his window were worth, by day: for quantiles, which no sums can give. Only of experiments
-- whose plan asks for one. Millionths of the goals' currency; customers without a goal are not here, they are worth 0.
WITH
    plans AS
    (
        SELECT assumeNotNull(experiment_id) AS experiment_id, argMin(JSONExtractString(experiment_plan, 'goal'), aggregate_version) AS goal,
            argMin(JSONExtractUInt(experiment_plan, 'window_days'), aggregate_version) AS window_days
        FROM bronze.events
        WHERE type = 'experiment.planned' AND experiment_id IN {experiments:Array(UUID)} AND day <= {last:Date}
        GROUP BY experiment_id
    ),
    goals AS
    (
        SELECT assumeNotNull(customer_id) AS customer_id, day, event_time AS at, kind, ifNull(value_micros, 0) AS value
        FROM bronze.events
        WHERE type = 'goal.recorded' AND day BETWEEN {since:Date} AND {last:Date} AND customer_id IS NOT NULL
        ORDER BY aggregate_version
        LIMIT 1 BY aggregate_id  -- a goal told again is one goal
    )
SELECT
    people.experiment_id AS experiment_id, goals.day AS day, people.variant AS variant, people.customer_id AS customer_id,
    sum(goals.value) AS value
FROM gold.experiment_assignments AS people
INNER JOIN plans ON plans.experiment_id = people.experiment_id
INNER JOIN goals ON goals.customer_id = people.customer_id
WHERE people.day <= {last:Date} AND goals.kind = plans.goal AND goals.at >= people.assigned_at
    AND goals.at < people.assigned_at + toIntervalDay(plans.window_days)
GROUP BY experiment_id, day, variant, customer_id
HAVING value > 0
ORDER BY experiment_id, day, variant, customer_id
