CREATE TABLE IF NOT EXISTS silver.service_levels /*ON CLUSTER*/
(
    hour DateTime('UTC') COMMENT 'Start of the hour, UTC; each once',
    requests UInt64 COMMENT 'HTTP requests that the API answered, count',
    failures UInt64 COMMENT 'Of those, answered with 5xx, count',
    bounds Array(Float64) COMMENT 'Upper bounds of the response times counted, seconds, ascending, without infinity',
    counts Array(UInt64) COMMENT 'Answers up to each bound and above the one before, then those above all, count',
    updated_at DateTime64(6, 'UTC') COMMENT 'When a process added to it last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY hour
COMMENT 'What the API has answered and how fast, by hour; copied whole from PostgreSQL';
