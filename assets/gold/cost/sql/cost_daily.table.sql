CREATE TABLE IF NOT EXISTS gold.cost_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the conversations'' opening',
    number_id UUID COMMENT 'Our WhatsApp number; zeros when none',
    queue LowCardinality(String) COMMENT 'Last queue; empty for the bot',
    currency LowCardinality(String) COMMENT 'ISO 4217 code; empty for conversations whose messages had no price',
    conversations UInt32 COMMENT 'Conversations opened, count',
    resolved UInt32 COMMENT 'Of those, resolved and not at work again, count',
    messages UInt32 COMMENT 'Their messages of both sides, without ours that failed or were cancelled, count',
    cost_micros Int64 COMMENT 'Prices of their delivered messages, millionths of currency',
    cost_per_resolved_micros Nullable(Float64) COMMENT 'cost_micros / resolved, millionths of currency; NULL when none is resolved'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (number_id, queue, currency)
COMMENT 'What conversations cost by day of opening, number and queue';
