CREATE TABLE IF NOT EXISTS gold.built_days /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    batch UInt64 COMMENT 'Newest relay batch of raw.events that is in the day''s tables of this layer',
    built_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the day was built, UTC'
)
ENGINE = /*Replicated*/ReplacingMergeTree(built_at)
ORDER BY day
COMMENT 'Up to which relay batch each day of the gold layer is complete; read it with FINAL';
