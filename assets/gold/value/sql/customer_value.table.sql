CREATE TABLE IF NOT EXISTS gold.customer_value /*ON CLUSTER*/
(
    customer_id UUID COMMENT 'Customer; each once',
    as_of Date COMMENT 'Day of gold.customer_features that it was made from',
    recency UInt8 COMMENT 'Score 1 (worst) to 5: days since the last payment, by rank',
    frequency UInt8 COMMENT 'Score 1 (worst) to 5: invoices of 365 days that were not late, by rank',
    money UInt8 COMMENT 'Score 1 (worst) to 5: amounts paid of 365 days, by rank',
    rfm_group LowCardinality(String) COMMENT 'Name of the group that the three scores make, in Portuguese',
    value_score Float64 COMMENT 'Value to the operator, 0 to 100: 0.4 plan, 0.2 tenure, 0.2 payment, 0.1 usage, 0.1 tickets (models_ml/segmentation/rfm.py)',
    tier LowCardinality(String) COMMENT 'Diamante (best 5 % of who pays), Ouro (to 20 %), Prata (to 50 %) or Bronze',
    plan_part Float64 COMMENT 'Rank of the monthly price, 0 to 1',
    tenure_part Float64 COMMENT 'Tenure, 0 to 1 in five years',
    payment_part Float64 COMMENT 'Paid of what was billed, less what was late, 0 to 1',
    usage_part Float64 COMMENT 'Mean rank of contacts, speed and data, 0 to 1',
    tickets_part Float64 COMMENT '1 without tickets of 90 days, 1/2 with one, and so on'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY customer_id
COMMENT 'RFM scores and value tier of each customer, by the newest features';
