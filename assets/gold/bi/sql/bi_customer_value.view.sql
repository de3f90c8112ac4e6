-- How many customers are in which tier, RFM group and learned group, by the newest features
CREATE OR REPLACE VIEW gold.bi_customer_value /*ON CLUSTER*/
(
    as_of Date COMMENT 'Day of gold.customer_features that it was made from',
    tier LowCardinality(String) COMMENT 'Diamante, Ouro, Prata or Bronze',
    rfm_group LowCardinality(String) COMMENT 'Name of the group that recency, frequency and money make, in Portuguese',
    cluster_name LowCardinality(String) COMMENT 'Learned group, by what sets it apart most; empty where none was learned',
    risk_band LowCardinality(String) COMMENT 'Churn risk by the newest scoring: high, medium or low; empty: not scored',
    people UInt64 COMMENT 'Customers, count',
    value_sum Float64 COMMENT 'Sum of their value scores, 0 to 100 each'
)
AS
SELECT
    max(worth.as_of) AS as_of, worth.tier AS tier, worth.rfm_group AS rfm_group, clusters.name AS cluster_name,
    toString(risks.band) AS risk_band, count() AS people, sum(worth.value_score) AS value_sum
FROM gold.customer_value AS worth
LEFT JOIN gold.customer_clusters AS clusters ON clusters.customer_id = worth.customer_id
LEFT JOIN (
    SELECT customer_id, band FROM gold.churn_risk WHERE day IN (SELECT max(day) FROM gold.churn_risk)
) AS risks ON risks.customer_id = worth.customer_id
GROUP BY tier, rfm_group, cluster_name, risk_band
COMMENT 'How many customers are in which tier, RFM group and learned group, by the newest features';
