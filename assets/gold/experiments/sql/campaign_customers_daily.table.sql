CREATE TABLE IF NOT EXISTS gold.campaign_customers_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) on which the steps happened; a campaign is the sum of its days',
    campaign_id UUID COMMENT 'Campaign',
    variant LowCardinality(String) COMMENT 'Variant of its test; empty without one',
    customer_id UUID COMMENT 'Whom the messages were for',
    sent UInt64 COMMENT 'Messages queued on the day, count',
    delivered UInt64 COMMENT 'Messages that arrived on the day: first delivered, read or played, count',
    read UInt64 COMMENT 'Messages first read or played on the day, count',
    failed UInt64 COMMENT 'Messages that failed on the day and never arrived, count',
    clicked UInt64 COMMENT 'Messages whose short link a person first opened on the day, count',
    clicks UInt64 COMMENT 'Visits of such links by people on the day, at most 50 a link, count',
    replied UInt64 COMMENT 'Messages whose customer first wrote on the day, within 72 hours and before the next campaign message, count',
    converted UInt64 COMMENT 'Messages whose customer first reached the goal on the day, within the window and before the next campaign message, count',
    goals UInt64 COMMENT 'Goals reached on the day after such messages, count',
    value_micros Int64 COMMENT 'Value of those goals, millionths of value_currency',
    value_currency LowCardinality(String) COMMENT 'ISO 4217 code of value_micros; empty without goals',
    opted_out UInt64 COMMENT 'Messages whose customer first wanted no more promotions on the day, within 7 days and before the next campaign message, count',
    cost_micros Int64 COMMENT 'Prices of the messages that arrived on the day, millionths of cost_currency',
    cost_currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros; empty when no price was told'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (campaign_id, variant, customer_id)
COMMENT 'The steps of gold.campaign_funnel customer by customer, so that a campaign can be told by segment';
