CREATE TABLE IF NOT EXISTS silver.kpi_baseline /*ON CLUSTER*/
(
    kpi String COMMENT 'Key of the figure (assets/gold/kpi/catalogue.yaml); each once',
    value Float64 COMMENT 'What it was before the hub, in the figure''s unit',
    measured_from Nullable(Date32) COMMENT 'First day it was measured on; NULL when not told',
    measured_to Nullable(Date32) COMMENT 'Last day it was measured on; NULL when not told',
    note String COMMENT 'Where it comes from',
    updated_at DateTime64(6, 'UTC') COMMENT 'When it was stored last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY kpi
COMMENT 'Stored baselines as they are now; copied whole from PostgreSQL';
