CREATE TABLE IF NOT EXISTS gold.conversation_sentiment /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the conversation''s opening',
    conversation_id UUID COMMENT 'Conversation in which the customer wrote words; each once',
    customer_id Nullable(UUID) COMMENT 'Its customer; NULL once he was erased',
    messages UInt32 COMMENT 'Messages of the customer that were read, count',
    score_mean Float64 COMMENT 'Mean score of them, -1 to 1',
    score_start Float64 COMMENT 'Mean score of the first third of them (rounded up), -1 to 1',
    score_end Float64 COMMENT 'Mean score of the last third of them (rounded up), -1 to 1',
    score_slope Nullable(Float64) COMMENT 'Change of the score from one message to the next by least squares; NULL for one message',
    score_minimum Float64 COMMENT 'Lowest score, -1 to 1',
    minimum_message_id UUID COMMENT 'First message with the lowest score',
    turning_message_id Nullable(UUID) COMMENT 'First message of the second mood, where the scores are best explained by two means (least squares); NULL below 3 messages or when the means differ by less than 0.3',
    turning_change Nullable(Float64) COMMENT 'Mean score from the turning message on minus the mean before it, -2 to 2; NULL without one',
    first_label LowCardinality(String) COMMENT 'Class of the first message that is not neutral; neutral when all are',
    final_label LowCardinality(String) COMMENT 'Class of the last message that is not neutral; neutral when all are',
    negative_messages UInt32 COMMENT 'Messages of class negative, count',
    positive_messages UInt32 COMMENT 'Messages of class positive, count',
    mixed_messages UInt32 COMMENT 'Messages of class mixed, count',
    aspects_negative Array(LowCardinality(String)) COMMENT 'Aspects that were spoken of negatively, each once, in alphabetical order',
    aspects_positive Array(LowCardinality(String)) COMMENT 'Aspects that were spoken of positively, each once, in alphabetical order',
    reason LowCardinality(String) COMMENT 'Commonest contact reason of its messages that is no small talk, the alphabetically first of equals; smalltalk when all are',
    model LowCardinality(String) COMMENT 'Version of the models that read its last message'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (conversation_id)
COMMENT 'How the customer''s mood went in each conversation: start, end, slope, lowest point, turning point';
