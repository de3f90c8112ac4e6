CREATE TABLE IF NOT EXISTS silver.invoices /*ON CLUSTER*/
(
    invoice_id String COMMENT 'The operator''s id of the invoice; each once',
    contract_id String COMMENT 'Its contract',
    customer_id Nullable(UUID) COMMENT 'Whose contract it is; NULL until its phone is known on WhatsApp',
    reference_month Date32 COMMENT 'Month that is billed, its first day',
    amount_micros Int64 COMMENT 'Amount, millionths of currency',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    due_on Date32 COMMENT 'Last day to pay it in time',
    status LowCardinality(String) COMMENT 'open, paid, overdue or cancelled, now',
    paid_micros Int64 COMMENT 'Sum of its payments, millionths of currency',
    settled_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When its payments reached its amount, or the operator said it was paid, UTC; NULL while neither',
    updated_at DateTime64(6, 'UTC') COMMENT 'When the operator changed it last, UTC'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY invoice_id
COMMENT 'Invoices with their payments as they are now; copied whole from PostgreSQL';
