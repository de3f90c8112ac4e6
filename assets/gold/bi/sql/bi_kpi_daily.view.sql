-- Every key figure by day and queue, for dashboards: the catalogue''s own cases, added up
CREATE OR REPLACE VIEW gold.bi_kpi_daily /*ON CLUSTER*/
(
    kpi String COMMENT 'Key of the figure (assets/gold/kpi/catalogue.yaml)',
    scale Float64 COMMENT 'The figure is scale * sum(numerator) / sum(denominator)',
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot',
    currency String COMMENT 'ISO 4217 code of an amount; empty when it is none',
    numerator Int64 COMMENT 'What the figure sums: count, microseconds or millionths',
    denominator Int64 COMMENT 'What it is divided by: count or microseconds'
)
AS
SELECT kpi, any(cases.scale) AS scale, day, queue, currency, sum(cases.numerator) AS numerator, sum(cases.denominator) AS denominator
FROM gold.kpis_cases AS cases
GROUP BY kpi, day, queue, currency
COMMENT 'Every key figure by day and queue, for dashboards: the catalogue''s own cases, added up';
