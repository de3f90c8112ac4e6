-- Key figures that have a target: the last 30 days against the target and the stored baseline
CREATE OR REPLACE VIEW gold.bi_kpi_goals /*ON CLUSTER*/
(
    kpi String COMMENT 'Key of the figure (assets/gold/kpi/catalogue.yaml)',
    scale Float64 COMMENT 'The figure is scale * sum(numerator) / sum(denominator), in its unit of the catalogue',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot, and for figures of no queue',
    target Float64 COMMENT 'Target of the catalogue; a change of the baseline where is_change',
    is_change Bool COMMENT 'The target is a change of the baseline: 3 is +300 %, -0.4 is -40 %',
    is_lower_better Bool COMMENT 'Reached from above',
    shown_factor Float64 COMMENT 'What people read is this times the figure: 100 for shares in %, 1000 for seconds in ms',
    numerator Int64 COMMENT 'Of the last 30 whole days, without the newest, which fills; uptime and api_p95: of the last 30 days',
    denominator Int64 COMMENT 'Of the same',
    baseline Nullable(Float64) COMMENT 'The stored baseline (PostgreSQL: kpi_baseline), in the figure''s unit; NULL: none is stored'
)
AS
WITH
    (SELECT max(day) FROM gold.service_kpi_hourly) AS newest,
    ['csat', 'first_answer_time', 'resolution_rate', 'agent_efficiency', 'cost_per_resolved', 'uptime', 'api_p95'] AS kpis,
    figures AS
    (
        SELECT kpi, any(cases.scale) AS scale, toString(queue) AS queue, sum(cases.numerator) AS numerator, sum(cases.denominator) AS denominator
        FROM gold.kpis_cases AS cases
        WHERE kpi IN ('csat', 'first_answer_time', 'resolution_rate', 'agent_efficiency', 'cost_per_resolved')
            AND day >= newest - 30 AND day < newest
        GROUP BY kpi, queue
    ),
    -- Of one set of bounds: hours of a release with others are left out of the response time, and of nothing else.
    answered AS
    (
        SELECT sum(requests) AS requests, sum(failures) AS failures
        FROM silver.service_levels WHERE hour >= now('UTC') - INTERVAL 30 DAY
        HAVING requests > 0
    ),
    timed AS
    (
        SELECT bounds, arrayCumSum(sumForEach(counts)) AS reached
        FROM silver.service_levels
        WHERE hour >= now('UTC') - INTERVAL 30 DAY AND bounds IN (SELECT argMax(bounds, hour) FROM silver.service_levels)
        GROUP BY bounds
        HAVING reached[-1] > 0
    ),
    -- As Prometheus' histogram_quantile: linear within the bucket that holds the rank, the highest bound above all of them.
    p95 AS
    (
        SELECT
            0.95 * reached[-1] AS rank, arrayFirstIndex(x -> x >= rank, reached) AS place,
            if(place = 1, 0., bounds[place - 1]) AS low, if(place = 1, 0, reached[place - 1]) AS before,
            if(place > length(bounds), bounds[-1], low + (bounds[place] - low) * (rank - before) / (reached[place] - before)) AS seconds
        FROM timed
    )
SELECT
    told.1 AS kpi, told.2 AS scale, told.3 AS queue,
    transform(kpi, kpis, [4.5, 120, 0.95, 3, -0.4, 0.999, 0.2], 0) AS target,
    kpi IN ('agent_efficiency', 'cost_per_resolved') AS is_change,
    kpi IN ('first_answer_time', 'cost_per_resolved', 'api_p95') AS is_lower_better,
    multiIf(kpi IN ('resolution_rate', 'uptime'), 100., kpi = 'api_p95', 1000., 1.) AS shown_factor,
    told.4 AS numerator, told.5 AS denominator, stored.value AS baseline
FROM
(
    SELECT (kpi, toFloat64(scale), queue, toInt64(numerator), toInt64(denominator)) AS told FROM figures
    UNION ALL
    SELECT ('uptime', toFloat64(1), '', toInt64(requests - failures), toInt64(requests)) FROM answered
    UNION ALL
    SELECT ('api_p95', toFloat64(0.000001), '', toInt64(round(seconds * 1e6)), toInt64(1)) FROM p95
) AS rows
LEFT JOIN (SELECT kpi AS of, toNullable(value) AS value FROM silver.kpi_baseline) AS stored ON stored.of = told.1
COMMENT 'Key figures that have a target: the last 30 days against the target and the stored baseline';
