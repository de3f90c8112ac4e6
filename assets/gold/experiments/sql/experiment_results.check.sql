-- The last day's statistics of each experiment from its customers one by one, and the differences from the sums beside them,
-- none of it by running sums.
WITH
    results AS (SELECT * FROM gold.experiment_results WHERE day IN {days:Array(Date)}),
    ends AS (SELECT experiment_id, max(day) AS end_day FROM results GROUP BY experiment_id),
    newest AS (SELECT results.* FROM results INNER JOIN ends ON ends.experiment_id = results.experiment_id WHERE results.day = ends.end_day),
    plans AS
    (
        SELECT assumeNotNull(experiment_id) AS experiment_id, argMin(experiment_plan, aggregate_version) AS first_plan,
            JSONExtractString(first_plan, 'goal') AS goal, JSONExtractUInt(first_plan, 'window_days') AS window_days,
            JSONExtractKeys(first_plan, 'shares') AS variants
        FROM bronze.events WHERE type = 'experiment.planned' AND experiment_id IN (SELECT experiment_id FROM ends) GROUP BY experiment_id
    ),
    people AS
    (
        SELECT people.experiment_id AS experiment_id, people.customer_id AS customer_id, people.assigned_at AS assigned_at,
            people.variant AS variant, ends.end_day AS end_day, plans.goal AS goal, plans.window_days AS window_days
        FROM gold.experiment_assignments AS people
        INNER JOIN ends ON ends.experiment_id = people.experiment_id
        INNER JOIN plans ON plans.experiment_id = people.experiment_id
        WHERE people.day <= ends.end_day AND has(plans.variants, people.variant)
    ),
    goals AS
    (
        SELECT aggregate_id, argMin(tuple(customer_id, event_time, kind, value_micros), aggregate_version) AS told
        FROM bronze.events WHERE type = 'goal.recorded' GROUP BY aggregate_id
    ),
    reached AS
    (
        SELECT people.experiment_id AS experiment_id, people.customer_id AS customer_id, sum(ifNull(goals.told.4, 0)) AS value
        FROM people
        INNER JOIN goals ON goals.told.1 = people.customer_id
        WHERE goals.told.3 = people.goal AND goals.told.2 >= people.assigned_at
            AND dateDiff('microsecond', people.assigned_at, goals.told.2) < people.window_days * 86400 * 1000000
            AND toDate(goals.told.2, {timezone:String}) <= people.end_day
        GROUP BY experiment_id, customer_id
    ),
    against AS
    (
        SELECT treated.sum_y / treated.customers - control.sum_y / control.customers AS difference,
            if(treated.incremental IS NULL, 0, difference * treated.customers) AS brought
        FROM newest AS treated
        INNER JOIN newest AS control ON control.experiment_id = treated.experiment_id AND control.metric = treated.metric
        WHERE treated.variant != treated.control AND control.variant = control.control AND treated.metric = 'conversion'
            AND treated.customers > 0 AND control.customers > 0
    )
, arrived AS
    (
        SELECT plans.experiment_id AS experiment_id, sent.aggregate_id AS message_id, any(ends.end_day) AS end_day
        FROM bronze.events AS sent
        INNER JOIN (SELECT DISTINCT campaign_id, experiment_id FROM bronze.events WHERE type = 'experiment.planned' AND campaign_id IS NOT NULL) AS planned
            ON planned.campaign_id = sent.campaign_id
        INNER JOIN plans ON plans.experiment_id = assumeNotNull(planned.experiment_id)
        INNER JOIN ends ON ends.experiment_id = plans.experiment_id
        INNER JOIN bronze.events AS came ON came.aggregate_id = sent.aggregate_id
        WHERE sent.type = 'message.queued' AND sent.campaign_id IS NOT NULL AND has(plans.variants, sent.variant)
            AND came.type = 'message.state_changed' AND came.to_state IN ('delivered', 'read', 'played') AND came.day <= ends.end_day
        GROUP BY experiment_id, message_id
    ),
    priced AS
    (
        SELECT arrived.experiment_id AS experiment_id, arrived.message_id AS message_id, argMax(told.cost_micros, told.aggregate_version) AS price
        FROM arrived
        INNER JOIN bronze.events AS told ON told.aggregate_id = arrived.message_id
        WHERE told.type IN ('message.state_changed', 'message.priced') AND told.cost_micros IS NOT NULL AND told.day <= arrived.end_day
        GROUP BY experiment_id, message_id
    )
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['customers', 'customers who reached the goal', 'squares of value', 'value', 'differences of conversion',
            'conversions over a control without messages', 'customers with value, once a quantile', 'shares of the next customers', 'prices of messages that arrived'] AS figures,
        (SELECT [
            toFloat64(sumIf(customers, metric = 'conversion')), sumIf(sum_y, metric = 'conversion'), sumIf(sum_yy, metric = 'value'),
            sumIf(sum_y, metric = 'value'), sumIf(ifNull(difference, 0), metric = 'conversion' AND variant != control),
            sumIf(ifNull(incremental, 0), metric = 'conversion'), sumIf(sum_y, kind = 'quantile'), sum(ifNull(next_share, 0)), sumIf(cost, metric = 'conversion')] FROM newest) AS ours,
        [
            (SELECT toFloat64(count()) FROM people WHERE experiment_id IN (SELECT experiment_id FROM newest WHERE metric = 'conversion')),
            (SELECT toFloat64(count()) FROM reached WHERE experiment_id IN (SELECT experiment_id FROM newest WHERE metric = 'conversion')),
            (SELECT sum(toFloat64(value) * value) / 1e12 FROM reached WHERE experiment_id IN (SELECT experiment_id FROM newest WHERE metric = 'value')),
            (SELECT toFloat64(sum(value)) / 1e6 FROM reached WHERE experiment_id IN (SELECT experiment_id FROM newest WHERE metric = 'value')),
            (SELECT sum(difference) FROM against),
            (SELECT sum(brought) FROM against),
            (SELECT toFloat64(count()) FROM reached
                INNER JOIN (SELECT DISTINCT experiment_id, metric FROM newest WHERE kind = 'quantile') AS asked ON asked.experiment_id = reached.experiment_id
                WHERE reached.value > 0),
            (SELECT toFloat64(uniqExact(experiment_id)) FROM newest WHERE role = 'primary' AND kind = 'proportion' AND NOT srm_blocks),
            (SELECT toFloat64(sum(ifNull(price, 0))) / 1e6 FROM priced WHERE experiment_id IN (SELECT experiment_id FROM newest WHERE metric = 'conversion'))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
