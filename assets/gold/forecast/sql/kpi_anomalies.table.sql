CREATE TABLE IF NOT EXISTS gold.kpi_anomalies /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) that was looked at',
    metric LowCardinality(String) COMMENT 'contacts (count), first_response_seconds (median of those answered on the day itself, seconds), satisfaction (mean, 1 to 5) or resolution_rate (resolved at the end of the day, 0 to 1)',
    dimension LowCardinality(String) COMMENT 'all, queue or state: what the figure is of',
    key LowCardinality(String) COMMENT 'Which queue or state (UF); empty for all',
    started_at DateTime('UTC') COMMENT 'Begin of the hours, UTC; of the day for figures of a day',
    hours UInt16 COMMENT 'How many hours the figure covers, hours: 1, 6 or the whole day',
    value Float64 COMMENT 'What happened, in the unit of metric',
    expected Float64 COMMENT 'What was to be expected from the 42 days before, in the unit of metric',
    p_value Float64 COMMENT 'Probability that chance brings a figure at least so far away, 0 to 1; alarms of a day are Holm-corrected over all figures looked at',
    looks UInt32 COMMENT 'Figures looked at on the day, count',
    direction LowCardinality(String) COMMENT 'above or below what was expected'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (metric, dimension, key, started_at, hours)
COMMENT 'Figures out of the ordinary. On a day on which nothing happened the chance of any row is at most 1 %';
