CREATE TABLE IF NOT EXISTS gold.segment_membership_history /*ON CLUSTER*/
(
    day Date COMMENT 'Day of gold.customer_features on which it was seen',
    segment_id UUID COMMENT 'Segment',
    customer_id UUID COMMENT 'Who entered or left',
    change LowCardinality(String) COMMENT 'entered or left',
    why LowCardinality(String) COMMENT 'data: the customer changed; definition: the segment did; gone: no such customer any more; archived: the segment was put away',
    version UInt32 COMMENT 'Version of the segment after the change',
    run String COMMENT 'The run that saw it: a run that died half-way and is repeated adds no row twice'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (segment_id, day, customer_id)
COMMENT 'Who entered and left which segment, when and why';
