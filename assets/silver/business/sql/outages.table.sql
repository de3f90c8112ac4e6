CREATE TABLE IF NOT EXISTS silver.outages /*ON CLUSTER*/
(
    outage_id String COMMENT 'The operator''s id of the outage; each once',
    region_code LowCardinality(String) COMMENT 'Network region, as in silver.contracts',
    service LowCardinality(String) COMMENT 'fiber, mobile, tv or all',
    started_at DateTime64(6, 'UTC') COMMENT 'Beginning, UTC',
    expected_end_at Nullable(DateTime64(6, 'UTC')) COMMENT 'End that was promised, UTC',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'End, UTC; NULL while it lasts',
    cause String COMMENT 'Cause in the operator''s words; empty when not told',
    updated_at DateTime64(6, 'UTC') COMMENT 'When the operator changed it last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY outage_id
COMMENT 'Outages as they are now; copied whole from PostgreSQL';
