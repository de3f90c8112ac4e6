-- How churn risk is distributed on each day of scoring
CREATE OR REPLACE VIEW gold.bi_churn_risk /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) at whose end customers were scored',
    is_newest Bool COMMENT 'The newest day of scoring',
    band LowCardinality(String) COMMENT 'high, medium or low, against the usual rate of the training',
    bucket UInt8 COMMENT 'Probability in steps of 5 %: 0 for under 5 %, 19 for 95 % and more',
    people UInt64 COMMENT 'Customers, count',
    expected Float64 COMMENT 'Sum of their probabilities: who is expected to leave, count'
)
AS
SELECT
    day, day = (SELECT max(day) FROM gold.churn_risk) AS is_newest, band, toUInt8(least(19, floor(probability * 20))) AS bucket,
    count() AS people, sum(probability) AS expected
FROM gold.churn_risk
GROUP BY day, band, bucket
COMMENT 'How churn risk is distributed on each day of scoring';
