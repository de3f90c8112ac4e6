CREATE TABLE IF NOT EXISTS gold.churn_risk /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) at whose end the customer was scored',
    customer_id UUID COMMENT 'Customer with an active contract; each once a day',
    probability Float64 COMMENT 'Calibrated probability that a contract of the customer ends within horizon_days after the day, 0 to 1',
    band LowCardinality(String) COMMENT 'high: at least three times the usual rate of the training; medium: at least 1.5 times; low: below',
    reasons Array(String) COMMENT 'What raises the probability most, up to three, in words for people (pt-BR); empty for low',
    reason_features Array(LowCardinality(String)) COMMENT 'The columns of gold.customer_features behind reasons, in the same order',
    reason_log_odds Array(Float64) COMMENT 'What each of them adds to the log-odds, in the same order',
    horizon_days UInt16 COMMENT 'How far ahead the probability looks, days',
    model_version LowCardinality(String) COMMENT 'Version of the model in the registry; a rerun of the day uses it again'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY customer_id
COMMENT 'Risk that a customer leaves, by day of scoring, with reasons. Days before the model knew of them are not scored';
