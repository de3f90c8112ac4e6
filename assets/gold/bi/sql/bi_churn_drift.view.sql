-- How far scored customers are from those that the churn model was trained on
CREATE OR REPLACE VIEW gold.bi_churn_drift /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the scoring',
    is_newest Bool COMMENT 'The newest day of scoring',
    feature LowCardinality(String) COMMENT 'Column of gold.customer_features, or score: the probability itself',
    psi Float64 COMMENT 'Population stability index; under 0.1 nothing, over 0.25 much',
    by_chance Float64 COMMENT 'What chance exceeds once in a thousand times',
    verdict LowCardinality(String) COMMENT 'stable, watch or act'
)
AS
SELECT day, day = (SELECT max(day) FROM gold.churn_drift) AS is_newest, feature, psi, by_chance, verdict
FROM gold.churn_drift
COMMENT 'How far scored customers are from those that the churn model was trained on';
