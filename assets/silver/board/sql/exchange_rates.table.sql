CREATE TABLE IF NOT EXISTS silver.exchange_rates /*ON CLUSTER*/
(
    currency LowCardinality(String) COMMENT 'ISO 4217 code, never BRL',
    valid_from Date32 COMMENT 'First day of the rate, which holds until the next one of its currency',
    brl_micros Int64 COMMENT 'What one whole unit is worth, millionths of BRL',
    source String COMMENT 'Where it comes from',
    updated_at DateTime64(6, 'UTC') COMMENT 'When it was stored last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY (currency, valid_from)
COMMENT 'Exchange rates that people entered, as they are now; copied whole from PostgreSQL';
