CREATE TABLE IF NOT EXISTS silver.message_labels /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the label',
    message_id UUID COMMENT 'Message of a customer that still has words',
    teacher LowCardinality(String) COMMENT 'Who said it: the name of a language model, or a person''s',
    labelled_at DateTime64(6, 'UTC') COMMENT 'When it was said, UTC; of several of a day the last one counts',
    conversation_id UUID COMMENT 'Conversation of the message',
    customer_id Nullable(UUID) COMMENT 'Who wrote the message; NULL once that person is erased',
    sentiment LowCardinality(String) COMMENT 'negative, neutral, positive or mixed; empty when only the intent was told',
    intent LowCardinality(String) COMMENT 'One of the intents of the corpus; empty when none was told',
    confidence Float64 COMMENT 'How sure the teacher was, 0 to 1',
    chosen_by LowCardinality(String) COMMENT 'random, or uncertain: what the model in use was least sure of; empty where nobody chose',
    prompt LowCardinality(String) COMMENT 'Version of the instruction that a language model was given; empty for a person'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (message_id, teacher)
COMMENT 'One row per message, teacher and day: what was said last. Across days the newest labelled_at counts';
