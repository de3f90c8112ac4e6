CREATE TABLE IF NOT EXISTS gold.experiment_assignments /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the first assignment',
    experiment_id UUID COMMENT 'Experiment',
    experiment LowCardinality(String) COMMENT 'Key of the experiment, also the salt of its assignment',
    campaign_id Nullable(UUID) COMMENT 'Campaign that the experiment belongs to',
    customer_id UUID COMMENT 'Customer as he was known when assigned; each once per experiment',
    variant LowCardinality(String) COMMENT 'Variant first assigned; it is the one he counts in, whatever reached him',
    assigned_at DateTime64(6, 'UTC') COMMENT 'When he was first assigned, UTC'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (experiment_id, customer_id)
COMMENT 'Who is in which variant: one row per experiment and customer, by the day of his first assignment';
