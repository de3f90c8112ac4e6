-- What the last run saw: a segment of the same definition over the same build of the features is not computed again.
CREATE TABLE IF NOT EXISTS gold.segment_state /*ON CLUSTER*/
(
    segment_id UUID COMMENT 'Segment in use at the last run',
    version UInt32 COMMENT 'Its version then',
    definition_hash String COMMENT 'SHA-256 of its tree with nested ones in place, hex',
    build String COMMENT 'Day and build of gold.customer_features and of gold.customer_actions_daily that its members were found in',
    members UInt64 COMMENT 'Members, count',
    columns Array(String) COMMENT 'Columns of the warehouse that it reads: its lineage',
    computed_at DateTime64(3, 'UTC') COMMENT 'When its members were found, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY segment_id
COMMENT 'One row per segment in use: from what its members were found, and when';
