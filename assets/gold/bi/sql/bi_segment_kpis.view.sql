-- Every key figure by segment, day and queue, of those who are members now
CREATE OR REPLACE VIEW gold.bi_segment_kpis /*ON CLUSTER*/
(
    kpi String COMMENT 'Key of the figure (assets/gold/kpi/catalogue.yaml)',
    scale Float64 COMMENT 'The figure is scale * sum(numerator) / sum(denominator)',
    segment_id UUID COMMENT 'Segment in use; a case counts in every segment that its customer is in now',
    segment String COMMENT 'Its name',
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the cases',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot',
    currency String COMMENT 'ISO 4217 code of an amount; empty when it is none',
    cases UInt64 COMMENT 'Cases, count',
    numerator Int64 COMMENT 'What the figure sums: count, microseconds or millionths',
    denominator Int64 COMMENT 'What it is divided by: count or microseconds'
)
AS
SELECT kpi, any(one.scale) AS scale, segment_id, names.name AS segment, day, queue, currency,
    sum(one.cases) AS cases, sum(one.n) AS numerator, sum(one.d) AS denominator
FROM gold.segment_membership AS member
INNER JOIN
(
    -- By customer first, since there are more members than customers.
    SELECT kpi, any(all_cases.scale) AS scale, customer_id, day, queue, currency, count() AS cases,
        sum(all_cases.numerator) AS n, sum(all_cases.denominator) AS d
    FROM gold.kpis_cases AS all_cases
    GROUP BY kpi, customer_id, day, queue, currency
) AS one ON one.customer_id = member.customer_id
INNER JOIN (SELECT segment_id AS of, name FROM silver.segments WHERE NOT is_archived) AS names ON names.of = member.segment_id
GROUP BY kpi, segment_id, segment, day, queue, currency
COMMENT 'Every key figure by segment, day and queue, of those who are members now';
