CREATE TABLE IF NOT EXISTS gold.cluster_models /*ON CLUSTER*/
(
    fitted_on Date COMMENT 'Day of gold.customer_features that it was learned from',
    model String COMMENT 'Name of the fit: SHA-256 of its definition, hex, 16 signs',
    definition String COMMENT 'JSON of models_ml/segmentation/clusters.py: scales, centres, profiles',
    clusters UInt8 COMMENT 'How many groups, count',
    stability Float32 COMMENT 'Mean adjusted Rand index of pairs of fits on bootstrap samples for this number of groups, 1 at most',
    agreement Nullable(Float32) COMMENT 'Adjusted Rand index with the fit before on the same customers, 1 at most; NULL for the first',
    drift Nullable(Float32) COMMENT 'Population stability index of the shares of the fit before, from its own day to this one; NULL for the first',
    reason LowCardinality(String) COMMENT 'Why it was learned: first, weekly or drift'
)
ENGINE = /*Replicated*/ReplacingMergeTree
ORDER BY fitted_on
COMMENT 'Fits of the learned groups, one a day at most; read it with FINAL';
