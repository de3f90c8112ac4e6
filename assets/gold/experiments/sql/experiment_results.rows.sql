-- How many rows there must be: for each day on which an experiment is read out, its variants times its metrics. A day is
-- read out while the last assignment by then is at most the window and a day old.
WITH
    plans AS
    (
        SELECT assumeNotNull(experiment_id) AS experiment_id, argMin(experiment_plan, aggregate_version) AS first_plan
        FROM bronze.events WHERE type = 'experiment.planned' AND day <= {last:Date} GROUP BY experiment_id
    ),
    days AS (SELECT arrayJoin({days:Array(Date)}) AS day),
    read AS
    (
        SELECT days.day AS day, people.experiment_id AS experiment_id, max(people.day) AS newest
        FROM days
        CROSS JOIN (SELECT DISTINCT experiment_id, day FROM gold.experiment_assignments WHERE day <= {last:Date}) AS people
        WHERE people.day <= days.day
        GROUP BY day, experiment_id
    )
SELECT toUInt64(sum(if(dateDiff('day', newest, day) <= JSONExtractUInt(first_plan, 'window_days') + 1,
    JSONLength(first_plan, 'shares') * JSONLength(first_plan, 'metrics'), 0)))
FROM read INNER JOIN plans ON plans.experiment_id = read.experiment_id
