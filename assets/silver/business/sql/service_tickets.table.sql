CREATE TABLE IF NOT EXISTS silver.service_tickets /*ON CLUSTER*/
(
    ticket_id String COMMENT 'The operator''s id of the ticket; each once',
    contract_id String COMMENT 'Its contract',
    customer_id Nullable(UUID) COMMENT 'Whose contract it is; NULL until its phone is known on WhatsApp',
    kind LowCardinality(String) COMMENT 'Kind of work, in the operator''s words',
    status LowCardinality(String) COMMENT 'open, scheduled, done or cancelled, now',
    opened_at DateTime64(6, 'UTC') COMMENT 'Opening, UTC',
    scheduled_for Nullable(DateTime64(6, 'UTC')) COMMENT 'When somebody comes, UTC',
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Closing, UTC; NULL while it is open',
    updated_at DateTime64(6, 'UTC') COMMENT 'When the operator changed it last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY ticket_id
COMMENT 'Service tickets as they are now, without their words; copied whole from PostgreSQL';
