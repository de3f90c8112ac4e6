CREATE TABLE IF NOT EXISTS silver.benefits_and_costs /*ON CLUSTER*/
(
    entry_id UUID COMMENT 'Benefit or cost; each once',
    name String COMMENT 'What it is, in the words of who entered it',
    kind LowCardinality(String) COMMENT 'benefit or cost',
    amount_micros Int64 COMMENT 'Amount, millionths of BRL',
    every LowCardinality(String) COMMENT 'month: of each whole month; once: on valid_from',
    valid_from Date32 COMMENT 'First day; of once the day it came',
    valid_to Nullable(Date32) COMMENT 'Last day; NULL while it goes on, and for once',
    source String COMMENT 'Who says so, where it is written',
    is_example Bool COMMENT 'Of the demo: nobody measured it',
    updated_at DateTime64(6, 'UTC') COMMENT 'When it was changed last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY entry_id
COMMENT 'Benefits and costs that people entered, as they are now; copied whole from PostgreSQL';
