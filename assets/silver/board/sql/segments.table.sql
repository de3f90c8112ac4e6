CREATE TABLE IF NOT EXISTS silver.segments /*ON CLUSTER*/
(
    segment_id UUID COMMENT 'Segment; each once',
    name String COMMENT 'Its name',
    version UInt32 COMMENT 'Its newest version',
    is_archived Bool COMMENT 'It was put away: computed no longer',
    updated_at DateTime64(6, 'UTC') COMMENT 'When it was changed last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY segment_id
COMMENT 'Segments by name as they are now; copied whole from PostgreSQL';
