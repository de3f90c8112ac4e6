-- Every version of every plan up to the last day, oldest first.
SELECT assumeNotNull(experiment_id) AS experiment_id, campaign_id, experiment_plan
FROM bronze.events
WHERE type = 'experiment.planned' AND day <= {last:Date}
ORDER BY experiment_id, aggregate_version
