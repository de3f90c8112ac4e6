CREATE TABLE IF NOT EXISTS silver.contracts /*ON CLUSTER*/
(
    contract_id String COMMENT 'The operator''s id of the contract; each once',
    customer_id Nullable(UUID) COMMENT 'Whose it is; NULL until its phone is known on WhatsApp',
    plan_id String COMMENT 'The operator''s id of the plan',
    plan_name String COMMENT 'Name of the plan',
    plan_kind LowCardinality(String) COMMENT 'fiber, mobile_postpaid, mobile_prepaid, mobile_control, tv or combo',
    speed_mbps Nullable(UInt32) COMMENT 'Speed of the plan, megabits per second; NULL without one',
    data_gb Nullable(UInt32) COMMENT 'Data of the plan a month, gigabytes; NULL without a limit or without data',
    price_micros Int64 COMMENT 'Price of the plan a month, millionths of currency',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of price_micros',
    status LowCardinality(String) COMMENT 'active, suspended or cancelled, now',
    city LowCardinality(String) COMMENT 'Municipality of the connection; empty when not known',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) of the connection; empty when not known',
    region_code LowCardinality(String) COMMENT 'The operator''s network region, matched with outages; empty when not known',
    started_on Date32 COMMENT 'First day of the contract',
    ended_on Nullable(Date32) COMMENT 'Last day; NULL while it goes on',
    updated_at DateTime64(6, 'UTC') COMMENT 'When the operator changed it last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY contract_id
COMMENT 'Contracts with their plan as they are now; copied whole from PostgreSQL';
