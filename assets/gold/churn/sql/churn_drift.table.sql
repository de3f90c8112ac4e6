CREATE TABLE IF NOT EXISTS gold.churn_drift /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the scoring',
    feature LowCardinality(String) COMMENT 'Column of gold.customer_features, or score: the probability itself',
    psi Float64 COMMENT 'Population stability index of the customers scored against those trained on; under 0.1 nothing, over 0.25 much',
    by_chance Float64 COMMENT 'What two samples of one population of these sizes exceed once in a thousand times',
    verdict LowCardinality(String) COMMENT 'stable, watch (over 0.1) or act (over 0.25); stable when chance explains it',
    model_version LowCardinality(String) COMMENT 'Version of the model in the registry'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY feature
COMMENT 'How far the customers scored on a day are from those that the churn model was trained on';
