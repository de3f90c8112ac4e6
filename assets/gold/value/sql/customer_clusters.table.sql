CREATE TABLE IF NOT EXISTS gold.customer_clusters /*ON CLUSTER*/
(
    customer_id UUID COMMENT 'Customer; each once',
    as_of Date COMMENT 'Day of gold.customer_features that it was made from',
    cluster UInt8 COMMENT 'Number of the group; a refit keeps the numbers of the groups it finds again',
    name LowCardinality(String) COMMENT 'Name of the group in Portuguese, by what sets it apart most',
    model String COMMENT 'The fit that it comes from, as in gold.cluster_models'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY customer_id
COMMENT 'Learned group of each customer, by the newest features';
