-- By how much each day changed the sufficient statistics of every experiment, variant and metric: their running sums are
-- the statistics at the end of each day. Whole numbers throughout (money in millionths, squares in 128 bits), so that the
-- order of adding cannot change a digit.
WITH
    plans AS
    (
        SELECT assumeNotNull(experiment_id) AS experiment_id, argMin(JSONExtractString(experiment_plan, 'goal'), aggregate_version) AS goal,
            argMin(JSONExtractUInt(experiment_plan, 'window_days'), aggregate_version) AS window_days
        FROM bronze.events
        WHERE type = 'experiment.planned' AND experiment_id IN {experiments:Array(UUID)} AND day <= {last:Date}
        GROUP BY experiment_id
    ),
    assigned AS
    (
        SELECT people.experiment_id AS experiment_id, people.customer_id AS customer_id, people.variant AS variant,
            people.assigned_at AS assigned_at, people.day AS day, plans.goal AS goal, plans.window_days AS window_days
        FROM gold.experiment_assignments AS people
        INNER JOIN plans ON plans.experiment_id = people.experiment_id
        WHERE people.day <= {last:Date}
    ),
    acts AS
    (
        SELECT
            assumeNotNull(customer_id) AS customer_id, day, event_time AS at,
            multiIf(type = 'message.received', 'reply', type = 'goal.recorded', 'goal', 'opt_out') AS act,
            kind, ifNull(value_micros, 0) AS value
        FROM bronze.events
        WHERE day BETWEEN {since:Date} AND {last:Date} AND customer_id IN (SELECT customer_id FROM assigned)
            AND (type IN ('message.received', 'goal.recorded') OR type = 'consent.changed' AND granted = 0 AND scope IN ('marketing', 'all'))
        ORDER BY aggregate_version
        LIMIT 1 BY aggregate_id, type, aggregate_version * (type = 'consent.changed')  -- a goal told again is one goal
    ),
    -- What each customer's goals were worth in the 30 days before he was assigned: the covariate of his value since.
    before AS
    (
        SELECT assigned.experiment_id AS experiment_id, assigned.customer_id AS customer_id, sum(acts.value) AS x
        FROM acts
        INNER JOIN assigned ON assigned.customer_id = acts.customer_id
        WHERE acts.act = 'goal' AND acts.kind = assigned.goal
            AND acts.at < assigned.assigned_at AND acts.at >= assigned.assigned_at - INTERVAL 30 DAY
        GROUP BY experiment_id, customer_id
    ),
    people AS
    (
        SELECT assigned.*, toInt128(before.x) AS x
        FROM assigned
        LEFT JOIN before ON before.experiment_id = assigned.experiment_id AND before.customer_id = assigned.customer_id
    ),
    daily AS
    (
        SELECT
            people.experiment_id AS experiment_id, people.customer_id AS customer_id, any(people.variant) AS variant, any(people.x) AS x,
            acts.day AS day, toInt128(countIf(act = 'goal')) AS goals, toInt128(sumIf(value, act = 'goal')) AS value,
            countIf(act = 'reply') AS replies, countIf(act = 'opt_out') AS opt_outs
        FROM acts
        INNER JOIN people ON people.customer_id = acts.customer_id
        WHERE acts.at >= people.assigned_at AND acts.at < people.assigned_at + toIntervalDay(people.window_days)
            AND (act != 'goal' OR acts.kind = people.goal)
        GROUP BY experiment_id, customer_id, day
    ),
    running AS
    (
        SELECT
            *,
            sum(goals) OVER since AS goals_now, goals_now - goals AS goals_before,
            sum(value) OVER since AS value_now, value_now - value AS value_before,
            sum(replies) OVER since = replies AND replies > 0 AS first_reply,
            sum(opt_outs) OVER since = opt_outs AND opt_outs > 0 AS first_opt_out
        FROM daily
        WINDOW since AS (PARTITION BY experiment_id, customer_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
SELECT
    experiment_id, variant, change.1 AS metric, day,
    sum(change.2) AS n, sum(change.3) AS y, sum(change.4) AS yy, sum(change.5) AS x, sum(change.6) AS xx, sum(change.7) AS xy
FROM
(
    SELECT experiment_id, variant, day, [
        ('conversion', 1, toInt128(0), toInt128(0), toInt128(0), toInt128(0), toInt128(0)),
        ('value', 1, toInt128(0), toInt128(0), x, x * x, toInt128(0)),
        ('value_per_goal', 1, toInt128(0), toInt128(0), toInt128(0), toInt128(0), toInt128(0)),
        ('reply', 1, toInt128(0), toInt128(0), toInt128(0), toInt128(0), toInt128(0)),
        ('opt_out', 1, toInt128(0), toInt128(0), toInt128(0), toInt128(0), toInt128(0))] AS changes
    FROM people
    UNION ALL
    SELECT experiment_id, variant, day, [
        ('conversion', 0, toInt128(goals_before = 0 AND goals > 0), toInt128(0), toInt128(0), toInt128(0), toInt128(0)),
        ('value', 0, value, value_now * value_now - value_before * value_before, toInt128(0), toInt128(0), value * x),
        ('value_per_goal', 0, value, value_now * value_now - value_before * value_before, goals,
            goals_now * goals_now - goals_before * goals_before, value_now * goals_now - value_before * goals_before),
        ('reply', 0, toInt128(first_reply), toInt128(0), toInt128(0), toInt128(0), toInt128(0)),
        ('opt_out', 0, toInt128(first_opt_out), toInt128(0), toInt128(0), toInt128(0), toInt128(0))] AS changes
    FROM running
)
ARRAY JOIN changes AS change
GROUP BY experiment_id, variant, metric, day
ORDER BY experiment_id, day, variant, metric
