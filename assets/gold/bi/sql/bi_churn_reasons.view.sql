-- What raises the churn risk of customers in the bands high and medium, by the newest scoring
CREATE OR REPLACE VIEW gold.bi_churn_reasons /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) at whose end customers were scored',
    band LowCardinality(String) COMMENT 'high or medium',
    reason String COMMENT 'What raises the probability, in words for people (pt-BR), without its figure',
    people UInt64 COMMENT 'Customers whose risk it raises, count'
)
AS
SELECT day, band, trimBoth(splitByString(':', arrayJoin(reasons))[1]) AS reason, count() AS people
FROM gold.churn_risk
WHERE day IN (SELECT max(day) FROM gold.churn_risk) AND band != 'low'
GROUP BY day, band, reason
COMMENT 'What raises the churn risk of customers in the bands high and medium, by the newest scoring';
