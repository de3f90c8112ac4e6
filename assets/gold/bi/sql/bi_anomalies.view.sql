-- Figures out of the ordinary, and the days that were looked at
CREATE OR REPLACE VIEW gold.bi_anomalies /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    queue LowCardinality(String) COMMENT 'What the figure is of: a queue, a state (UF), or empty for all',
    dimension LowCardinality(String) COMMENT 'all, queue or state; empty where is_alarm is false',
    metric LowCardinality(String) COMMENT 'contacts, first_response_seconds, satisfaction or resolution_rate; empty where is_alarm is false',
    started_at DateTime('UTC') COMMENT 'Begin of the hours, UTC',
    hours UInt16 COMMENT 'How many hours the figure covers, hours',
    value Float64 COMMENT 'What happened, in the unit of metric',
    expected Float64 COMMENT 'What was to be expected, in the unit of metric',
    is_alarm Bool COMMENT 'false: a row for each day that has contacts, so that quiet days show too'
)
AS
SELECT day, key AS queue, dimension, metric, started_at, hours, value, expected, true AS is_alarm FROM gold.kpi_anomalies
UNION ALL
SELECT day, '', '', '', toDateTime(day, 'UTC'), toUInt16(0), toFloat64(0), toFloat64(0), false
FROM gold.service_kpi_hourly GROUP BY day
COMMENT 'Figures out of the ordinary, and the days that were looked at';
