-- Per experiment and day of assignment: customers by variant and by the version of the plan in force at that moment.
WITH plans AS
(
    SELECT assumeNotNull(experiment_id) AS experiment_id, event_time AS planned_at,
        row_number() OVER (PARTITION BY experiment_id ORDER BY aggregate_version) AS version
    FROM bronze.events
    WHERE type = 'experiment.planned' AND experiment_id IN {experiments:Array(UUID)} AND day <= {last:Date}
)
SELECT assigned.experiment_id AS experiment_id, assigned.day AS day, greatest(plans.version, 1) AS version, assigned.variant AS variant, count() AS customers
FROM gold.experiment_assignments AS assigned
ASOF LEFT JOIN plans ON plans.experiment_id = assigned.experiment_id AND assigned.assigned_at >= plans.planned_at
WHERE assigned.experiment_id IN {experiments:Array(UUID)} AND assigned.day <= {last:Date}
GROUP BY experiment_id, day, version, variant
ORDER BY experiment_id, day, version, variant
