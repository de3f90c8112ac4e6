CREATE TABLE IF NOT EXISTS gold.segment_membership /*ON CLUSTER*/
(
    segment_id UUID COMMENT 'Segment in use (PostgreSQL: segments)',
    customer_id UUID COMMENT 'Member; each once a segment',
    version UInt32 COMMENT 'Version of the segment when the customer entered',
    entered_on Date COMMENT 'Day of gold.customer_features from which on he has been in it without a gap'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY (segment_id, customer_id)
COMMENT 'Who is in which segment by the newest day of gold.customer_features';
