-- Customers as PostgreSQL has them now, without names, phones or CPFs: the warehouse finds people by their id alone.
CREATE TABLE IF NOT EXISTS silver.customers /*ON CLUSTER*/
(
    customer_id UUID COMMENT 'Customer; each once, erased ones not at all',
    lives_as UUID COMMENT 'The customer under which this one lives on after a merge; its own id otherwise',
    status LowCardinality(String) COMMENT 'active, inactive, blocked or merged',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) of the phone''s area; empty when not known',
    language LowCardinality(String) COMMENT 'Language of templates, for example pt_BR',
    tags Array(LowCardinality(String)) COMMENT 'Tags, sorted',
    created_at DateTime64(6, 'UTC') COMMENT 'When the hub knew the customer first, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY customer_id
COMMENT 'Customers as they are now; copied whole from PostgreSQL';
