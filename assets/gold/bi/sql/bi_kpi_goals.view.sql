-- Key figures that have a target: the last 30 days and the baseline, the first 30 days of history
CREATE OR REPLACE VIEW gold.bi_kpi_goals /*ON CLUSTER*/
(
    kpi String COMMENT 'Key of the figure (assets/gold/kpi/catalogue.yaml)',
    scale Float64 COMMENT 'The figure is scale * sum(numerator) / sum(denominator)',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot',
    target Float64 COMMENT 'Target of the catalogue; a change of the baseline where is_change',
    is_change Bool COMMENT 'The target is a change of the baseline: 3 is +300 %, -0.4 is -40 %',
    is_lower_better Bool COMMENT 'Reached from above',
    numerator Int64 COMMENT 'Of the last 30 whole days, without the newest, which fills',
    denominator Int64 COMMENT 'Of the same',
    base_numerator Int64 COMMENT 'Of the first 30 days of history',
    base_denominator Int64 COMMENT 'Of the same'
)
AS
WITH
    (SELECT max(day) FROM gold.service_kpi_hourly) AS newest,
    (SELECT min(day) FROM gold.service_kpi_hourly) AS oldest,
    ['csat', 'first_answer_time', 'resolution_rate', 'agent_efficiency', 'cost_per_resolved'] AS kpis
SELECT
    kpi, any(cases.scale) AS scale, queue,
    transform(kpi, kpis, [4.5, 120, 0.95, 3, -0.4], 0) AS target,
    kpi IN ('agent_efficiency', 'cost_per_resolved') AS is_change,
    kpi IN ('first_answer_time', 'cost_per_resolved') AS is_lower_better,
    sumIf(cases.numerator, day >= newest - 30 AND day < newest) AS numerator, sumIf(cases.denominator, day >= newest - 30 AND day < newest) AS denominator,
    sumIf(cases.numerator, day < oldest + 30) AS base_numerator, sumIf(cases.denominator, day < oldest + 30) AS base_denominator
FROM gold.kpis_cases AS cases
WHERE kpi IN ('csat', 'first_answer_time', 'resolution_rate', 'agent_efficiency', 'cost_per_resolved')
GROUP BY kpi, queue
COMMENT 'Key figures that have a target: the last 30 days and the baseline, the first 30 days of history';
