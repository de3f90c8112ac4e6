CREATE TABLE IF NOT EXISTS gold.message_sentiment /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) on which the customer wrote',
    message_id UUID COMMENT 'Message of a customer with words; each once',
    conversation_id UUID COMMENT 'Its conversation',
    customer_id Nullable(UUID) COMMENT 'Its customer; NULL once he was erased',
    sent_at DateTime64(6, 'UTC') COMMENT 'When the customer wrote, UTC',
    message_version Int64 COMMENT 'Version of the message that was read: an edited one is read again',
    model LowCardinality(String) COMMENT 'Version of the models that read it (HUB_MODELS_DIR, manifest.json)',
    label LowCardinality(String) COMMENT 'Likeliest class: negative, neutral, positive or mixed',
    negative Float32 COMMENT 'Calibrated probability of negative, 0 to 1',
    neutral Float32 COMMENT 'Calibrated probability of neutral, 0 to 1',
    positive Float32 COMMENT 'Calibrated probability of positive, 0 to 1',
    mixed Float32 COMMENT 'Calibrated probability of mixed, 0 to 1',
    score Float32 COMMENT 'positive minus negative, -1 to 1',
    aspects Map(LowCardinality(String), LowCardinality(String)) COMMENT 'What it speaks of (signal, billing, price, service, installation, cancellation) and how: negative, neutral or positive',
    intent LowCardinality(String) COMMENT 'Likeliest intent of the corpus, e.g. invoice_copy',
    intent_probability Float32 COMMENT 'Calibrated probability of the intent, 0 to 1',
    reason LowCardinality(String) COMMENT 'Likeliest contact reason: billing, cancellation, installation, payments, plans, service, technical or smalltalk'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (conversation_id, sent_at, message_id)
COMMENT 'What each message of a customer says: class, score, aspects, intent. No text';
